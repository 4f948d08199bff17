"""What an exercise's answer is: the reference beside the reader's own version, and the hint that leads there in three steps."""

import ast
import difflib
from pathlib import Path
from typing import Final

from shared.lab.terms import terms
from shared.workbook.exercise.contents import to_write
from shared.workbook.exercise.exercises import HINTS, Exercise
from shared.workbook.exercise.mine import BLANK, Mine
from shared.workbook.exercise.stubs import functions, lines_of, without_bodies

DESIGN: Final = Path(__file__).parent / "design_reference.txt"


def solved(mine: Mine, exercise: Exercise) -> str:
    """Return what the file of an exercise is when it is solved as in the reference, and no other exercise of that file is."""
    if exercise.kind == "design":
        return DESIGN.read_text(encoding="utf-8")
    others = to_write(exercise.module).difference(exercise.functions) if exercise.kind == "write" else ()
    return without_bodies(mine.reference(exercise.module), others)


def answer(mine: Mine, exercise: Exercise) -> str:
    """Return the reference's functions for an exercise; nothing where there is no reference, as without a framework."""
    if mine.base == BLANK:
        return ""
    text = solved(mine, exercise)
    return text.strip() if exercise.kind == "design" else "\n\n\n".join(_pieces(text, exercise))


def difference(mine: Mine, exercise: Exercise) -> str:
    """Return how the reader's version differs from the reference, as a unified diff; nothing where it does not."""
    file = mine.folder / exercise.file
    own = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    if exercise.kind != "write":
        return _diff(own, solved(mine, exercise))
    try:
        ours = _pieces(own, exercise)
    except SyntaxError:
        ours = [own]
    return _diff("\n\n\n".join(ours), answer(mine, exercise))


def hint(mine: Mine, exercise: Exercise, step: int) -> str:
    """Return a step of the hint, counted from 1: what to think of, what to use, and the answer."""
    if step < HINTS:
        folder = mine.folder if mine.base == BLANK else mine.root / "variants" / mine.base
        return exercise.hints[step - 1].format(**terms(folder))
    if mine.base == BLANK:
        return f"Nobody has written it on your framework yet. Others did it so: nox -s read -- {exercise.functions[0]}"
    if exercise.kind == "repair":
        return _diff(mine.begun(exercise), solved(mine, exercise))
    return answer(mine, exercise)


def _pieces(text: str, exercise: Exercise) -> list[str]:
    lines, there = text.split("\n"), functions(ast.parse(text))
    spans = [lines_of(there[name]) for name in exercise.functions if name in there]
    return ["\n".join(lines[first - 1 : last]) for first, last in spans]


def _diff(yours: str, reference: str) -> str:
    lines = difflib.unified_diff(yours.split("\n"), reference.split("\n"), "yours", "the reference", lineterm="")
    return "\n".join(lines)

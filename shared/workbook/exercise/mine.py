"""A reader's own variant, `variants/mine`: what it was made from, how it is made, and how a part of it is put back."""

import ast
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.lab.variants import ROOT
from shared.lesson.contract import MODULES
from shared.workbook.exercise import blank
from shared.workbook.exercise.contents import exercises, to_write
from shared.workbook.exercise.exercises import Exercise
from shared.workbook.exercise.stubs import Function, functions, lines_of, without_bodies
from shared.workbook.mistakes.plant import PlantError, planted_text

NAME: Final = "mine"
BLANK: Final = "blank"
DESIGN: Final = Path(__file__).parent / "design.txt"
"""What the file of the experiment to design begins as."""


class MineError(Exception):
    """There is no `variants/mine` to work on, or it cannot be made; the message is for the reader, and says what to do."""


@dataclass(frozen=True, slots=True)
class Mine:
    """The reader's own variant.

    Attributes:
        base: The variant that it was made from; `blank` for none.
        root: The folder that holds `variants`.

    """

    base: str
    root: Path = ROOT

    @property
    def folder(self) -> Path:
        """Where its modules stand."""
        return self.root / "variants" / NAME

    def reference(self, module: str) -> str:
        """Return a module of the variant that it was made from, under its own name; for `blank` what it began as."""
        if self.base == BLANK:
            return blank.module(module)
        text = (self.root / "variants" / self.base / f"{module}.py").read_text(encoding="utf-8")
        return as_mine(text, self.base)

    def begun(self, exercise: Exercise) -> str:
        """Return what the file of an exercise is at the beginning.

        Raises:
            MineError: The variant that it is made from was edited, so that the mistake to repair does not fit it any more.

        """
        if exercise.mistake:
            try:
                return as_mine(planted_text(exercise.mistake, self.base, self.root), self.base)
            except PlantError as error:
                raise MineError(f"variants/{self.base} was edited: {error} To put it back: git checkout variants") from None
        if not exercise.functions:
            return DESIGN.read_text(encoding="utf-8")
        return without_bodies(self.reference(exercise.module), to_write(exercise.module))

    def exercises(self) -> list[Exercise]:
        """Return the exercises that it has: without a framework there is nothing to repair."""
        return [one for one in exercises() if self.base != BLANK or one.kind == "write"]


def as_mine(text: str, base: str) -> str:
    """Return a variant's text with this variant's name in the place of its own."""
    return text.replace(f"variants.{base}", f"variants.{NAME}").replace(f'"{base}"', f'"{NAME}"')


def find(root: Path = ROOT) -> Mine:
    """Return the reader's own variant.

    Raises:
        MineError: There is none yet, or it does not say what it was made from.

    """
    marker = root / "variants" / NAME / "__init__.py"
    if not marker.is_file():
        message = "There is no variants/mine yet. Make it from the stack you like: nox -s exercise -- start fastapi"
        raise MineError(f"{message} (or starlette, aiohttp, anyio; or blank, for a framework of your own).")
    base = _made_from(marker)
    if base != BLANK and not (root / "variants" / base / "app.py").is_file():
        message = "variants/mine/__init__.py has no MADE_FROM that names the variant that it was made from"
        raise MineError(f'{message}, such as MADE_FROM = "fastapi_asyncio".')
    return Mine(base, root)


def _made_from(marker: Path) -> str:
    """Return what MADE_FROM says; nothing where it, or the file, cannot be read."""
    with suppress(SyntaxError, ValueError):
        for node in ast.parse(marker.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "MADE_FROM":
                return str(ast.literal_eval(node.value))
    return ""


def start(base: str, root: Path = ROOT) -> Mine:
    """Make `variants/mine` out of a variant.

    Args:
        base: The variant's full name, or `blank`.
        root: The folder that holds `variants`.

    Raises:
        MineError: It is there already, or the variant was edited and a mistake does not fit it any more.

    """
    mine = Mine(base, root)
    if mine.folder.exists():
        raise MineError("variants/mine is there already. To begin anew, move that folder elsewhere or delete it.")
    modules = blank.MODULES if base == BLANK else MODULES
    texts = {f"{module}.py": without_bodies(mine.reference(module), to_write(module)) for module in modules}
    texts |= {exercise.file: mine.begun(exercise) for exercise in mine.exercises() if exercise.kind != "write"}
    for file, text in texts.items():  # Only when all of them are known, so that nothing is made half.
        _write(mine.folder / file, text)
    says = f'"""A variant of your own, made from {base}; git leaves it alone."""\n\nMADE_FROM = "{base}"\n'
    _write(mine.folder / "__init__.py", says)  # Last: without it, what was made half is not taken for whole.
    return mine


def reset(mine: Mine, exercise: Exercise) -> Path:
    """Put what an exercise asks for back to its beginning, leave all else as it is, and return the file.

    Raises:
        MineError: The file is not Python, or not UTF-8, so that the functions in it cannot be found.

    """
    file = mine.folder / exercise.file
    begun = mine.begun(exercise)
    if exercise.kind != "write" or not file.is_file():
        _write(file, begun)
        return file
    try:
        text = _put_back(file.read_text(encoding="utf-8-sig"), begun, exercise.functions)
    except SyntaxError as error:
        message = f"{exercise.file}:{error.lineno} is not Python, so its functions cannot be found: {error.msg}."
        raise MineError(f"variants/mine/{message} Mend that line first.") from None
    except UnicodeDecodeError as error:
        raise MineError(f"variants/mine/{exercise.file} is not UTF-8: {error}. Save it as UTF-8 first.") from None
    _write(file, text)
    return file


def _put_back(text: str, begun: str, names: Sequence[str]) -> str:
    """Return a text with these functions as they were at the beginning; all of it where no function is left."""
    there, fresh = functions(ast.parse(text)), functions(ast.parse(begun))
    if not there:
        return begun
    lines = text.split("\n")
    spans = {name: _span(name, there, list(fresh)) for name in reversed(names)}
    for name, (start, end) in sorted(spans.items(), key=lambda item: item[1], reverse=True):  # From the end, wherever each is.
        first, last = lines_of(fresh[name])
        stub = begun.split("\n")[first - 1 : last]
        lines[start - 1 : end] = stub if name in there else ["", "", *stub]
    return "\n".join(lines)


def _span(name: str, there: Mapping[str, Function], order: Sequence[str]) -> tuple[int, int]:
    """Return the lines of a function; for one that is gone, the empty stretch behind the one it was behind, or behind all."""
    if name in there:
        return lines_of(there[name])
    before = [one for one in order[: order.index(name)] if one in there]
    end = max(lines_of(there[one])[1] for one in before[-1:] or there)
    return end + 1, end


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")

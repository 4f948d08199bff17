"""What a reader is shown, as plain text: for pipes, and for the parts of the screen."""

import ast
from collections.abc import Collection

from shared.workbook.exercise.check import Standing, Verdict
from shared.workbook.exercise.contents import objectives, predictions
from shared.workbook.exercise.exercises import Exercise
from shared.workbook.exercise.mine import NAME, Mine
from shared.workbook.exercise.predict import due, side_by_side
from shared.workbook.exercise.progress import Progress
from shared.workbook.exercise.stubs import functions

COMMAND = "nox -s exercise --"
VERBS = {"write": "Write", "repair": "Repair", "design": "Design"}


def heading(mine: Mine, exercise: Exercise) -> str:
    """Return which exercise it is."""
    every = mine.exercises()
    number = every.index(exercise) + 1
    return f"Exercise {number} of {len(every)}: {exercise.title} ({exercise.name}, chapter {exercise.chapter}, {exercise.kind})"


def nothing_left(progress: Progress) -> str:
    """Say that no exercise is left to be opened by itself."""
    skipped = ", ".join(progress.skipped)
    return f"Only what was skipped is left: {skipped}. To go there: {COMMAND} open NAME" if skipped else "Nothing is left."


def places(mine: Mine, exercise: Exercise) -> list[str]:
    """Return where to write: a path and a line to click for each function; of a module to repair, the file."""
    place = f"variants/{NAME}/{exercise.file}"
    if exercise.kind == "repair":
        return [f"{place}:1"]
    try:
        there = functions(ast.parse((mine.folder / exercise.file).read_text(encoding="utf-8-sig")))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return [f"{place}:1"]
    names = exercise.functions or tuple(there)
    return [f"{place}:{there[name].lineno} {name}" for name in names if name in there] or [f"{place}:1"]


def verdict(found: Verdict) -> str:
    """Return a verdict in words."""
    cause = f" ({found.cause})" if found.cause and found.standing == Standing.WRONG else ""
    took = f", {found.seconds:.1f} s" if found.seconds else ""
    words = f"{found.words[:1].upper()}{found.words[1:]}"
    said = "" if words.startswith(found.standing.capitalize()) else f"{found.standing.capitalize()}{cause}{took}.\n"
    return f"{said}{words}"


def progress_line(mine: Mine, progress: Progress) -> str:
    """Return how far the reader has come."""
    every = mine.exercises()
    done = sum(one.name in progress.solved for one in every)
    skipped = sum(one.name in progress.skipped for one in every)
    bar = "".join("#" if one.name in progress.solved else "-" if one.name in progress.skipped else "." for one in every)
    return f"[{bar}] {done} of {len(every)} solved, {skipped} skipped"


def overview(mine: Mine, progress: Progress) -> str:
    """Return all exercises by chapter, each with how it stands, then the predictions and what they came to."""
    lines, chapter = [], ""
    opened = progress.open(mine.exercises())
    for number, one in enumerate(mine.exercises(), start=1):
        lines += [f"\n{one.chapter}"] if one.chapter != chapter else []
        chapter = one.chapter
        lines.append(f"{'>' if one == opened else ' '} [{_mark(one, progress)}] {number:2} {one.name:<28} {one.title}")
    lines.append(f"\nTo go to one of them: {COMMAND} open NAME (or its number)")
    told = [f"{one.name}: {side_by_side(one, progress)}" for one in predictions() if one.name in progress.predicted]
    lines += ["\nPredictions", *told] if told else []
    return "\n".join(lines).strip("\n")


def _mark(exercise: Exercise, progress: Progress) -> str:
    return "x" if exercise.name in progress.solved else "-" if exercise.name in progress.skipped else " "


def goals(progress: Progress) -> str:
    """Return what a reader is to be able to do afterwards, and how much of what shows it is done."""
    lines = []
    for one in objectives():
        done = [name in progress.solved or progress.predicted.get(name) is not None for name in one.shown_by]
        names = ", ".join(f"{name} (done)" if ready else name for name, ready in zip(one.shown_by, done, strict=True))
        lines.append(f"[{'x' if all(done) else ' '}] {one.goal}: {sum(done)} of {len(done)}\n      {names}")
    return "\n".join(lines)


def page(mine: Mine, exercise: Exercise, progress: Progress, found: Verdict) -> str:
    """Return all there is to say of the present exercise, as plain text."""
    asked = due(mine, exercise.chapter, progress)
    questions = [f"Predict first: {one.question}\n  {COMMAND} predict {one.name} SECONDS" for one in asked]
    words = "\n\n".join(filter(None, [body(mine, exercise, questions, verdict(found)), predicted(exercise, progress)]))
    line = f"Progress: {progress_line(mine, progress)}"
    return "\n\n".join([heading(mine, exercise), words, line, f"Next: {following(mine, exercise, progress, found)}"])


def predicted(exercise: Exercise, progress: Progress, measuring: Collection[str] = ()) -> str:
    """Return what was predicted in the chapter of an exercise, and what it came to.

    Args:
        exercise: Which exercise.
        progress: How far the reader has come.
        measuring: The names of the predictions that are being measured.

    """
    made = [one for one in predictions() if one.chapter == exercise.chapter and one.name in progress.predicted]
    lines = [(one.question, side_by_side(one, progress, under_way=one.name in measuring)) for one in made]
    return "\n\n".join(f"Predicted: {question}\n  {line}" for question, line in lines)


def body(mine: Mine, exercise: Exercise, questions: list[str], said: str) -> str:
    """Return the goal, where to read and to write, what is to be predicted, and the verdict.

    Args:
        mine: The reader's own variant.
        exercise: Which exercise.
        questions: What is still to be predicted, in words.
        said: The verdict, in words, and what goes with it.

    """
    verb = f"{VERBS[exercise.kind]}:"
    where = "\n".join(f"{verb if not number else '':<7} {place}" for number, place in enumerate(places(mine, exercise)))
    places_in_words = f"{'Read:':<7} shared/lesson/text/{exercise.chapter}.md\n{where}"
    return "\n\n".join([f"Goal: {exercise.goal}", places_in_words, *questions, f"Verdict: {said}"])


def following(mine: Mine, exercise: Exercise, progress: Progress, found: Verdict) -> str:
    """Return what to do next, after a verdict."""
    if found.standing != Standing.SOLVED:
        return f"write, save, and ask again; `{COMMAND} hint` helps in three steps, `{COMMAND} skip` leaves it for later."
    opened = progress.open(mine.exercises())
    compare = f"`{COMMAND} solution {exercise.name}` shows the reference beside yours"
    if opened is None or opened == exercise:
        return f"{compare}. All others are solved or skipped: `{COMMAND} list`."
    return f"{heading(mine, opened)}, which is open now; {compare}."

"""What a reader can ask for in an exercise; each returns what to tell them, on the screen or as plain text."""

from collections.abc import Callable

from shared.workbook.exercise import mine as reader
from shared.workbook.exercise import predict, reference, show
from shared.workbook.exercise.contents import predictions
from shared.workbook.exercise.exercises import HINTS, Exercise
from shared.workbook.exercise.mine import BLANK, Mine, MineError
from shared.workbook.exercise.progress import Progress, save

NEW_LINE = "\n"


def hint(mine: Mine, progress: Progress, exercise: Exercise) -> str:
    """Return the hint of an exercise as far as it was asked for, one step more each time."""
    progress.hints[exercise.name] = min(progress.hints.get(exercise.name, 0) + 1, HINTS)
    save(mine, progress)
    steps = range(1, progress.hints[exercise.name] + 1)
    told = [(step, reference.hint(mine, exercise, step)) for step in steps]
    return "\n\n".join(f"Hint {step} of {HINTS}:{NEW_LINE if NEW_LINE in words else ' '}{words}" for step, words in told)


def solution(mine: Mine, _: Progress, exercise: Exercise) -> str:
    """Return the reference, and how the reader's version differs from it."""
    if mine.base == BLANK:
        return reference.hint(mine, exercise, HINTS)
    answer = reference.answer(mine, exercise)
    if differs := reference.difference(mine, exercise):
        return f"The reference:\n\n{answer}\n\nHow yours differs from it:\n\n{differs}"
    return f"The reference:\n\n{answer}\n\nYours is the same."


def reset(mine: Mine, progress: Progress, exercise: Exercise) -> str:
    """Put an exercise back to its beginning, and say where."""
    file = reader.reset(mine, exercise)
    progress.forget(exercise)
    save(mine, progress)
    place = file.relative_to(mine.root).as_posix()
    if exercise.kind != "write":
        return f"{place} is as at the beginning."
    return f"{place} is as at the beginning for {exercise.name}; the rest of it is as it was."


def skip(mine: Mine, progress: Progress, exercise: Exercise) -> str:
    """Leave an exercise for later, and say what comes now."""
    progress.skip(exercise)
    return go_on(mine, progress, exercise)


def go_on(mine: Mine, progress: Progress, exercise: Exercise) -> str:
    """Open the next exercise, and say which it is."""
    progress.go_on(exercise, mine.exercises())
    save(mine, progress)
    opened = progress.open(mine.exercises())
    return show.heading(mine, opened) if opened else show.nothing_left(progress)


def open_one(mine: Mine, progress: Progress, exercise: Exercise) -> str:
    """Open an exercise, and say which it is."""
    progress.present = exercise.name
    save(mine, progress)
    return show.heading(mine, exercise)


COMMANDS: dict[str, Callable[[Mine, Progress, Exercise], str]] = {
    "hint": hint,
    "solution": solution,
    "reset": reset,
    "skip": skip,
    "next": go_on,
    "open": open_one,
}
"""What is done with one exercise; each returns what to print."""


def guess(mine: Mine, progress: Progress, name: str, seconds: float | None) -> str:
    """Keep a prediction, measure it, and return both side by side.

    Args:
        mine: The reader's own variant.
        progress: Where it is kept.
        name: Which prediction.
        seconds: What is expected; None for no prediction.

    Raises:
        MineError: There is no reference to measure.
        ServerError: It could not be measured; the prediction is kept.

    """
    prediction = next(one for one in predictions() if one.name == name)
    if mine.base == BLANK:
        raise MineError("It is measured on the reference, and yours was made from nothing.")
    progress.predicted[name] = seconds
    save(mine, progress)
    progress.measured[name] = predict.measure(prediction, mine.base)
    save(mine, progress)
    return f"{prediction.question}\n{predict.side_by_side(prediction, progress)}"

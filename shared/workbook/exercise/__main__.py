"""The workbook to write in: `python -m shared.workbook.exercise`, or `nox -s exercise`.

`start NAME` makes variants/mine; without an argument a screen follows what is saved; `--once` says the same as plain text.
"""

import argparse
import io
import sys
from collections.abc import Callable, Sequence

from shared.workbook.exercise import mine as reader
from shared.workbook.exercise import predict, reference, show
from shared.workbook.exercise.check import Standing, check
from shared.workbook.exercise.contents import named, predictions
from shared.workbook.exercise.exercises import HINTS, Exercise
from shared.workbook.exercise.mine import BLANK, Mine, MineError
from shared.workbook.exercise.progress import Progress, load, save
from shared.workbook.exercise.runner import Runner
from shared.workbook.mistakes.fields import CatalogueError
from shared.workbook.source import SourceError, choose

ONE_OF_THEM = "an exercise, by its name or number (default: the present one)"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; end the process with a message when it cannot be understood."""
    description = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="nox -s exercise --", description=description)
    parser.add_argument("--once", action="store_true", help="judge the present exercise, and say all in plain text")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    start = commands.add_parser("start", help="make variants/mine from fastapi, starlette, aiohttp or anyio; or blank")
    start.add_argument("base")
    for name, about in {
        "list": "all exercises, and the predictions",
        "objectives": "what you can do afterwards, and which exercises show it",
        "next": "open the next exercise",
        "skip": "leave the present exercise for later",
    }.items():
        commands.add_parser(name, help=about)
    for name, about in {
        "open": "open an exercise",
        "hint": "the next of three steps of its hint",
        "solution": "the reference, and how yours differs",
        "reset": "put what it asks for back to its beginning",
    }.items():
        commands.add_parser(name, help=about).add_argument("exercise", nargs="?", default="", help=ONE_OF_THEM)
    guess = commands.add_parser("predict", help="say what you expect, in seconds, and have it measured")
    guess.add_argument("prediction", choices=[one.name for one in predictions()], metavar="NAME")
    guess.add_argument("seconds", type=float)
    return parser.parse_args(arguments)


def once(mine: Mine, progress: Progress) -> int:
    """Judge the present exercise, and print all there is to say; return 0 when it is solved or nothing is left, 1 otherwise."""
    exercise = progress.open(mine.exercises())
    if exercise is None:
        print(f"Nothing is left.\n\n{show.overview(mine, progress)}")
        return 0
    with Runner() as runner:
        found = check(mine, exercise, runner)
    if found.standing == Standing.SOLVED:
        progress.solve(exercise)
        progress.go_on(exercise, mine.exercises())
        save(mine, progress)
    print(show.page(mine, exercise, progress, found))
    return 0 if found.standing == Standing.SOLVED else 1


def _chosen(asked: argparse.Namespace, mine: Mine, progress: Progress) -> Exercise:
    exercise = named(asked.exercise) if getattr(asked, "exercise", "") else progress.open(mine.exercises())
    if exercise is None:
        raise MineError("Nothing is left; name an exercise: `list` shows them.")
    if exercise not in mine.exercises():
        raise MineError(f"{exercise.name} needs a reference, and yours was made from nothing.")
    return exercise


def hint(mine: Mine, progress: Progress, exercise: Exercise) -> str:
    """Return the hint of an exercise as far as it was asked for, one step more each time."""
    progress.hints[exercise.name] = min(progress.hints.get(exercise.name, 0) + 1, HINTS)
    save(mine, progress)
    steps = range(1, progress.hints[exercise.name] + 1)
    return "\n\n".join(f"Hint {step} of {HINTS}: {reference.hint(mine, exercise, step)}" for step in steps)


def solution(mine: Mine, _: Progress, exercise: Exercise) -> str:
    """Return the reference, and how the reader's version differs from it."""
    differs = reference.difference(mine, exercise) or "Yours is the same."
    return f"{reference.answer(mine, exercise)}\n\n{differs}"


def reset(mine: Mine, progress: Progress, exercise: Exercise) -> str:
    """Put an exercise back to its beginning, and say where."""
    file = reader.reset(mine, exercise)
    progress.forget(exercise)
    save(mine, progress)
    return f"{file.relative_to(mine.root).as_posix()} is as at the beginning for {exercise.name}; the rest of it is as it was."


def skip(mine: Mine, progress: Progress, exercise: Exercise) -> str:
    """Leave an exercise for later, and say what comes now."""
    progress.skip(exercise)
    return go_on(mine, progress, exercise)


def go_on(mine: Mine, progress: Progress, exercise: Exercise) -> str:
    """Open the next exercise, and say which it is."""
    progress.go_on(exercise, mine.exercises())
    save(mine, progress)
    opened = progress.open(mine.exercises())
    return show.heading(mine, opened) if opened else "Nothing is left."


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


def guess(mine: Mine, progress: Progress, name: str, seconds: float) -> str:
    """Keep a prediction, measure it, and return both side by side."""
    prediction = next(one for one in predictions() if one.name == name)
    if mine.base == BLANK:
        raise MineError("It is measured on the reference, and yours was made from nothing.")
    progress.predicted[name] = seconds
    progress.measured[name] = round(predict.measure(prediction, mine.base), 2)
    save(mine, progress)
    return f"{prediction.question}\n{predict.side_by_side(prediction, progress)}"


def start(base: str) -> str:
    """Make the reader's variant, and say what comes now."""
    mine = reader.start(BLANK if base == BLANK else choose([base])[0])
    first = mine.exercises()[0]
    made = f"variants/mine is made from {mine.base}; git leaves it alone. What an exercise asks for is taken out of it or broken,"
    return f"{made}\nand says so: that is no broken installation.\n\n{show.heading(mine, first)}\nNext: nox -s exercise"


def run(asked: argparse.Namespace) -> int:
    """Do what the command line asks for, and return the exit code."""
    if asked.command == "start":
        print(start(asked.base))
        return 0
    mine = reader.find()
    progress = load(mine)
    if asked.command in {"list", "objectives"}:
        print(show.overview(mine, progress) if asked.command == "list" else show.goals(progress))
    elif asked.command == "predict":
        print(guess(mine, progress, asked.prediction, asked.seconds))
    elif asked.command:
        print(COMMANDS[asked.command](mine, progress, _chosen(asked, mine, progress)))
    else:
        return once(mine, progress)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; return the exit code: 1 when an exercise is not solved, 2 when it cannot be done."""
    asked = parse(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # A pipe on Windows does not know every character.
    try:
        return run(asked)
    except (MineError, CatalogueError, SourceError) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())

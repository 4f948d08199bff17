"""The workbook to write in: `python -m shared.workbook.exercise`, or `nox -s exercise`.

`start NAME` makes variants/mine; without an argument a screen follows what is saved; `--once` says the same as plain text.
"""

import argparse
import io
import math
import os
import subprocess
import sys
from collections.abc import Sequence

from rich.console import Console

from shared.lab.server import ServerError
from shared.lab.variants import ROOT
from shared.workbook.exercise import mine as reader
from shared.workbook.exercise import paint, show
from shared.workbook.exercise.check import Standing, check
from shared.workbook.exercise.commands import COMMANDS, guess
from shared.workbook.exercise.contents import named, predictions
from shared.workbook.exercise.exercises import Exercise
from shared.workbook.exercise.mine import BLANK, Mine, MineError
from shared.workbook.exercise.progress import Progress, load, save
from shared.workbook.exercise.runner import Runner
from shared.workbook.exercise.screen import Screen
from shared.workbook.exercise.sitting import Sitting
from shared.workbook.mistakes.fields import CatalogueError
from shared.workbook.source import variants

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
        "suite": "run the whole shared suite over what you have written",
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
    guess.add_argument("seconds", type=seconds)
    return parser.parse_args(arguments)


def seconds(text: str) -> float:
    """Return how many seconds a text says; no less than none, and an end."""
    if not 0 <= (said := float(text)) < math.inf:
        raise ValueError
    return said


def once(mine: Mine, progress: Progress) -> int:
    """Judge the present exercise, and print all there is to say; return 0 when it is solved or nothing is left, 1 otherwise."""
    exercise = progress.open(mine.exercises())
    if exercise is None:
        say(f"{show.nothing_left(progress)}\n\n{show.overview(mine, progress)}")
        return 0
    with Runner() as runner:
        found = check(mine, exercise, runner)
    if found.standing == Standing.SOLVED:
        progress.solve(exercise)
        progress.go_on(exercise, mine.exercises())
        save(mine, progress)
    say(show.page(mine, exercise, progress, found))
    return 0 if found.standing == Standing.SOLVED else 1


def on_screen(mine: Mine, progress: Progress) -> None:
    """Show the exercises on a screen until the reader has enough."""
    with Runner() as runner:
        Screen(Sitting(mine, progress), runner).run(mouse=False)  # So that the terminal's own way of opening a path works.


def _chosen(asked: argparse.Namespace, mine: Mine, progress: Progress) -> Exercise:
    exercise = named(asked.exercise, mine.exercises()) if getattr(asked, "exercise", "") else progress.open(mine.exercises())
    if exercise is None:
        raise MineError("Nothing is left; name an exercise: `list` shows them.")
    if exercise not in mine.exercises():
        raise MineError(f"{exercise.name} needs a reference, and yours was made from nothing.")
    return exercise


def say(text: str) -> None:
    """Print a text: in a terminal with colours, and lines that end between words; for a pipe as it is."""
    if sys.stdout.isatty():
        console = Console(highlight=False)
        console.print(paint.coloured(text, console.width))
    else:
        print(text)


def stack(base: str) -> str:
    """Return the full name of a stack that is named, in full or by how it begins.

    Raises:
        MineError: There is none that can be begun from, or more than one.

    """
    stacks = [name for name in variants() if name != reader.NAME]
    fitting = [name for name in stacks if base and name.startswith(base)]
    if len(fitting) != 1:
        raise MineError(f"{base or 'Nothing'} is none of them: name one of {', '.join(stacks)}, or how it begins; or {BLANK}.")
    return fitting[0]


def start(base: str) -> str:
    """Make the reader's variant, and say what comes now."""
    mine = reader.start(BLANK if base == BLANK else stack(base))
    first = mine.exercises()[0]
    made = (
        f"variants/mine is made from {mine.base}; git leaves it alone. What an exercise asks for is taken out of it, or broken, "
    )
    return f"{made}and says so: that is no broken installation.\n\n{show.heading(mine, first)}\nNext: nox -s exercise"


def run(asked: argparse.Namespace) -> int:
    """Do what the command line asks for, and return the exit code."""
    if asked.command == "start":
        say(start(asked.base))
        return 0
    mine = reader.find()
    progress = load(mine)
    if asked.command in {"list", "objectives"}:
        say(show.overview(mine, progress) if asked.command == "list" else show.goals(progress))
    elif asked.command == "predict":
        say(guess(mine, progress, asked.prediction, asked.seconds))
    elif asked.command == "suite":
        command = [sys.executable, "-m", "pytest", "-q", "--variant", reader.NAME]
        return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603 - our own command
    elif asked.command:
        say(COMMANDS[asked.command](mine, progress, _chosen(asked, mine, progress)))
    elif asked.once or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return once(mine, progress)
    else:
        on_screen(mine, progress)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for, and return the exit code.

    It is 1 when an exercise is not solved, 2 when what is asked for cannot be done, and 130 after Ctrl-C.
    """
    asked = parse(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # A pipe on Windows does not know every character.
    try:
        code = run(asked)
        sys.stdout.flush()
    except (MineError, CatalogueError, ServerError) as error:
        Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty()).print(str(error), markup=False)
        return 2
    except KeyboardInterrupt:
        print("Broken off; what was kept before stays.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # Whoever read this has enough, as `head` has. What is still to be written goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


if __name__ == "__main__":
    sys.exit(main())

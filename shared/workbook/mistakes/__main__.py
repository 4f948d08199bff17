"""Plants every mistake of the catalogue, and proves that the suite catches it: `python -m shared.workbook.mistakes`.

It also runs the whole suite over the variants as they are, beside busy processes, where every failure is a false alarm. What is
known from an earlier run, and still holds, is not run again.
"""

import argparse
import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console

from shared.lab.variants import ROOT
from shared.lab.variants import named as named_variant
from shared.workbook.mistakes import show
from shared.workbook.mistakes.busy import busy_processes
from shared.workbook.mistakes.catalogue import Mistake, load, named
from shared.workbook.mistakes.fields import CatalogueError
from shared.workbook.mistakes.items import Round, all_planted, for_each_cause, for_each_mistake, for_each_test
from shared.workbook.mistakes.kept import FILE, Kept, Keys, Result
from shared.workbook.mistakes.pauses import pauses
from shared.workbook.mistakes.plant import PlantError, planted_text
from shared.workbook.mistakes.runs import ALONE, Item, run_all
from shared.workbook.source import SourceError, choose
from shared.workbook.suite import BEGUN_AT_ONCE

ROUNDS = 5
PIPED_WIDTH = 160


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; end the process with a message when it cannot be understood."""
    description = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m shared.workbook.mistakes", description=description)
    parser.add_argument("--list", action="store_true", help="print the catalogue")
    parser.add_argument("--show", nargs="+", metavar=("NAME", "VARIANT"), help="print what a mistake changes")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--quick", action="store_true", help="one mistake of each cause, and no rounds")
    which.add_argument("--each-test", action="store_true", help="so many more that each test which has to catch some has one")
    which.add_argument("--all", action="store_true", help="each mistake in every variant that can make it, and not in one alone")
    parser.add_argument(
        "--rounds",
        type=_count,
        help=f"times the suite runs over each right variant (default {ROUNDS}; with --only, --quick or --each-test 0)",
    )
    parser.add_argument("--only", nargs="+", action="extend", default=[], metavar="NAME", help="only these mistakes")
    parser.add_argument("--variant", nargs="+", action="extend", default=[], metavar="NAME", help="only these variants")
    parser.add_argument("--busy", type=_count, default=2, help="busy processes beside the rounds (default 2)")
    parser.add_argument("--pauses", action="store_true", help="halt all processes of the rounds for a moment, now and then")
    parser.add_argument(
        "--jobs",
        type=_at_least_one,
        default=6 * (os.cpu_count() or 1),
        help="runs side by side of those that wait long, and a quarter as many of the others (default: 6 a processor)",
    )
    parser.add_argument("--fresh", action="store_true", help="run again what is known from before")
    return parser.parse_args(arguments)


def wanted(asked: argparse.Namespace, mistakes: Sequence[Mistake]) -> tuple[list[Item], list[Item]]:
    """Return the planted mistakes and the rounds that the command line asks for."""
    variants = choose(asked.variant)
    planted = all_planted(mistakes, asked.only, variants)
    count = asked.rounds if asked.rounds is not None else 0 if asked.only or asked.quick or asked.each_test else ROUNDS
    loops = [loop for variant in variants for loop in named_variant(variant)]
    rounds = [Round(loop, number, asked.busy, asked.pauses) for number in range(1, count + 1) for loop in loops]
    for one in planted:
        planted_text(one.mistake, one.variant)  # What does not fit the code any more is said before anything runs.
    if asked.quick:
        planted = for_each_cause(planted)
    elif asked.each_test:
        planted = for_each_test(planted)
    elif not (asked.all or asked.only or asked.variant):
        planted = for_each_mistake(planted)
    return [*planted], [*rounds]


def run(planted: Sequence[Item], rounds: Sequence[Item], asked: argparse.Namespace, console: Console, file: Path = FILE) -> int:
    """Run what is not known, show how it ended, and return the exit code: 0 when all is as wanted."""
    # Ended by either signal it leaves no process; a shell lets what runs in its background ignore the first.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    keys, kept = Keys(), Kept(file)
    results: dict[str, Result] = {}
    if not asked.fresh:
        found = [kept.get(item.key(keys)) for item in (*planted, *rounds)]
        results = {result.item: result for result in found if result}
    with show.progress(len(planted) + len(rounds), len(results), console) as tell:

        def done(item: Item, result: Result) -> None:
            results[item.name] = result
            if result.outcome not in ALONE:  # Those are findings about this machine, and do not hold for the next run.
                kept.add(result)
            tell(result)

        asyncio.run(run_all([item for item in planted if item.name not in results], asked.jobs, keys, done))
        unknown = [item for item in rounds if item.name not in results]
        with busy_processes(asked.busy if unknown else 0), pauses() if asked.pauses and unknown else nullcontext():
            # As many as `nox -s variant` runs side by side beside processes that leave no room for more.
            asyncio.run(run_all(unknown, min(asked.jobs, BEGUN_AT_ONCE), keys, done))
    ended = [[results[item.name] for item in items] for items in (planted, rounds)]
    return 0 if show.show_end(ended[0], ended[1], console) else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; return the exit code: 1 when not all is as wanted, 2 when it cannot be done."""
    asked = parse(arguments)
    console = Console() if sys.stdout.isatty() else Console(width=shutil.get_terminal_size((PIPED_WIDTH, 24)).columns)
    try:
        mistakes = load(root=ROOT)
        if asked.list:
            show.show_catalogue(mistakes, console)
        elif asked.show:
            mistake = named(asked.show[0], mistakes)
            show.show_mistake(mistake, choose(asked.show[1:]) if asked.show[1:] else mistake.variants, console)
        else:
            return run(*wanted(asked, mistakes), asked, console)
    except (CatalogueError, PlantError, SourceError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Broken off; what has ended is kept, and the next run goes on from there.", file=sys.stderr)
        return 130
    return 0


def _at_least_one(text: str) -> int:
    if (count := int(text)) < 1:
        raise ValueError
    return count


def _count(text: str) -> int:
    if (count := int(text)) < 0:
        raise ValueError
    return count


if __name__ == "__main__":
    sys.exit(main())

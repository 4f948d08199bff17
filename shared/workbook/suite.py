"""Run the shared suite over several variants side by side, each in its own environment; then print the table.

`nox -s variant` calls it, as `python -m shared.workbook.suite [OPTION] NAME=PYTHON ... -- ARGUMENTS FOR PYTEST`. With `--stacks`
it runs the tests of the variants' stacks without our code, and nothing else; with `--compare` both, and makes the comparison.
The tests mostly wait, so variants beside each other take little longer than one alone, as long as the processors keep up.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from shared.lab.variants import ROOT, named
from shared.workbook import table
from shared.workbook.compare.__main__ import main as compare
from shared.workbook.results import STACKS, read

LOOK_SECONDS = 0.5

BEGUN_AT_ONCE = (os.cpu_count() or 1) + 1
"""Runs that begin together. Five on two slow cores took longer than three and then two, and each noticed more of the others."""

ROOM, ROOM_SECONDS = 25.0, 5.0
"""Percent of all processors' time that has to be free for one more run, and over how many seconds that is measured."""

STACKS_ALONE, COMPARE = "--stacks", "--compare"
TESTS = {STACKS_ALONE: [f"tests/{STACKS}"], COMPARE: ["tests", f"tests/{STACKS}"]}
"""Which tests an option chooses; without one they are all those of the variants."""


@dataclass(frozen=True, slots=True)
class Job:
    """The suite over one variant on one event loop.

    Attributes:
        label: The variant, and the loop unless it is its usual one.
        command: What runs the suite.
        report: The file that the suite reports to: first how many tests there are, then each when it has ended.

    """

    label: str
    command: Sequence[str]
    report: Path

    def run(self, *, alone: bool) -> subprocess.CompletedProcess[str]:
        """Run it to its end; its output goes to the terminal when it runs alone, and is kept when it runs beside others."""
        output = None if alone else subprocess.PIPE
        color = {"FORCE_COLOR": "1"} if sys.stdout.isatty() else {}
        return subprocess.run(  # noqa: S603 - our own command
            self.command,
            cwd=ROOT,
            stdout=output,
            stderr=output and subprocess.STDOUT,
            env={**os.environ, **color, "PYTHONIOENCODING": "utf-8"},
            encoding="utf-8",
            errors="replace",
            check=False,
        )

    def progress(self) -> tuple[int, int | None]:
        """Return how many tests have ended, and how many there are; None before that is known."""
        lines = self.report.read_text(encoding="utf-8").splitlines() if self.report.is_file() else []
        return max(0, len(lines) - 1), json.loads(lines[0])["collected"] if lines[1:] else None


class Room:
    """Says whether one more run has room beside those there are: where processors are busy, each would only take longer."""

    def __init__(self) -> None:
        self._looked = time.monotonic()
        psutil.cpu_percent()  # Each call tells of the time since the one before.

    def for_one_more_than(self, running: int) -> bool:
        """Say so; beyond the first few not more often than every `ROOM_SECONDS`."""
        if running < BEGUN_AT_ONCE:
            return True
        if time.monotonic() - self._looked < ROOM_SECONDS:
            return False
        self._looked = time.monotonic()
        return psutil.cpu_percent() <= 100 - ROOM


def jobs(variants: Sequence[str], arguments: Sequence[str], folder: Path) -> Iterator[Job]:
    """Yield a job for each event loop of each variant.

    Args:
        variants: Each as `NAME=PYTHON`: the variant, and the interpreter of its environment.
        arguments: What pytest gets beside them.
        folder: Where their reports go.

    """
    for variant in variants:
        name, _, python = variant.partition("=")
        for loop in named(name):
            report = folder / f"{loop.label}.jsonl"
            chosen = ["--variant", name, "--loop", loop.loop]
            yield Job(loop.label, [python, "-m", "pytest", "-q", *chosen, "--report", str(report), *arguments], report)


def run_all(todo: Sequence[Job], console: Console) -> list[str]:
    """Run all jobs, side by side as far as there is room for them, and return what has failed.

    It shows how far each has come, and prints the output of each when it ends.
    """
    failed = []
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    alone, waiting, room = len(todo) == 1, deque(todo), Room()
    running: dict[Future[subprocess.CompletedProcess[str]], Job] = {}
    with ThreadPoolExecutor(len(todo)) as executor, Progress(*columns, console=console, transient=True, disable=alone) as shown:
        bars = {job.label: shown.add_task(job.label, total=None, start=False) for job in todo}
        while waiting or running:
            while waiting and room.for_one_more_than(len(running)):
                job = waiting.popleft()
                shown.start_task(bars[job.label])
                running[executor.submit(job.run, alone=alone)] = job
            ended, _ = wait(running, LOOK_SECONDS, FIRST_COMPLETED)
            for job in running.values():
                done, count = job.progress()
                shown.update(bars[job.label], completed=done, total=count)
            for future in ended:
                label, result = running.pop(future).label, future.result()
                console.rule(f"{label}: {'passed' if result.returncode == 0 else 'FAILED'}")
                console.print(Text.from_ansi(result.stdout or ""), soft_wrap=True)
                failed += [label] if result.returncode else []
    return failed


def main(arguments: Sequence[str]) -> int:
    """Run all jobs, then print the table, or make the comparison, or neither for stacks alone; return 1 when one has failed."""
    split = arguments.index("--") if "--" in arguments else len(arguments)
    options = [argument for argument in arguments[:split] if argument in TESTS]
    variants = [argument for argument in arguments[:split] if argument not in TESTS]
    tests = [test for option in options for test in TESTS[option]]
    console = Console()
    with tempfile.TemporaryDirectory(prefix="suite-", ignore_cleanup_errors=True) as folder:
        todo = list(jobs(variants, [*tests, *arguments[split + 1 :]], Path(folder)))
        what = "The stacks without our code" if STACKS_ALONE in options else "The shared suite"
        console.print(f"{what}, side by side: {', '.join(job.label for job in todo)}")
        failed = run_all(todo, console)
    if STACKS_ALONE not in options and read():  # Where nothing could begin there is nothing to show, and its output says why.
        if COMPARE in options:
            compare([])
        else:
            table.main()
    if failed:
        console.print(f"Failed: {', '.join(failed)}", style="bold red")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Runs the suite in processes of their own, several side by side, and leaves none of them behind."""

import asyncio
import contextlib
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from shared.lab.variants import ROOT
from shared.workbook.mistakes.items import Planted, Round, arguments
from shared.workbook.mistakes.judge import Judgement, Outcome, read_reports
from shared.workbook.mistakes.kept import Keys, Result

Item = Planted | Round

ENVIRONMENT = {"PYTHONIOENCODING": "utf-8", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # The plugins take a third of pytest's start.
TOGETHER = 6
"""Planted mistakes that one pytest runs, at the most: its start, and that of the services, costs as much as one of them."""

PARTS = 3
"""Parts for each of the places side by side: with fewer, some places would be empty while the last parts are waited for."""

WAITS_TOGETHER = 100.0
"""For about how many seconds those that mostly wait do so in one pytest."""

ALONE = {Outcome.TOO_LONG, Outcome.NOT_RUN}
"""Outcomes that one of several may have brought upon the others, so that each of them runs again, alone."""

TESTS_FAILED = 1  # pytest's exit code when it ran and something failed; 0 when nothing did


async def run_all(
    items: Sequence[Item], side_by_side: int, keys: Keys, done: Callable[[Item, Result], None], root: Path = ROOT
) -> None:
    """Run items, so many at once, and hand over each result as it comes; when this is cancelled, all their processes end.

    Those that wait long have places of their own; a quarter as many of the others keep the processors busy beside them.

    Args:
        items: What to run.
        side_by_side: How many at once of those that take long, and of rounds.
        keys: Makes the keys of the results.
        done: Called with each item and its result.
        root: The project whose suite runs.

    """

    async def run_part(part: Sequence[Item]) -> None:
        began = time.monotonic()
        judgements = await run(part, root)
        seconds = round((time.monotonic() - began) / len(part), 2)
        for item, judgement in zip(part, judgements, strict=True):
            if len(part) > 1 and judgement.outcome in ALONE:
                await run_part([item])
            else:
                done(item, Result(item.key(keys), item.name, judgement.outcome, judgement.message, seconds))

    async def work_through(*queues: list[list[Item]]) -> None:
        for parts in queues:
            while parts:
                await run_part(parts.pop(0))

    rounds = [item for item in items if isinstance(item, Round)]
    planted = [item for item in items if isinstance(item, Planted)]
    few = math.ceil(side_by_side / 4)
    long = balanced({item: waits for item in planted if (waits := item.waits(root))}, side_by_side)
    short = _in_parts([item for item in planted if not item.waits(root)], TOGETHER, PARTS * few)
    alone = _in_parts(rounds, 1, side_by_side)
    async with asyncio.TaskGroup() as group:
        for place in range(side_by_side):
            group.create_task(work_through(long, short) if place < few else work_through(long))
            group.create_task(work_through(alone))
        for _ in range(few):
            group.create_task(work_through(short, long))


def balanced(waits: Mapping[Item, float], least: int) -> list[list[Item]]:
    """Divide items that wait so long into parts for one pytest each, and into no fewer parts than there are places.

    They take about as long as each other, the longest first: begun last, it would go on alone when all else has ended.
    """
    parts: list[list[Item]] = [[] for _ in range(min(len(waits), max(math.ceil(sum(waits.values()) / WAITS_TOGETHER), least)))]

    def taken(part: Sequence[Item]) -> float:
        return sum(waits[item] for item in part)

    for item in sorted(waits, key=waits.__getitem__, reverse=True):
        min(parts, key=taken).append(item)
    return sorted(parts, key=taken, reverse=True)


def _in_parts(items: Sequence[Item], together: int, least: int) -> list[list[Item]]:
    """Divide items into parts of no more than so many for one pytest each, and into no fewer parts than there are places."""
    return _dealt(items, max(math.ceil(len(items) / together), least))


def _dealt(items: Sequence[Item], parts: int) -> list[list[Item]]:
    """Divide items into parts for one pytest each. They are dealt out like cards: those that follow each other are alike."""
    return [[*items[number::parts]] for number in range(min(parts, len(items)))]


async def run(items: Sequence[Item], root: Path = ROOT) -> list[Judgement]:
    """Run the suite over items in one pytest, in a folder that is gone afterwards, and judge each of them."""
    with tempfile.TemporaryDirectory(prefix="mistakes-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        report, printed = folder / "report.jsonl", folder / "printed.txt"
        seconds = sum(item.seconds for item in items)
        try:
            async with asyncio.timeout(seconds):
                code = await _run_pytest([*arguments(items, folder, root), "--report", str(report)], folder, printed, root)
        except TimeoutError:
            return [Judgement(Outcome.TOO_LONG, f"The suite had not ended after {seconds:g} s.")] * len(items)
        if code not in {0, TESTS_FAILED}:
            text = printed.read_text(encoding="utf-8", errors="replace")
            return [Judgement(Outcome.NOT_RUN, f"pytest ended with the code {code}:\n{text[-2000:]}")] * len(items)
        reports = read_reports(report)
        return [item.judge([report for report in reports if report.is_about(item.label)]) for item in items]


async def _run_pytest(arguments: list[str], folder: Path, printed: Path, root: Path) -> int:
    """Return pytest's exit code; on the way out, end it and all that it has started."""
    # What the suite itself puts aside goes into the same folder, so that it is gone even when the suite is killed.
    own = dict.fromkeys(("TMPDIR", "TEMP", "TMP", "WORKBOOK_RESULTS"), str(folder))
    environment = {**os.environ, **own, **ENVIRONMENT}
    with printed.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments),
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A Ctrl-C is for the runner alone, which then ends them in good order.
            start_new_session=sys.platform != "win32",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # Only Windows has the name.
        )
        try:
            return await process.wait()
        finally:
            if process.returncode is None:
                kill_tree(process.pid)
                await process.wait()


def kill_tree(pid: int) -> None:
    """Kill a process and all that descend from it, wherever they have moved to."""
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        parent.suspend()  # So that it starts no more while the others are counted.
        family = [*parent.children(recursive=True), parent]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family[:-1], timeout=1)

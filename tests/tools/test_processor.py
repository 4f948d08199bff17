"""How long a process has waited for a processor is told where the system tells it, and what comes of that."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from shared.lab import family
from shared.lab.experiment import Ask, run
from shared.lab.family import MOST, PAUSE, outlived
from shared.lab.processor import waited
from shared.lab.server import serving
from shared.lab.variants import named

TOLD = Path("/proc/self/schedstat").exists()
ONE_PROCESSOR = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
BUSY = f"{ONE_PROCESSOR}\nwhile True: pass"
ASLEEP = "import time; time.sleep(60)"
PATIENCE = 20.0
"""Seconds in which two that share a processor have waited for each other, on a machine however busy."""

GIVEN = 2.0
"""Seconds that a process is given to end, of a clock that costs none."""


@contextmanager
def running(program: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the end of the block."""
    with subprocess.Popen([sys.executable, "-c", program]) as process:  # noqa: S603 - our own
        try:
            yield process
        finally:
            process.kill()


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something to be so."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def sleeps(process: subprocess.Popen[bytes]) -> bool:
    """Return whether a program sleeps, and has for two looks."""
    before = waited(process.pid)
    time.sleep(0.2)
    return before > 0 and psutil.Process(process.pid).status() == psutil.STATUS_SLEEPING and waited(process.pid) == before


@pytest.mark.skipif(not TOLD, reason="this system does not tell")
def test_who_shares_a_processor_waits_for_it() -> None:
    """Of two that could both run all the while, each waits for as long as the other runs; one that sleeps does not wait."""
    with running(BUSY) as one, running(BUSY) as other, running(ASLEEP) as asleep:
        until(lambda: sleeps(asleep), "it did not sleep")
        before = waited(asleep.pid)
        until(lambda: min(waited(one.pid), waited(other.pid)) >= 0.2, "neither was seen to wait")
        assert waited(asleep.pid) == before


def test_who_is_not_there_does_not_wait() -> None:
    """Of a process that has ended nothing is known."""
    with running("") as process:
        process.wait()
    assert waited(process.pid) == 0.0


@pytest.mark.skipif(not TOLD, reason="this system does not tell")
def test_an_experiment_says_that_its_server_waited() -> None:
    """Where another has the one processor that a server may run on, it has waited for it in the end."""
    assert sys.platform == "linux"  # Elsewhere no process can be told where to run.
    with serving(named("fastapi_asyncio")[0]) as server, running(BUSY):
        os.sched_setaffinity(server.process.pid, {min(os.sched_getaffinity(0))})
        before = waited(server.process.pid)
        until(lambda: run(server, [Ask("/ping")] * 50).starved >= 0.02, "no experiment was seen to wait")
        until(lambda: waited(server.process.pid) - before >= 0.01, "the server itself was not seen to wait")


class Clock:
    """A clock that goes on only while somebody sleeps by it."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        """Return its time, in seconds."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let it go on."""
        self._now += seconds


@pytest.mark.parametrize(
    ("starves", "expected"),
    [(0.0, GIVEN), (2 * GIVEN, 3 * GIVEN), (100.0, (1 + MOST) * GIVEN)],
    ids=["never", "for a while", "all the while"],
)
def test_who_waits_for_a_processor_has_longer_to_end(monkeypatch: pytest.MonkeyPatch, starves: float, expected: float) -> None:
    """One that does not end is killed when its time is over, in which it does not count that it waited; but not for ever."""
    clock = Clock()
    monkeypatch.setattr(family, "time", clock)
    monkeypatch.setattr(family, "waited", lambda _: min(clock.monotonic(), starves))
    with running(ASLEEP) as asleep:
        assert outlived([psutil.Process(asleep.pid)], GIVEN)
    assert expected <= clock.monotonic() <= expected + 3 * PAUSE

"""How long a process has waited for a processor is told where the system tells it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from shared.lab.experiment import Ask, run
from shared.lab.family import outlived
from shared.lab.processor import waited
from shared.lab.server import serving
from shared.lab.variants import named

TOLD = sys.platform == "linux"
ONE_PROCESSOR = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
BUSY = f"{ONE_PROCESSOR}\nwhile True: pass"
WORKING = f"{ONE_PROCESSOR}\nimport time\nwhile time.process_time() < 0.5: pass"
ASLEEP = "import time; print(flush=True); time.sleep(60)"
PATIENCE = 20.0
"""Seconds in which two that share a processor have waited for each other, on a machine however busy."""


@contextmanager
def running(program: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the end of the block."""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:  # noqa: S603 - our own
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.skipif(not TOLD, reason="only Linux tells")
def test_who_shares_a_processor_waits_for_it() -> None:
    """Of two that could both run all the while, each waits for as long as the other runs; one that sleeps does not wait."""
    with running(BUSY) as one, running(BUSY) as other, running(ASLEEP) as asleep:
        assert asleep.stdout
        asleep.stdout.readline()  # From now on it sleeps, and nothing wakes it.
        time.sleep(0.1)
        before, deadline = waited(asleep.pid), time.monotonic() + PATIENCE
        while min(waited(one.pid), waited(other.pid)) < 0.2:
            assert time.monotonic() < deadline, "neither was seen to wait"
            time.sleep(0.05)
        assert waited(asleep.pid) == before


def test_who_is_not_there_does_not_wait() -> None:
    """Of a process that has ended nothing is known, nor where the system does not tell."""
    with running("") as process:
        process.wait()
    assert waited(process.pid) == 0.0
    if not TOLD:
        assert waited(os.getpid()) == 0.0


@pytest.mark.skipif(not TOLD, reason="only Linux tells")
def test_an_experiment_says_that_its_server_waited() -> None:
    """Where another has the one processor that a server may run on, it has waited for it in the end."""
    with serving(named("fastapi_asyncio")[0]) as server, running(BUSY):
        os.sched_setaffinity(server.process.pid, {min(os.sched_getaffinity(0))})
        deadline = time.monotonic() + PATIENCE
        while run(server, [Ask("/ping")] * 50).starved < 0.02:
            assert time.monotonic() < deadline, "it was not seen to wait"


@pytest.mark.skipif(not TOLD, reason="only Linux tells")
def test_who_waits_for_a_processor_has_longer_to_end() -> None:
    """A process that has half a second of work before it ends is given less than twice as long, and more where it has to wait."""
    with running(BUSY), running(WORKING) as working, running(ASLEEP) as asleep:
        assert not outlived([psutil.Process(working.pid)], 0.8)
        began = time.monotonic()
        assert outlived([psutil.Process(asleep.pid)], 0.8)
        assert 0.8 <= time.monotonic() - began < 2.0

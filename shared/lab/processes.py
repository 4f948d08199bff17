"""Which processes compute: a server's own, or some that it has started, as the operating system sees them."""

import math
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import psutil

from shared.lab.experiment import Ask, Observation, run
from shared.lab.server import Server
from shared.lab.tries import first_good
from shared.lesson.contract import WORKERS
from shared.lesson.limits import MAX_N, MAX_SECONDS
from shared.lesson.primes import count_primes

PAUSE = 0.03
"""Seconds between two looks; each takes the system some milliseconds."""

QUIET = 0.1
"""Seconds in which no worker may compute, to be taken for idle."""

SETTLE_SECONDS = 20.0
"""How long to wait until no worker computes any more."""

AT_WORK = 0.05
"""Seconds for which a worker has kept a processor busy that is seen to be at work."""

WORKS = (0.3, 1.0, 3.0)
"""Seconds of work in the middle of which a worker is to be killed, for each try: a busy machine may be late to see it at work."""

SAMPLE, SAMPLES = 20_000, 8
"""Below which number primes are counted to learn how quick this machine is, about 0.014 seconds of work; and how often.

The shorter it is, the likelier is one that nothing disturbed. Nothing may depend on how good it is, only what a test costs.
"""

GROWTH = 1.3
"""The work grows with this power of the number, as was measured: ten times as far takes 20 times as long."""

QUICK = Ask(f"/cpu?n=1000&limit={MAX_SECONDS:g}")
"""Next to no work, with all the time that there is: a worker may have to be started for it, on a busy machine."""


@cache
def n_for(seconds: float) -> int:
    """Return below which number the primes take about so many seconds to count, on this machine when it is not busy."""
    return min(MAX_N, round(SAMPLE * math.pow(seconds / _sample(), 1 / GROWTH)))


def seconds_for(n: int) -> float:
    """Return how many seconds it takes to count the primes below a number, likewise."""
    return _sample() * math.pow(n / SAMPLE, GROWTH)


@cache
def _sample() -> float:
    def once() -> float:
        began = time.process_time()
        count_primes(SAMPLE)
        return time.process_time() - began

    return min(once() for _ in range(SAMPLES))


class Look(NamedTuple):
    """What a process had done by a moment.

    Attributes:
        at: The moment, in seconds of `time.monotonic`.
        busy: For how many seconds it had kept a processor busy.
        runs: Whether it would go on if it got a processor, which on a busy machine may take a while; only Linux tells.

    """

    at: float
    busy: float
    runs: bool


@dataclass(slots=True)
class Processes:
    """What was seen of a server's process and those that it has started.

    Attributes:
        server: The number of the server's process.
        looks: What was seen of each process, in the order of time.
        there: The numbers of those that were there at the last look.

    """

    server: int
    looks: dict[int, list[Look]] = field(default_factory=dict)
    there: set[int] = field(default_factory=set)

    def look(self) -> None:
        """Look once; a process that ends meanwhile is not there."""
        try:
            process = psutil.Process(self.server)
            family = [process, *process.children(recursive=True)]
        except psutil.Error:
            return
        there = set()
        for one in family:
            try:
                times, status = one.cpu_times(), one.status()
            except psutil.Error:
                continue
            if status != psutil.STATUS_ZOMBIE:  # Which has ended, and its parent has not asked yet.
                there.add(one.pid)
            runs = status == psutil.STATUS_RUNNING and sys.platform == "linux"
            self.looks.setdefault(one.pid, []).append(Look(time.monotonic(), times.user + times.system, runs))
        self.there = there

    def busy(self, begin: float, end: float) -> dict[int, float]:
        """Return for how many seconds each process kept a processor busy between two moments of `time.monotonic`."""
        return {pid: _busy(looks, begin, end) for pid, looks in self.looks.items()}

    def during(self, seen: Observation) -> dict[int, float]:
        """Return the same for an experiment that has just ended; what it left running is idle, or does not count for much."""
        self.look()
        return self.busy(seen.began, time.monotonic())

    def workers(self, begin: float, end: float) -> dict[int, float]:
        """Return the same without the server's own."""
        return {pid: busy for pid, busy in self.busy(begin, end).items() if pid != self.server}

    def at_work(self, begin: float, work: Future[Any], many: int = 1) -> list[int]:
        """Wait until so many workers have been at work since a moment, and return those; none where the work ended before."""
        while not work.done():
            found = [pid for pid, busy in self.workers(begin, time.monotonic()).items() if busy > AT_WORK]
            if len(found) >= many:
                return found
            time.sleep(PAUSE)
        return []


def _busy(looks: list[Look], begin: float, end: float) -> float:
    """Return what came between the last look before the begin and the last before the end; a process may begin in between."""
    before = [look.busy for look in looks if look.at <= begin]
    until = [look.busy for look in looks if look.at <= end]
    return until[-1] - (before[-1] if before else 0.0) if until else 0.0


@contextmanager
def watching(server: int) -> Iterator[Processes]:
    """Look at a server's processes again and again, from a thread, for as long as the block runs.

    Args:
        server: The number of the server's process.

    """
    seen, done = Processes(server), threading.Event()

    def look_on() -> None:
        while not done.wait(PAUSE):
            seen.look()

    seen.look()
    watcher = threading.Thread(target=look_on, name="processes")
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()
        seen.look()


def settled(server: Server) -> None:
    """Wait until no worker of a server computes any more."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        seen = Processes(server.process.pid)
        seen.look()
        time.sleep(QUIET)
        seen.look()
        workers = [looks for pid, looks in seen.looks.items() if pid != seen.server]
        if all(len(looks) > 1 and looks[-1].busy - looks[0].busy < QUIET / 2 and not looks[-1].runs for looks in workers):
            return


@dataclass(frozen=True, slots=True)
class Killed:
    """What was seen of requests while one of their workers was killed.

    Attributes:
        seen: What became of them.
        at: When it was killed, in seconds of `time.monotonic`; infinity where none was seen at work.

    """

    seen: Observation
    at: float

    @property
    def in_the_middle(self) -> bool:
        """Whether it was killed in the middle of the work: none of the requests had been answered."""
        return all(answer.received > self.at for answer in self.seen.answers)


def warm(server: Server) -> None:
    """Have all workers of a server started, and wait until they are idle: to start one is work as well."""
    run(server, [Ask(f"/cpu?n={SAMPLE}&limit={MAX_SECONDS:g}")] * WORKERS)  # Long enough for none to be done by the first alone.
    settled(server)


def kill_at_work(server: Server, many: int) -> Killed:
    """Send requests for work, and kill a worker process as soon as as many of them are at work; again, where that was too late.

    Args:
        server: Whose worker is killed.
        many: How many requests to send, at the most one for each worker.

    """
    return first_good(WORKS, lambda work: _kill_at_work(server, work, many), lambda killed: killed.in_the_middle)


def _kill_at_work(server: Server, work: float, many: int) -> Killed:
    warm(server)
    asks = [Ask(f"/cpu?n={n_for(work)}&limit={MAX_SECONDS:g}", status=502)] * many
    with watching(server.process.pid) as seen, ThreadPoolExecutor(1) as executor:
        began, killed_at = time.monotonic(), math.inf
        answers = executor.submit(run, server, asks)
        for worker in seen.at_work(began, answers, many)[:1]:
            with suppress(psutil.Error):
                psutil.Process(worker).kill()
                killed_at = time.monotonic()
        return Killed(answers.result(), killed_at)


def kill_idle(server: Server, rest: float) -> None:
    """Kill a worker process that has computed before and is idle now, and give its server so many seconds to learn of it."""
    seen = Processes(server.process.pid)
    seen.look()
    workers = seen.workers(0.0, time.monotonic())
    if workers:
        with suppress(psutil.Error):
            psutil.Process(max(workers, key=workers.__getitem__)).kill()
    time.sleep(rest)

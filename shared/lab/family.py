"""The processes that a server has started, and those of them that are still there when it has ended."""

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress

import psutil

from shared.lab.processor import waited

PAUSE = 0.05
"""Seconds between two looks."""

START = 3.0
"""Seconds in which a process that is being started has become another program: milliseconds, unless the machine stands still."""

LEAVE = 5.0
"""Seconds in which processes have ended whose server has; most of them learn of it by themselves."""

MOST = 3
"""How many times that long may be added for waiting on a busy machine."""


def started_by(pid: int) -> list[psutil.Process]:
    """Return all processes that a process has started, and those that these have; none where it has ended."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def forked(family: Sequence[psutil.Process]) -> int:
    """Return how many of a server's processes are forks of it: they hold network sockets, and a worker opens none of its own."""
    deadline = time.monotonic() + START
    # A process that is just being started is a fork for a moment as well.
    while (holding := [one for one in family if _holds_sockets(one)]) and time.monotonic() < deadline:
        time.sleep(PAUSE)
    return len(holding)


def _holds_sockets(process: psutil.Process) -> bool:
    try:
        return bool(process.net_connections("inet"))
    except psutil.Error:  # It has ended just now, or the system does not tell.
        return False


def kill_all(pid: int, but: Collection[psutil.Process]) -> None:
    """Kill all processes that a process has started, and those that these have, but for some."""
    for one in set(started_by(pid)) - set(but):
        with suppress(psutil.Error):  # It has ended just now.
            one.kill()


@contextmanager
def standing_still(family: Collection[psutil.Process], seconds: float) -> Iterator[None]:
    """Let processes stand still for as long as the block runs, and for so many seconds at the most."""

    def go_on() -> None:
        for one in family:
            with suppress(psutil.Error):  # It has been ended meanwhile.
                one.resume()

    timer = threading.Timer(seconds, go_on)
    for one in family:
        with suppress(psutil.Error):  # It has ended just now.
            one.suspend()
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        go_on()


def outlived(family: Sequence[psutil.Process], seconds: float) -> list[str]:
    """Give processes so many seconds to end, kill those that have not, and return the command line of each of these.

    One that was just being started has to come to where it learns that its server is gone, so the time in which it waits for a
    processor does not count, up to `MOST` times as much.
    """
    began, before, starved = time.monotonic(), {one.pid: waited(one.pid) for one in family}, 0.0
    while left := [one for one in family if _lives(one)]:
        # Some end only when another has ended, so what that one waited is kept when it is gone.
        starved = max(starved, *(waited(one.pid) - before[one.pid] for one in left))
        if time.monotonic() - began > seconds + min(starved, MOST * seconds):
            break
        time.sleep(PAUSE)
    lines = []
    for one in left:
        with suppress(psutil.Error):  # It has ended just now.
            lines.append(" ".join(one.cmdline()))
            one.kill()
    return lines


def _lives(process: psutil.Process) -> bool:
    """Whether a process runs: one that has ended may still be listed, until somebody asks how it ended."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False

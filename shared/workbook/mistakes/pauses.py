"""Halts processes now and then, as a machine does that is put to sleep, or has far too much to do.

A test that takes such a pause for a mistake of the server is found in minutes, where beside busy processes it takes hours.
"""

import os
import random
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import psutil

from shared.lab.family import started_by
from shared.workbook.mistakes.beside import PACKAGE, beside, when_input_ends

APART = (0.5, 4.0)
"""The least and the most seconds between two pauses."""

LENGTH = (0.1, 0.6)
"""The least and the most seconds that one lasts: as long as a wait of the tests, so that some fall into its middle."""


@contextmanager
def pauses() -> Iterator[None]:
    """Halt all that this process has started, and will start, now and then meanwhile, but for what runs beside the rounds.

    It is another process that does so; it lets all go on when this one is gone.
    """
    with beside("pauses", str(os.getpid())):
        yield


def halt(processes: Sequence[psutil.Process], seconds: float, ended: threading.Event) -> None:
    """Halt processes for so many seconds, or until something has ended; whatever happens, they go on afterwards."""
    halted = []
    try:
        for one in processes:
            with suppress(psutil.Error):  # It has ended just now.
                halted.append(one)
                one.suspend()
        ended.wait(seconds)
    finally:
        for one in halted:
            with suppress(psutil.Error):
                one.resume()


def of_rounds(pid: int) -> list[psutil.Process]:
    """Return what a process has started, with what that has started, but for what runs beside the rounds."""
    found = []
    for one in started_by(pid):
        with suppress(psutil.Error):  # It has ended just now.
            if not any(argument.startswith(f"{PACKAGE}.") for argument in one.cmdline()):
                found.append(one)
    return found


def main() -> None:
    """Halt what a process has started, until the standard input ends; its number is on the command line."""
    ended = threading.Event()
    when_input_ends(ended.set)
    signal.signal(signal.SIGTERM, lambda *_: ended.set())  # Or it would end in the middle of a pause, which then had no end.
    while not ended.wait(random.uniform(*APART)):  # noqa: S311 - no secret
        halt(of_rounds(int(sys.argv[1])), random.uniform(*LENGTH), ended)  # noqa: S311 - no secret


if __name__ == "__main__":
    main()

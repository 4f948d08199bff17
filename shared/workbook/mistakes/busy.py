"""Keeps processors busy, as a machine with other work to do is: each process computes until its standard input is closed."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from shared.lab.variants import ROOT
from shared.lesson.embedded import stop_process


@contextmanager
def busy_processes(count: int) -> Iterator[list[int]]:
    """Run so many busy processes meanwhile, and yield their process ids. They also end when this process is killed."""
    with ExitStack() as stack:
        ids = []
        for _ in range(count):
            process = subprocess.Popen(
                [sys.executable, "-m", "shared.workbook.mistakes.busy"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                text=True,
                start_new_session=sys.platform != "win32",
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # Only Windows has the name.
            )
            stack.callback(stop_process, process)
            ids.append(process.pid)
        yield ids


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    """Compute until the standard input ends."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    while True:
        sum(range(10_000))


if __name__ == "__main__":
    main()

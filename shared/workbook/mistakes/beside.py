"""What runs beside the rounds: processes that end with their standard input, and so with whoever has started them."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared.lab.variants import ROOT
from shared.lesson.embedded import stop_process

PACKAGE = "shared.workbook.mistakes"


@contextmanager
def beside(name: str, *arguments: str) -> Iterator[int]:
    """Run a module of this package meanwhile, and yield its process id.

    Args:
        name: The module's, without the package's.
        arguments: What it is told on the command line.

    """
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", f"{PACKAGE}.{name}", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        text=True,
        start_new_session=sys.platform != "win32",  # A Ctrl-C is not for it: its input will be closed.
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # Only Windows has the name.
    )
    try:
        yield process.pid
    finally:
        stop_process(process)


def when_input_ends(act: Callable[[], None]) -> None:
    """Do something when the standard input of this process ends, from a thread of its own; nothing is waited for."""

    def read_to_the_end() -> None:
        sys.stdin.read()
        act()

    threading.Thread(target=read_to_the_end, daemon=True).start()

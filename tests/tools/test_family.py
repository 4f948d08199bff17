"""The processes that a process has started: what is killed when a run is broken off, and what is not."""

import multiprocessing
import socket
import subprocess
import sys
import time

import psutil
import pytest

from shared.lab.family import forked, kill_all, outlived, started_by

PARENT = """
import subprocess, sys
wait = [sys.executable, "-c", "import time; time.sleep(60)"]
children = [subprocess.Popen(wait)]
print("one", flush=True)
sys.stdin.readline()
children.append(subprocess.Popen(wait))
print("two", flush=True)
sys.stdin.read()
for child in children:
    child.kill()
    child.wait()
"""


def test_what_was_there_before_goes_on() -> None:
    """Of two processes, of which one was there before, only the other is killed."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:  # noqa: S603 - our own
        assert parent.stdin
        assert parent.stdout
        parent.stdout.readline()
        before = started_by(parent.pid)
        parent.stdin.write("\n")
        parent.stdin.flush()
        parent.stdout.readline()
        (begun,) = set(started_by(parent.pid)) - set(before)
        kill_all(parent.pid, before)
        assert outlived([begun], seconds=10) == []
        assert len(outlived(before, seconds=0.2)) == len(before) == 1


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_fork_is_told_from_what_was_begun_anew(method: str) -> None:
    """Of all ways to start a process only a fork leaves it the sockets of the one that starts it."""
    with socket.create_server(("127.0.0.1", 0)):
        child = multiprocessing.get_context(method).Process(target=time.sleep, args=(60,))  # type: ignore[attr-defined]  # No stub has it.
        child.start()
        try:
            assert forked([psutil.Process(child.pid)]) == (method == "fork")
        finally:
            child.kill()
            child.join()

"""The processes that a process has started: what is killed when a run is broken off, and what is not."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.lab.family import kill_all, outlived, started_by
from shared.lab.variants import ROOT

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


STARTED = """
import multiprocessing, socket, sys, time
import psutil
from shared.lab.family import forked
if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)):
        child = multiprocessing.get_context(sys.argv[1]).Process(target=time.sleep, args=(60,))
        child.start()
        print(forked([psutil.Process(child.pid)]))
        child.kill()
        child.join()
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_fork_is_told_from_what_was_begun_anew(tmp_path: Path, method: str) -> None:
    """Of all ways to start a process only a fork leaves it the sockets of the one that starts it."""
    script = tmp_path / "started.py"  # What is begun anew reads the main module again, so there has to be one.
    script.write_text(STARTED, encoding="utf-8")
    command, environment = [sys.executable, str(script), method], {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own
    assert (done.stdout.strip(), done.returncode) == (str(int(method == "fork")), 0), done.stderr

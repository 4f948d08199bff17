"""The lab's look at processes: which of them computes, and how much work takes how long."""

import subprocess
import sys
import time

from shared.lab.processes import Processes, n_for, seconds_for, watching
from shared.lesson.limits import MAX_N

PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
print(child.pid, flush=True)
sys.stdin.read()
child.kill()
"""


def test_the_process_that_computes_is_told_from_the_one_that_waits() -> None:
    """Of a parent that waits and a child that computes, the child is seen to keep a processor busy."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:  # noqa: S603 - our own
        assert parent.stdout
        child = int(parent.stdout.readline())
        with watching(parent.pid) as seen:
            began = time.monotonic()
            while seen.workers(began, time.monotonic()).get(child, 0) < 0.2:
                assert time.monotonic() < began + 30, "the child was not seen to compute"
                time.sleep(0.05)
            busy = seen.busy(began, time.monotonic())
        assert busy[parent.pid] < busy[child] / 2
        assert parent.pid not in seen.workers(began, time.monotonic())


def test_what_ended_before_does_not_count() -> None:
    """Only what a process did between the two moments counts, and one that is not there any more breaks nothing."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    seen = Processes(gone.pid)
    seen.look()
    assert seen.busy(0, time.monotonic()) == {}


def test_the_amount_of_work_follows_the_time() -> None:
    """More time is more work, the two functions undo each other, and none is beyond what may be asked for."""
    assert n_for(0.1) < n_for(0.2) < n_for(0.4)
    assert abs(seconds_for(n_for(0.2)) - 0.2) < 0.01
    assert n_for(1000) == MAX_N

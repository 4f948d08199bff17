"""What a worker process of the lesson makes of Ctrl-C, which a terminal sends to each of its processes."""

import subprocess
import sys

import pytest

from shared.lab.variants import ROOT


@pytest.mark.parametrize("begun", ["end_with_server()", "count_in_worker(2)"])
def test_a_worker_leaves_ctrl_c_to_its_server(begun: str) -> None:
    """It ignores the signal from when a pool has begun it, also where it has had no work yet, or else from its first work on."""
    program = f"import signal; from shared.lesson.primes import *; {begun}; print(signal.getsignal(signal.SIGINT).name)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert done.stdout == "SIG_IGN\n"

"""Worker processes that are killed, at work and idle, and a server that is stopped while one is at work for nobody."""

import time
from contextlib import suppress
from dataclasses import dataclass

import psutil

from shared.lab.experiment import Ask, Observation, run
from shared.lab.processes import kill_at_work, kill_idle, n_for, seconds_for, watching
from shared.lab.server import ServerError, serving
from shared.lab.variants import Variant
from shared.lesson.limits import MAX_N

QUICK = Ask("/cpu?n=1000")
KILLED_AFTER = 1.5
"""Seconds of work of which a worker is killed in the middle."""

LIMIT = 0.3
"""Seconds after which nobody waits any more for work that takes several."""

LEAVE_SECONDS = 3.0
"""How long processes may take to end after their server."""


@dataclass(frozen=True, slots=True)
class Computing:
    """What was seen of a variant's worker processes.

    Attributes:
        killed: A request whose worker was killed in the middle of its work.
        after: The next request.
        after_idle: A request after an idle worker had been killed.
        abandoned: A request for the longest work there is, with a short limit.
        takes: For how many seconds that keeps a processor busy, about.
        worked: For how many it did, until the server had ended.
        left: How many processes of the server's were there after its end.
        log: What it had printed.

    """

    killed: Observation
    after: Observation
    after_idle: Observation
    abandoned: Observation
    takes: float
    worked: float
    left: int
    log: str


def run_computing(variant: Variant) -> Computing:
    """Let a server's workers be killed, and stop it while one is at work."""
    with serving(variant) as server:
        run(server, [QUICK])
        killed = kill_at_work(server, [Ask(f"/cpu?n={n_for(KILLED_AFTER)}&limit=10", status=502)])
        after = run(server, [QUICK])
        kill_idle(server)
        after_idle = run(server, [QUICK])
        with watching(server.process.pid) as processes:
            abandoned = run(server, [Ask(f"/cpu?n={MAX_N}&limit={LIMIT}", status=504)])
            family = psutil.Process(server.process.pid).children(recursive=True)
            with suppress(ServerError):  # Not in time, so that it was killed: the work shows why.
                server.stop()
        left = psutil.wait_procs(family, timeout=LEAVE_SECONDS)[1]
        for one in left:
            one.kill()
        worked = max(processes.workers(abandoned.began, time.monotonic()).values(), default=0.0)
        return Computing(killed, after, after_idle, abandoned, seconds_for(MAX_N), worked, len(left), server.log())

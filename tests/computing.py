"""Worker processes that are killed, at work and idle, and a server that is stopped while one is at work for nobody."""

import time
from contextlib import suppress
from dataclasses import dataclass

import psutil

from shared.lab.experiment import Ask, Observation, run
from shared.lab.processes import QUICK, kill_at_work, kill_idle, seconds_for, watching
from shared.lab.server import Server, ServerError, serving
from shared.lab.variants import Variant
from shared.lesson.limits import MAX_N

RESTS = (0.1, 0.5, 2.0)
"""Seconds in which a server may learn that an idle worker has been killed, for each try."""

LIMIT = 0.3
"""Seconds after which nobody waits any more for work that takes several."""

LEAVE_SECONDS = 10.0
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
        killed = kill_at_work(server, 1).seen
        after = run(server, [QUICK])
        after_idle = _after_idle(server)
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


def _after_idle(server: Server) -> Observation:
    """Kill an idle worker, and ask for work; again, where that was answered as no success: it may not have been known yet."""
    first, *longer = RESTS
    kill_idle(server, first)
    seen = run(server, [QUICK])
    for rest in longer:
        if seen.answers[0].status != QUICK.status:
            kill_idle(server, rest)
            seen = run(server, [QUICK])
    return seen

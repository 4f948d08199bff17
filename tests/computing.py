"""Worker processes that are killed, at work and idle, and a server that is stopped while one is at work for nobody."""

import signal
import time
from dataclasses import dataclass

from shared.lab.causes import Cause
from shared.lab.experiment import Ask, Observation, run
from shared.lab.family import LEAVE, forked, outlived, started_by
from shared.lab.finding import Finding, sure
from shared.lab.places import COMPUTE, OPEN_WORKERS
from shared.lab.processes import QUICK, kill_idle, seconds_for, watching
from shared.lab.server import Server, ServerError
from shared.lab.tries import first_good
from shared.lesson.limits import MAX_N

TRIES = 3

RESTS = (0.1, 0.5, 2.0)
"""Seconds in which a server may learn that an idle worker has been killed, for each try."""

TO_END_IT = 1.0
"""Seconds after the signal in which a server has ended what computes for nobody."""

LIMIT = 0.1
"""Seconds after which nobody waits any more for work that takes several."""


@dataclass(frozen=True, slots=True)
class Computing:
    """What was seen of a variant's worker processes.

    Attributes:
        killed: Requests while the worker of one was killed in the middle of its work.
        after: The next request.
        after_idle: A request after an idle worker had been killed.
        abandoned: A request for the longest work there is, with a short limit.
        takes: For how many seconds that keeps a processor busy, about.
        worked: For how many it did, until the server had ended.
        went_on: For how many of them it did so when the server had been asked to stop, and had had the time to end it.
        in_time: Whether the server ended without being killed.
        forks: How many processes of the server's were forks of it, before any was killed.
        left: How many of them were there after its end.
        log: What it had printed.

    """

    killed: Observation
    after: Observation
    after_idle: Observation
    abandoned: Observation
    takes: float
    worked: float
    went_on: float
    in_time: bool
    forks: int
    left: int
    log: str


def count_forks(server: Server) -> int:
    """Return how many of a server's processes are forks of it when there is a worker among them."""
    run(server, [QUICK])
    return forked(started_by(server.process.pid))


def begun_anew(forks: int) -> list[Finding]:
    """Find that a server has forked processes: they keep its connections open until they have ended as well."""
    sentence = f"of the processes that the server has started, {forks} {'holds' if forks == 1 else 'hold'} its sockets"
    return sure(Cause.FORKED, sentence, OPEN_WORKERS, COMPUTE) if forks else []


def compute_to_the_end(server: Server, forks: int, killed: Observation) -> Computing:
    """Have work done after a worker was killed in the middle of some, kill an idle one, and stop the server while one is at work.

    Args:
        server: What computes; it has ended afterwards.
        forks: How many of its processes were forks of it before that.
        killed: What was seen of the work in the middle of which a worker was killed; nothing was asked for since.

    """
    # A new worker may be late on a busy machine, which is told as 504.
    after = first_good(range(TRIES), lambda _: run(server, [QUICK]), lambda seen: seen.answers[0].status not in {0, 504})
    after_idle = _after_idle(server)
    with watching(server.process.pid) as processes:
        abandoned = run(server, [Ask(f"/cpu?n={MAX_N}&limit={LIMIT}", status=504)])
        family, asked = started_by(server.process.pid), time.monotonic()
        try:
            server.stop(signal.SIGINT)  # After SIGTERM some end where they stand, whatever their workers do.
            in_time = True
        except ServerError:
            in_time = False
    left = outlived(family, LEAVE)
    worked, went_on = (
        max(processes.workers(since, time.monotonic()).values(), default=0.0) for since in (abandoned.began, asked + TO_END_IT)
    )
    takes = seconds_for(MAX_N)
    return Computing(killed, after, after_idle, abandoned, takes, worked, went_on, in_time, forks, len(left), server.log())


def _after_idle(server: Server) -> Observation:
    """Kill an idle worker, and ask for work; again, where that was answered as no success: it may not have been known yet."""

    def once(rest: float) -> Observation:
        kill_idle(server, rest)
        return run(server, [QUICK])

    return first_good(RESTS, once, lambda seen: seen.answers[0].status == QUICK.status)

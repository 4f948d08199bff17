"""Probes of work on the CPU: what a deadline does to a worker process, what its death does to others, and what `/ping` feels."""

import math
import statistics
import time
from collections.abc import Sequence

from shared.lab.experiment import Ask, Observation, run
from shared.lab.processes import QUICK, kill_at_work, n_for, settled, watching
from shared.lab.server import Server
from shared.lab.traits import Probe, Shown
from shared.lab.tries import first_good
from shared.lesson.limits import MAX_SECONDS

WORK = 0.24
"""Seconds of work for a processor, about: many times what it takes to hand it over."""

BESIDE = 0.2
"""Seconds of work beside which `/ping` is asked for, likewise."""

SUCCESS, TIMED_OUT = 200, 504
TRIES = 10

BEGIN = 0.02
"""Seconds in which work has begun that was asked for."""


def process_at_deadline(server: Server) -> Shown:
    """Let a deadline end long before work in a process, and see whether the process goes on with it all the same."""
    run(server, [QUICK])  # The first has to start the process.
    settled(server)
    limit = WORK / 4
    with watching(server.process.pid) as processes:
        seen = run(server, [Ask(f"/cpu?n={n_for(WORK)}&limit={limit}", status=TIMED_OUT)])
        answer = seen.answers[0]
        settled(server)
        processes.look()
        worked = processes.workers(seen.began, time.monotonic())
        after = processes.workers(answer.received, time.monotonic())
    one = max(worked, key=worked.__getitem__, default=0)
    evidence = f"with a deadline of {limit:g} s, work for {WORK:g} s was answered {answer.status} after {answer.seconds:.2f} s"
    if answer.status == SUCCESS:
        return Shown("awaited", evidence, seen)
    if one not in processes.there:
        return Shown("stopped", f"{evidence}, and the process that worked on it was there no more", seen)
    # Right, where it is stopped: nothing. Where it is not: three fourths of the work.
    evidence += f", and its process worked on it for another {after.get(one, 0):.2f} s"
    return Shown("runs-on" if after.get(one, 0) > limit else "stopped", evidence, seen)


def killed_worker(server: Server) -> Shown:
    """Kill one of two worker processes in the middle of their work, and see what becomes of the other's."""
    killed = kill_at_work(server, 2)
    failed = sum(answer.status != SUCCESS for answer in killed.seen.answers)
    evidence = f"of two requests at work, when the process of one was killed, {failed} failed"
    return Shown({1: "alone", 2: "all"}.get(failed, "something else"), evidence, killed.seen)


def busy_cpu(server: Server) -> Shown:
    """Let the same work be done by a process and by a thread, and compare how long `/ping` takes beside each."""
    run(server, [QUICK])
    n = n_for(BESIDE)
    thread = first_good(
        range(TRIES), lambda _: run(server, [Ask(f"/cpu-thread?n={n}")], watch=True), lambda seen: bool(_meanwhile(seen))
    )
    if not (in_thread := _meanwhile(thread)):
        return Shown("something else", "no /ping was answered while a thread worked", thread)
    # Noise makes none quicker: most have to wait for the thread, and of those beside a process some need not.
    within, pings = statistics.median(in_thread), list[float]()
    for _ in range(TRIES):
        if within <= 2 * _quick(pings):
            pings += _meanwhile(run(server, [Ask(f"/cpu?n={n}&limit={MAX_SECONDS:g}")], watch=True))
    if not pings:
        return Shown("something else", "no /ping was answered while a process worked", thread)
    beside = _quick(pings)
    evidence = f"beside work in a process a quick /ping took {beside * 1000:.1f} ms, "
    evidence += f"beside the same work in a thread most of them {within * 1000:.1f} ms and more"
    # Right, where threads share a lock: 5 ms and more for each time it changes hands. Where they do not: as long.
    return Shown("in-a-process" if within > 2 * beside else "anywhere", evidence, thread)


def _meanwhile(seen: Observation) -> list[float]:
    """Return how many seconds each ping took that was under way while the work was, as far as one can know."""
    work = seen.answers[0]
    return [ping.seconds for ping in seen.pings if ping.sent > work.sent + BEGIN and ping.received < work.received]


def _quick(pings: Sequence[float]) -> float:
    """Return the third-quickest: one or two may have met the work when it had not begun; endless, where there are none."""
    return sorted(pings)[:3][-1] if pings else math.inf


CPU_PROBES: dict[str, Probe] = {
    "process_at_deadline": process_at_deadline,
    "busy_cpu": busy_cpu,
    "killed_worker": killed_worker,
}
"""The probe of each trait that is about work on the CPU."""

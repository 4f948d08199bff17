"""Probes of work on the CPU: what a deadline does to a worker process, what its death does to others, and what `/ping` feels."""

import statistics
import time

from shared.lab.experiment import Ask, run
from shared.lab.processes import kill_at_work, n_for, seconds_for, settled, watching
from shared.lab.server import Server
from shared.lab.traits import Probe, Shown

WORK = 0.6
"""Seconds of work for a processor: many times what it takes to start it."""

QUICK = Ask("/cpu?n=1000&limit=10")
SUCCESS, TIMED_OUT = 200, 504


def process_at_deadline(server: Server) -> Shown:
    """Let a deadline end long before work in a process, and see how much of the work is done all the same."""
    run(server, [QUICK])  # The first has to start the process.
    n, limit = n_for(WORK), WORK / 4
    with watching(server.process.pid) as processes:
        seen = run(server, [Ask(f"/cpu?n={n}&limit={limit}", status=TIMED_OUT)])
        settled(server)
        worked = sum(processes.workers(seen.began, time.monotonic()).values())
    answer, whole = seen.answers[0], seconds_for(n)
    evidence = (
        f"with a deadline of {limit:g} s, work for {whole:.1f} s was answered {answer.status} after {answer.seconds:.2f} s, "
        f"and processes worked for {worked:.2f} s"
    )
    if answer.status == SUCCESS:
        return Shown("awaited", evidence, seen)
    # Right, where it is stopped: a fourth of the work. Where it is not: all of it.
    return Shown("runs-on" if worked > whole * 0.6 else "stopped", evidence, seen)


def killed_worker(server: Server) -> Shown:
    """Kill one of two worker processes in the middle of their work, and see what becomes of the other's."""
    settled(server)
    run(server, [QUICK])
    seen = kill_at_work(server, [Ask(f"/cpu?n={n_for(WORK)}&limit=10", status=0)] * 2)
    failed = sum(answer.status != SUCCESS for answer in seen.answers)
    evidence = f"of two requests at work, when the process of one was killed, {failed} failed"
    return Shown({1: "alone", 2: "all"}.get(failed, "something else"), evidence, seen)


def busy_cpu(server: Server) -> Shown:
    """Let the same work be done by a process and by a thread, and compare how long `/ping` takes beside each."""
    run(server, [QUICK])
    process, thread = (run(server, [Ask(f"{path}?n={n_for(WORK)}&limit=10")], watch=True) for path in ("/cpu", "/cpu-thread"))
    beside, within = (statistics.median(ping.seconds for ping in seen.pings) * 1000 for seen in (process, thread))
    evidence = f"beside work in a process /ping took {beside:.1f} ms, beside the same work in a thread {within:.1f} ms (medians)"
    # Right, where threads share a lock: five times as long and more. Where they do not: as long.
    return Shown("in-a-process" if within > 2 * beside else "anywhere", evidence, thread)


CPU_PROBES: dict[str, Probe] = {
    "process_at_deadline": process_at_deadline,
    "busy_cpu": busy_cpu,
    "killed_worker": killed_worker,
}
"""The probe of each trait that is about work on the CPU."""

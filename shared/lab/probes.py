"""Probes: each measures, from outside, how a stack behaves where stacks differ, whatever the variant declares of it."""

from shared.lab.experiment import Ask, run
from shared.lab.host import PROCESSORS
from shared.lab.probes_cpu import CPU_PROBES
from shared.lab.probes_http import HTTP_PROBES
from shared.lab.probes_socket import SOCKET_PROBES
from shared.lab.readers import leave
from shared.lab.server import Server
from shared.lab.traits import Probe, Shown
from shared.lab.upstream import Call
from shared.lesson.contract import TASKS, THREADS
from shared.lesson.work import EARLY

WAIT = 0.8
"""Seconds that a probe has something waited for: half of it is more than a busy machine takes for anything."""

AFTER = 0.4
"""Seconds after which what is to happen at once has happened."""


def gather(server: Server) -> Shown:
    """Let the second of three gathered calls fail, and see what the service behind sees of the other two."""
    seen = run(server, [Ask(f"/gather-fails?seconds={WAIT}", status=502)], linger=WAIT * (1 - 1 / EARLY) + AFTER)
    others = [call for call in seen.calls if call.task != TASKS[1]]
    off = sum(call.was_left for call in others)
    evidence = f"when one of three gathered calls failed, {off} of the other {len(others)} were broken off"
    return Shown({0: "others-run-on", 2: "others-broken-off"}.get(off, "something else"), evidence, seen)


def thread_at_deadline(server: Server, wait: float = WAIT) -> Shown:
    """Let a deadline around a thread end long before the thread, and see which comes first: the answer, or the thread's end."""
    limit = wait / 4
    seen = run(server, [Ask(f"/deadline-thread?seconds={wait}&limit={limit}", status=504)], read_along=True, linger=wait)
    answer = seen.answers[0]
    ends = [line.seen for line in seen.console if line.text == f"[SYNC] Finished {TASKS[0]}"]
    thread = f"its thread ended after {ends[0] - answer.sent:.2f} s" if ends else "its thread was not seen to end"
    evidence = f"with a deadline of {limit:g} s around a thread, {answer.status} came after {answer.seconds:.2f} s, and {thread}"
    if answer.status == 504 and ends and answer.received < ends[0]:  # noqa: PLR2004 - the contract's status for it
        return Shown("abandoned", evidence, seen)
    if answer.status == 200 and ends:  # noqa: PLR2004 - HTTP's success
        return Shown("awaited", evidence, seen)
    # A busy machine may be so late with the answer that the thread has ended as well.
    return thread_at_deadline(server, wait + WAIT) if wait < 3 * WAIT else Shown("something else", evidence, seen)


def disconnect_plain(server: Server) -> Shown:
    """Leave a handler that only waits for a service, and see whether that service is let go."""
    left, seen = leave(server, f"/patient?seconds={WAIT}", WAIT / 4, WAIT)
    if not seen.calls:  # A busy machine had no time for it.
        return Shown("something else", "the client left before a call was made", seen)
    call = seen.calls[0]
    evidence = f"the client left /patient, and the call that was made for it {_after(call, left)}"
    return Shown("broken-off" if call.was_left else "runs-on", evidence, seen)


def disconnect_stream(server: Server) -> Shown:
    """Leave a stream just behind its first event, and see which of the two calls under way are let go, and when."""
    left, seen = leave(server, f"/as-completed?seconds={WAIT}", 1.25 * WAIT, 2.5 * WAIT)
    ends = {call.task: call for call in seen.calls}
    if not ends.keys() >= {TASKS[0], TASKS[2]}:
        return Shown("something else", "the client left before the calls were made", seen)
    next_one, last = ends[TASKS[2]], ends[TASKS[0]]  # The one that would have been told next, and the one after it.
    evidence = (
        f"the client left /as-completed; of the calls under way the next {_after(next_one, left)}, the last {_after(last, left)}"
    )
    if next_one.was_left and last.was_left:
        return Shown("at-once", evidence, seen)
    if last.was_left:
        return Shown("at-the-next-event", evidence, seen)
    return Shown("runs-on", evidence, seen)


def threads(server: Server, wait: float = WAIT) -> Shown:
    """Ask for more threads than there can be, and count the waits that begin before the first has ended."""
    expected = {40: "forty", PROCESSORS + 4: "processors-and-four", THREADS: "ten"}
    seen = run(server, [Ask(f"/threaded?seconds={wait}")] * 45)
    # Threads that print at the same time may share a line.
    begun = "".join(seen.printed).partition("Finished")[0].count("Starting")
    if begun not in expected and wait < 3 * WAIT:  # A busy machine may take longer than the wait to begin them all.
        return threads(server, wait + WAIT)
    return Shown(expected.get(begun, f"{begun}"), f"of 45 requests to /threaded {begun} began at once", seen)


def _after(call: Call, left: float) -> str:
    if call.end is None:
        return "went on"
    return f"{'was broken off' if call.was_left else 'ended by itself'} {call.end - left:.2f} s later"


PROBES: dict[str, Probe] = {
    "gather": gather,
    "thread_at_deadline": thread_at_deadline,
    "disconnect_plain": disconnect_plain,
    "disconnect_stream": disconnect_stream,
    "threads": threads,
    **HTTP_PROBES,
    **SOCKET_PROBES,
    **CPU_PROBES,
}
"""The probe of each trait."""

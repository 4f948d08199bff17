"""Work on the CPU: `computing.py`. The evidence is which process kept a processor busy, as the operating system counts it."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared.lab import checks
from shared.lab.causes import Cause
from shared.lab.experiment import Answer, Ask, Observation, run
from shared.lab.finding import Finding, sure
from shared.lab.places import COMPUTE, LIFESPAN, OPEN_WORKERS, SERVE
from shared.lab.processes import AT_WORK, QUICK, Processes, n_for, settled, warm, watching
from shared.lab.refusal import refused
from shared.lab.rules import elapsed
from shared.lab.server import Server
from shared.lab.variants import Variant
from shared.lab.verdict import accuse, prove
from shared.lesson.contract import WORKERS
from shared.lesson.limits import MAX_N, MAX_SECONDS
from shared.lesson.primes import N
from tests.computing import Computing, begun_anew
from tests.conftest import keep
from tests.test_deadlines import FACTOR, at_the_limit, late

WORKS = (0.12, 0.4, 0.8)
"""Seconds of work, for each try: on a machine that has ten times as much to do, the last still ends within the longest limit."""

LIMITS = (0.06, 0.2, 0.4, 0.8)
"""The limit of each try, in seconds; beside what is limited, work of half as long again has to end, likewise."""

SHORT_LIMITS = (0.1, 0.3, 0.9, 1.8)
"""The same where three are at work at once."""

PARTS = 3
"""Parts of the work in a thread: a `/ping` answered in each of them shows that the event loop got its turn all the while."""

QUEUED_LIMITS = (0.03, 0.1, 0.2)
QUEUED, HANDED_OVER = 16, 5
"""The limit of each try, in seconds; requests for work at once; and how many of them two workers may have begun, or a pool for
two have handed over to them."""

STEPS = ("Starting", "Finished")

KNOWN = {1: 0, 2: 0, 3: 1, 100: 25, 7919: 999, 7920: 1000}
"""How many primes there are below some numbers; 7,919 is the thousandth."""


@pytest.fixture
def processes(server: Server) -> Iterator[Processes]:
    """Look at the server's processes during a test, from when they are all there, and idle."""
    warm(server)
    with watching(server.process.pid) as seen:
        yield seen


def cpu(seconds: float) -> Ask:
    """Return the request for work that takes so many seconds, with all the time there is: a busy machine may need it."""
    return Ask(f"/cpu?n={n_for(seconds)}&limit={MAX_SECONDS:g}")


def primes_below(n: int) -> int:
    """Return how many primes there are below n, found in another way than the variants find them: by a sieve."""
    prime = bytearray([1]) * max(n, 2)
    prime[:2] = b"\0\0"
    for number in range(2, math.isqrt(n) + 1):
        if prime[number]:
            prime[number * number :: number] = bytes(len(range(number * number, len(prime), number)))
    return sum(prime)


def right(answer: Answer) -> list[Finding]:
    """Check how many primes an answer says there are."""
    body, n = json.loads(answer.body), int(answer.ask.path.partition("n=")[2].partition("&")[0] or N)
    if body.keys() == {"n", "primes", "elapsed"} and (body["n"], body["primes"]) == (n, primes_below(n)):
        return []
    return sure(Cause.WRONG_ANSWER, f"{answer.ask.path} answered {body}; {primes_below(n)} is the number of primes below {n}")


def told(answer: Answer) -> list[Finding]:
    """Check what an answer says of the time that its work took."""
    ends = {operation.name: operation.end for operation in answer.operations}
    if "primes" not in ends:
        sentence = f"{answer.ask.path} names {', '.join(ends) or 'nothing'} in Server-Timing, and should name primes"
        return sure(Cause.FALSE_REPORT, sentence)
    # Right: all of it, but for some milliseconds. Wrong: without the work.
    if min(elapsed(answer), ends["primes"]) < answer.seconds / 2:
        sentence = f"{answer.ask.path} took {answer.seconds:.2f} s, and says that it took {elapsed(answer):.2f}"
        sentence = f"{sentence}, and in Server-Timing that it computed until {ends['primes']:.2f} s"
        return [Finding(Cause.FALSE_REPORT, sentence)]
    return []


def printed(seen: Observation, kind: str) -> list[Finding]:
    """Check that the console names the work, when it begins and when it ends, with its kind."""
    lines, right = [line for line in seen.printed if "primes" in line], [f"[{kind}] {step} primes" for step in STEPS]
    if lines == right:
        return []
    sentence = f"the console says {lines} of {seen.answers[0].ask.path}, and {right} is right"
    return [Finding(Cause.FALSE_REPORT, sentence, certain=len(lines) == len(right))]


@pytest.mark.parametrize("path", [f"/cpu?limit={MAX_SECONDS:g}&n=", "/cpu-thread?n="], ids=["/cpu", "/cpu-thread"])
def test_the_result_is_right(server: Server, path: str) -> None:
    """As many primes as there are below a number are counted, from the least that may be asked for."""

    def check(seen: Observation) -> list[Finding]:
        return next(filter(None, map(right, seen.answers)), [])

    assert {n: primes_below(n) for n in KNOWN} == KNOWN
    prove(server, "right", lambda _: [Ask(f"{path}{n}") for n in KNOWN], check)


def in_workers(server: Server, seen: Observation, processes: Processes) -> list[Finding]:
    """Check that worker processes computed, and that the server's own did not, when the same is asked for again."""
    # Not watched: that costs the server's own process the more, the longer a busy machine takes.
    answer, busy = seen.answers[0], processes.during(run(server, [seen.answers[0].ask]))
    own = busy.pop(processes.server, 0.0)
    workers = sum(busy.values())
    sentence = f"during {answer.ask.path} the server's own process computed for {own:.2f} s, and its workers for {workers:.2f}"
    if places := [place for place in seen.in_threads if "primes.py" in place or "computing.py" in place]:
        return sure(Cause.SAME_PROCESS, f"{sentence}; a thread of the server stood in {Path(places[0]).name}")
    # Right: nearly all of it. Wrong: nothing, or what a process needs to begin.
    return [] if workers > own else [Finding(Cause.SAME_PROCESS, sentence)]


def test_another_process_computes(server: Server, processes: Processes) -> None:
    """/cpu keeps another process busy than the server's; the event loop stays free, and /ping is answered meanwhile."""

    def check(seen: Observation) -> list[Finding]:
        answer = seen.answers[0]
        held = checks.holds_the_loop(seen, answer.seconds)
        return right(answer) or held or in_workers(server, seen, processes) or told(answer) or printed(seen, "ASYNC")

    verdict = prove(server, "another process", lambda wait: [cpu(wait)], check, WORKS)
    keep(server, "/cpu", verdict)


def test_a_thread_computes_in_the_servers_process(server: Server, processes: Processes) -> None:
    """/cpu-thread keeps the server's own process busy, in a thread beside the event loop, which gets its turn."""

    def check(seen: Observation) -> list[Finding]:
        answer = seen.answers[0]
        # It shares a lock with the loop: on a busy machine one /ping may wait long for that, but where the loop is held, all do.
        moments = [ping.received - answer.sent for ping in seen.pings if ping.sent > answer.sent]
        parts = {int(PARTS * moment / answer.seconds) for moment in moments if moment < answer.seconds}
        blocked = checks.holds_the_loop(replace(seen, in_threads=[]), answer.seconds) if len(parts) < PARTS else []
        if findings := right(answer) or blocked:
            return findings
        busy = processes.during(seen)
        own = busy.pop(processes.server, 0.0)
        if not seen.in_threads:
            return [Finding(Cause.THREADS, f"during {answer.ask.path} no worker thread was seen at work")]
        if sum(busy.values()) > own:  # Right: nothing. Wrong: nearly all of it.
            sentence = f"during {answer.ask.path} another process computed, and here a thread is to be shown"
            return [Finding(Cause.THREADS, sentence)]
        return told(answer) or printed(seen, "SYNC")

    verdict = prove(server, "a thread", lambda wait: [Ask(f"/cpu-thread?n={n_for(wait)}")], check, WORKS)
    keep(server, "/cpu-thread", verdict)


def test_as_many_workers_as_agreed(server: Server, processes: Processes) -> None:
    """Of four requests at once two are worked on at a time, each in a process of its own, and no more processes ever work."""
    once: list[float] = []

    def asks(wait: float) -> list[Ask]:
        # A worker that is started only now would come too late on a busy machine, and would not be counted.
        run(server, [cpu(wait)] * 4)
        settled(server)
        ask = cpu(2 * wait)
        alone = processes.during(run(server, [ask]))
        once.append(sum(busy for pid, busy in alone.items() if pid != processes.server))
        return [ask] * 4

    def check(seen: Observation) -> list[Finding]:
        if findings := next(filter(None, map(right, seen.answers)), []):
            return findings
        busy = processes.during(seen)
        own, workers = busy.pop(processes.server, 0.0), sum(busy.values())
        sentence = f"for {checks.describe(seen)} the workers computed for {workers:.2f} s, and for one alone {once[-1]:.2f} s"
        if workers < once[-1]:  # Right: four times as long. Wrong: next to nothing, where a result is kept.
            return [Finding(Cause.TOO_FAST, sentence, places=(COMPUTE,))]
        if own > workers / 4:  # Right: what it takes to hand the work over. Wrong: one of four, and a third of the others.
            return [Finding(Cause.SAME_PROCESS, f"{sentence}; the server's own process for {own:.2f} s")]
        share = workers / len(seen.answers) / 2  # Half of what one request takes.
        at_work = [pid for pid, seconds in busy.items() if seconds > share]
        sentence = f"for {checks.describe(seen)} {len(at_work)} processes were at work, and {WORKERS} are right"
        if len(at_work) > WORKERS:
            return sure(Cause.TOO_MANY, sentence, OPEN_WORKERS, COMPUTE)
        return [Finding(Cause.LIMITED, sentence, places=(OPEN_WORKERS, COMPUTE))] if len(at_work) < WORKERS else []

    # Not watched, as above.
    verdict = prove(server, f"{WORKERS} at a time", asks, check, (0.05, 0.1, 0.3), watch=False)
    keep(server, "/cpu x 4", verdict)


def limited(wait: float, factor: float) -> Ask:
    """Return the request for work that takes so many times its limit, which is so many seconds."""
    return Ask(f"/cpu?n={n_for(factor * wait)}&limit={wait}", status=504)


def limit_of(answer: Answer) -> float:
    """Return the limit that a request had, in seconds."""
    return float(answer.ask.path.partition("limit=")[2])


@pytest.mark.usefixtures("processes")
def test_a_deadline_ends_the_waiting(server: Server) -> None:
    """At its limit a request is answered 504, whatever becomes of its worker; one beside it, which takes longer, is answered."""

    def asks(wait: float) -> list[Ask]:
        settled(server)  # Of a try before, work that nobody waits for may still keep a worker.
        return [limited(wait, FACTOR), cpu(1.5 * wait)]

    def check(seen: Observation) -> list[Finding]:
        over, in_time = seen.answers
        # A server that stood still for as long as the work takes finds both at once, its end and the limit.
        if over.status == 200:
            return [Finding(Cause.NO_DEADLINE, late(over, limit_of(over)))]
        words = f"The worker process did not end within {limit_of(over):g} seconds."
        at_limit = at_the_limit(over, limit_of(over))
        return at_limit or refused(over, 504, words, log="\n".join(seen.printed)) or right(in_time)

    keep(server, "/cpu, limited", prove(server, "504 at the limit", asks, check, LIMITS))
    settled(server)  # Where a worker is not stopped, the next test would find it at work.


@pytest.mark.usefixtures("processes")
def test_to_wait_for_a_worker_counts(server: Server) -> None:
    """The limit begins when a request comes, and not when a worker is free: three at once, for two workers, end at it."""

    def check(seen: Observation) -> list[Finding]:
        limit, ends = limit_of(seen.answers[0]), sorted(answer.received for answer in seen.answers)
        statuses = {answer.status for answer in seen.answers}
        # Right: all at once, for they came at once, however late a busy machine is. Wrong: one of them a limit after another.
        if statuses == {504} and ends[-1] - ends[0] < limit / 2:
            return []
        sentence = f"of {len(ends)} requests at once, each with a limit of {limit:g} s, the last was answered "
        return [Finding(Cause.NO_DEADLINE, f"{sentence}{ends[-1] - ends[0]:.2f} s after the first")]

    prove(server, "504 at the limit", lambda wait: [limited(wait, 2)] * (WORKERS + 1), check, SHORT_LIMITS)
    settled(server)


def test_what_nobody_waits_for_is_not_begun(server: Server, processes: Processes) -> None:
    """Work that waits for a worker when its deadline is over is never done; some of it a pool may have handed over already."""
    once: list[float] = []

    def asks(wait: float) -> list[Ask]:
        settled(server)
        alone = processes.during(run(server, [cpu(FACTOR * wait)]))
        once.append(sum(busy for pid, busy in alone.items() if pid != processes.server))
        return [limited(wait, FACTOR)] * QUEUED

    def check(seen: Observation) -> list[Finding]:
        run(server, [QUICK] * WORKERS)  # What is queued comes before that.
        settled(server)
        busy = processes.during(seen)
        worked = sum(seconds for pid, seconds in busy.items() if pid != processes.server)
        over = [answer for answer in seen.answers if answer.status == 504]
        # Right: a few. Wrong: all of them. Where no process works, that is for others to say.
        if not once[-1] or len(over) < QUEUED or worked < (HANDED_OVER + QUEUED) / 2 * once[-1]:
            return []
        sentence = (
            f"{QUEUED} requests for work were answered 504 when their time was over, and the workers kept a processor busy for"
        )
        sentence = f"{sentence} {worked:.2f} s, where one takes {once[-1]:.2f}: what had not begun by then is not to begin"
        return [Finding(Cause.RUNS_ON, sentence)]

    prove(server, "not begun", asks, check, QUEUED_LIMITS, watch=False)


def test_a_killed_worker_is_told_and_replaced(subject: Variant, computing: Computing) -> None:
    """Work whose process is killed is answered 502; the next request is answered, and so it is when an idle worker was killed."""
    accuse(subject, computing.killed, begun_anew(computing.forks))
    answers = computing.killed.answers
    # One may have ended before, or be late, on a machine that is busy enough; not all of them.
    for failed in [answer for answer in answers if answer.status not in {200, 504}] or answers[:1]:
        when = "while its worker process was killed"
        accuse(subject, computing.killed, refused(failed, 502, "The worker process ended", when=when, log=computing.log))
    for when, seen in (("in the middle of work", computing.after), ("while it was idle", computing.after_idle)):
        answer = seen.answers[0]
        if answer.status != 200:
            got = f"{answer.status} {answer.body[:120].decode(errors='replace')}" if answer.status else answer.error
            sentence = f"a worker process was killed {when}, and the next request was answered {got}"
            accuse(subject, seen, sure(Cause.BROKEN_POOL, sentence, COMPUTE, OPEN_WORKERS))
        accuse(subject, seen, right(answer))


def test_no_process_is_left(subject: Variant, computing: Computing) -> None:
    """At the end no worker is left, and none goes on to the end of work that nobody waits for."""
    accuse(subject, computing.abandoned, begun_anew(computing.forks))
    accuse(subject, computing.abandoned, refused(computing.abandoned.answers[0], 504, log=computing.log))
    if computing.left:
        sentence = f"after SIGINT {computing.left} processes are left that the server had started"
        accuse(subject, computing.abandoned, sure(Cause.LEAK, sentence, OPEN_WORKERS))
    # Right: not much more than what it had done at the signal. Wrong: all of it, or so much that the server had to be killed.
    if computing.worked > computing.takes / 2 or (not computing.in_time and computing.went_on > AT_WORK):
        sentence = (
            f"work for {MAX_N:,} that nobody waits for kept a process busy for {computing.worked:.1f} s, and so held up the end"
        )
        accuse(subject, computing.abandoned, sure(Cause.LEAK, sentence, OPEN_WORKERS))
    if not computing.in_time:
        sentence = "with work on the CPU under way that nobody waits for, the server had not ended ten seconds after SIGINT"
        accuse(subject, computing.abandoned, sure(Cause.LINGERS, sentence, OPEN_WORKERS, LIFESPAN, SERVE))

"""A deadline around a call, and around a thread: `deadlines.py`."""

import json
from dataclasses import replace

from shared.lab import checks
from shared.lab.causes import Cause
from shared.lab.experiment import Answer, Ask, Observation
from shared.lab.finding import EARLY, Finding, sure
from shared.lab.refusal import refused
from shared.lab.rules import misstated, waited_for
from shared.lab.server import Server
from shared.lab.verdict import prove
from shared.lesson.contract import TASKS, THREADS
from shared.lesson.limits import MAX_SECONDS
from shared.lesson.work import WORK
from tests.conftest import keep

FACTOR = 4
"""How many times as long as the deadline the work takes, so that midway between both is far from either."""

WAITS = (0.2, 0.4, 0.8)

QUEUED = 3 * THREADS
"""Requests for a thread at once. There are so many threads, or on stacks whose `asyncio.to_thread` has others about as many."""


def over_and_in_time(path: str, wait: float) -> list[Ask]:
    """Return two requests at once: one whose work takes longer than its deadline, and one that has time enough."""
    long = min(FACTOR * wait, MAX_SECONDS)
    return [Ask(f"{path}?seconds={long}&limit={wait}", status=504), Ask(f"{path}?seconds={wait}&limit={long}")]


def at_the_limit(answer: Answer, limit: float) -> list[Finding]:
    """Check that an answer came when its deadline was over."""
    if answer.seconds < limit - EARLY:
        return sure(Cause.NO_DEADLINE, late(answer, limit))
    # Right: the limit. Nearest wrong: the work's own time.
    return [Finding(Cause.NO_DEADLINE, late(answer, limit))] if answer.seconds >= (1 + FACTOR) / 2 * limit else []


def result(answer: Answer) -> list[Finding]:
    """Check the content and the least time of an answer that had time enough."""
    body = json.loads(answer.body)
    if body.keys() != {"result", "elapsed"} or body["result"] != f"{TASKS[0]} result":
        return sure(Cause.WRONG_ANSWER, f"{answer.ask.path} answered {body}, and not the result of {TASKS[0]}, and elapsed")
    sentence = f"{answer.ask.path} answered after {answer.seconds:.3f} s"
    if answer.seconds < answer.ask.wait - EARLY:
        return sure(Cause.TOO_FAST, f"{sentence}, and the work takes longer")
    if misstated(body["elapsed"], answer.ask.wait, answer.seconds):
        return sure(Cause.FALSE_REPORT, f"{sentence}, and says that {body['elapsed']} had passed; the work takes longer")
    return []


def test_a_deadline_breaks_the_call_off(server: Server) -> None:
    """When its time is over, a call is broken off and answered 504; one that is quick enough is answered as ever."""

    def check(seen: Observation) -> list[Finding]:
        over, in_time = seen.answers
        limit = in_time.ask.wait
        if findings := at_the_limit(over, limit):
            return findings
        # A server that stood still for as long as the work takes finds both at once, its end and the limit.
        if over.status == 200:
            return [Finding(Cause.NO_DEADLINE, late(over, limit))]
        words = f"The {WORK} did not answer within {limit:g} seconds."
        if findings := refused(over, 504, words, log="\n".join(seen.printed)) or result(in_time):
            return findings
        return broken_off(seen, over, limit) or waited_for(over, TASKS[0], limit)

    verdict = prove(server, "504 at the limit", lambda wait: over_and_in_time("/deadline", wait), check, WAITS, linger=1)
    keep(server, "/deadline", verdict)


def late(answer: Answer, limit: float) -> str:
    """Say when an answer came, and when it should have."""
    return f"{answer.ask.path} was answered {answer.status} after {answer.seconds:.2f} s, and its limit is {limit:.2f}"


def broken_off(seen: Observation, over: Answer, limit: float) -> list[Finding]:
    """Check that each request made one call, and that the long one was broken off when its time was over."""
    long = [call for call in seen.calls if call.sent["seconds"] > limit * (1 + FACTOR) / 2]
    if len(seen.calls) != len(seen.answers) or len(long) != 1:
        sentence = f"two requests to /deadline made {len(seen.calls)} calls, one each is right"
        # On a busy machine a deadline may be over before there was time for the call.
        return [Finding(Cause.WRONG_CALL, sentence, certain=len(seen.calls) > len(seen.answers))]
    if not long[0].was_left:
        sentence = f"when {over.ask.path} had been answered {over.status}, the service went on working for it, to its end"
        return [Finding(Cause.RUNS_ON, sentence, certain=long[0].end is not None)]
    return []


def test_what_waits_for_a_thread_is_not_begun(server: Server) -> None:
    """A call that has not got its thread when its deadline is over never gets one; those that have one run on."""

    def asks(wait: float) -> list[Ask]:
        return [Ask(f"/deadline-thread?seconds={min(FACTOR * wait, MAX_SECONDS)}&limit={wait}", status=504)] * QUEUED

    def check(seen: Observation) -> list[Finding]:
        # Where the stack waits for a thread's end, no deadline is over, and the answer is a late success.
        if other := next((answer for answer in seen.answers if answer.status not in {200, 504}), None):
            return refused(other, 504)
        begun = "".join(seen.printed).count("Starting")  # Threads that print at the same time may share a line.
        # Right: as many as there are threads. Wrong: all of them, one wave after another; of two one can see so far.
        if begun < 1.5 * THREADS:
            return []
        sentence = (
            f"of {QUEUED} requests to /deadline-thread, whose time was over before there was a thread for each, {begun} got"
        )
        return [Finding(Cause.RUNS_ON, f"{sentence} one; there are about {THREADS}, and nobody waited for more")]

    prove(server, "not begun", asks, check, WAITS, linger=FACTOR + 1, watch=False)


def test_a_deadline_does_not_stop_a_thread(server: Server) -> None:
    """A thread works to its end whatever the deadline; the event loop stays free, and one that is quick enough is answered."""

    def check(seen: Observation) -> list[Finding]:
        over, in_time = seen.answers
        limit = in_time.ask.wait
        if findings := checks.holds_the_loop(seen, limit) or result(in_time):
            return findings
        if not seen.in_threads:
            return [Finding(Cause.THREADS, f"while {over.ask.path} waited, no worker thread was seen at work")]
        if over.status == 504:
            return at_the_limit(over, limit) or refused(over, 504, f"The worker thread did not end within {limit:g} seconds")
        # Where the stack waits for the thread's end, no deadline is over: the answer is a late success.
        return refused(over, 504) if over.status != 200 else result(over)

    path = "/deadline-thread"
    verdict = prove(server, "the thread runs on", lambda wait: over_and_in_time(path, wait), check, WAITS, FACTOR)
    told = "504 at the limit" if verdict.seen.answers[0].status == 504 else "answered when it ends"
    keep(server, path, replace(verdict, name=f"{verdict.name}; {told}"))

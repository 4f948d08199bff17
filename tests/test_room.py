"""Room for threads: `room.py`. The evidence is how many waits are under way together, and how many waves all of them take."""

import itertools
import math
import re
from dataclasses import replace

import pytest

from shared.lab import checks
from shared.lab.causes import Cause
from shared.lab.experiment import Answer, Ask, Observation
from shared.lab.finding import EARLY, Finding
from shared.lab.follow import background
from shared.lab.places import LIFESPAN
from shared.lab.rules import ROUNDING, elapsed
from shared.lab.server import Server
from shared.lab.verdict import prove
from shared.lesson.contract import THREADS
from shared.lesson.request_id import HEADER
from tests.conftest import keep
from tests.trouble import SEARCH, STREAM, about, words_of

MANY = 2 * THREADS + THREADS // 2
"""Requests at once: two full waves, and a half."""

WAVES = math.ceil(MANY / THREADS)
SET = ("room", "set_threads")


def at_once(seen: Observation) -> int:
    """Return how many waits were under way together at the most, by the order in which the console shows begins and ends."""
    # Threads that print at the same time may share a line.
    steps = (1 if word == "Starting" else -1 for word in re.findall("Starting|Finished", "".join(seen.printed)))
    return max(itertools.accumulate(steps), default=0)


def in_waves(seen: Observation) -> list[Finding]:
    """Check that as many requests wait at once as there are threads, and that all take as many waves as that makes.

    When each is answered is left to the stack: what a handler has returned may need a thread as well before it is sent.
    """
    wait, most = seen.answers[0].ask.wait, at_once(seen)
    sentence = f"of {checks.describe(seen)} {most} were under way together, and all took {seen.seconds:.2f} s"
    sentence += f"; {THREADS} at once, and {WAVES} waves of {wait:g} s, are right"
    # Noise makes nothing quicker: more than there are threads for is certain.
    too_many = most > THREADS or seen.seconds < WAVES * wait - EARLY
    if too_many or most < THREADS or seen.seconds >= (WAVES + 0.5) * wait:
        return [Finding(Cause.THREAD_ROOM, sentence, certain=too_many, places=(SET, LIFESPAN))]
    return []


@pytest.mark.parametrize("path", ["/threaded", "/guarded"])
def test_waves_of_exactly_the_limit(server: Server, path: str) -> None:
    """Twenty-five requests that need a thread are answered ten by ten; the event loop stays free."""

    def check(seen: Observation) -> list[Finding]:
        return checks.holds_the_loop(seen, seen.answers[0].ask.wait) or in_waves(seen)

    verdict = prove(server, f"waves of {THREADS}", lambda wait: [Ask(f"{path}?seconds={wait}")] * MANY, check)
    keep(server, f"{path} x {MANY}", verdict)


COMPUTES = "/cpu-thread?n=2"
NEED_A_THREAD = ("/guarded?seconds=0", COMPUTES)
"""Requests that need one of these threads for a moment; those of `/deadline-thread` are others on some stacks."""


AWAITED = (Ask("/async?seconds=0"), Ask("/"), Ask("/background/unknown", status=404))
"""Requests that need none, and are answered at once."""

CALLING = (
    *(Ask(f"/{path}seconds=0") for path in ("patient?", "attentive?", "deadline?limit=10&", "first?", "as-completed?tasks=1&")),
    *(Ask("/limited?tasks=1&seconds=0"), Ask("/group-fails?seconds=0", status=502), background(0)),
    *(about(ask, f"room{place}") for place, ask in enumerate((SEARCH, STREAM))),
)
"""Requests that need none, and call a service first of all."""


def under_a_name(ask: Ask) -> Ask:
    """Return a request whose calls one can tell from those of others: by its query, or by its identifier."""
    return ask if "query=" in ask.path else replace(ask, headers=((HEADER, ask.endpoint.function),))


def name_of(ask: Ask) -> str:
    """Return what a call holds that is made for such a request."""
    return words_of(ask) or ask.endpoint.function


def forgets_the_wait(answer: Answer) -> list[Finding]:
    """Find that an answer leaves out of `elapsed` how long it waited for a thread, by what it says of its one operation."""
    ended = max((operation.end for operation in answer.operations), default=0.0)
    if b'"elapsed"' not in answer.body or elapsed(answer) >= ended - ROUNDING:
        return []
    sentence = f"{answer.ask.path}, which had to wait for a thread, says that it took {elapsed(answer):.2f} s, and in its"
    sentence = f"{sentence} Server-Timing that what it did ended after {ended:.2f} s"
    return [Finding(Cause.FALSE_REPORT, sentence, certain=True, ask=answer.ask)]


def test_all_threads_are_out_of_one_room(server: Server) -> None:
    """While all threads are taken by /threaded, whoever needs one has to wait, however quick it is; what needs none does not."""

    def asks(wait: float) -> list[Ask]:
        quick = [*AWAITED, *map(Ask, NEED_A_THREAD), *map(under_a_name, CALLING)]
        return [*(replace(ask, after=wait / 2) for ask in quick), *[Ask(f"/threaded?seconds={wait}")] * (2 * THREADS)]

    def check(seen: Observation) -> list[Finding]:
        wait, awaited, needy = seen.answers[-1].ask.wait, seen.answers[: len(AWAITED)], seen.answers[len(AWAITED) :]
        for quick in awaited:
            if quick.seconds >= wait / 2:  # Right: at once. Wrong: not before a thread is free, half a wait later at the least.
                sentence = f"while all threads were taken, {quick.ask.path}, which needs none, took {quick.seconds:.2f} s"
                return [Finding(Cause.THREADS, sentence, ask=quick.ask)]
        early = [call for call in seen.calls if call.start < seen.began + wait]  # No thread is free by then.
        for ask in CALLING:
            if not any(call.mentions(name_of(ask)) for call in early):
                sentence = f"while all threads were taken, {ask.path} called no service: it waits for a thread, and needs none"
                return [Finding(Cause.THREADS, sentence, ask=ask)]
        for quick in needy[: len(NEED_A_THREAD)]:
            if quick.received - seen.began < wait - EARLY:  # Right: at the end of a wait. Wrong: half of it sooner.
                sentence = f"while all threads were taken, {quick.ask.path} took {quick.seconds:.2f} s: it has threads of its own"
                return [Finding(Cause.THREAD_ROOM, sentence, ask=quick.ask)]
        return forgets_the_wait(needy[NEED_A_THREAD.index(COMPUTES)])

    keep(server, "/guarded beside", prove(server, "waits for a thread", asks, check))

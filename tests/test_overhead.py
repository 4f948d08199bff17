"""Nothing takes time but the waits: what has nothing to wait for is answered at once.

The other modules ask for waits, and on a busy machine for longer ones. Beside those, something of a fixed size, such as a pause
of 0.3 seconds in front of each call, would be taken for the machine's.
"""

import time

import pytest

from shared.lab.causes import Cause
from shared.lab.experiment import Answer, Ask, Observation, run
from shared.lab.finding import Finding
from shared.lab.refusal import HOOK
from shared.lab.rules import other_status
from shared.lab.server import Server
from shared.lab.talk import Hear, start
from shared.lab.talks import talked
from shared.lab.verdict import judge
from shared.lesson.contract import ENDPOINTS, SOCKET

AT_ONCE = 0.1
"""Seconds. Right: some thousandths, where many calls are made up to 0.04, the first work of a new process 0.06. Nearest wrong: a
pause of as long; a shorter one is not to be told from work, and passes."""

PATIENCE = 6.0
"""For how many seconds to try: a busy machine may hold up each of a few answers so long, but not all that fit into these."""

QUERIES = {"search": "query=budget", "answers": "query=budget", "computing": "n=2"}
"""What those chapters are asked for, and all others for no wait."""

TALK = (start("quick", 0.0), Hear("done", "quick"))


def with_nothing_to_wait_for() -> list[Ask]:
    """Return a request for each endpoint, and two that are refused."""
    asks = []
    for endpoint in ENDPOINTS:
        if endpoint.method == SOCKET:
            asks.append(Ask(endpoint.example, SOCKET, status=endpoint.status, says=TALK))
        else:
            query = QUERIES.get(endpoint.module, "seconds=0")
            asks.append(Ask(f"{endpoint.example}?{query}", endpoint.method, status=endpoint.status))
    return [*asks, Ask("/async?seconds=x", status=422), Ask("/nowhere", status=404)]


def overhead(seen: Observation) -> float:
    """Return how long an answer took, in seconds, without what its services took, where it called some one after another."""
    return seen.answers[0].seconds - sum(call.seconds for call in seen.calls)


def late(answer: Answer, seen: Observation, soonest: float, tries: int) -> list[Finding]:
    """Say that of so many answers none came at once."""
    without = ", without what its services took" if seen.calls else ""
    asked = f"{answer.ask.method} {answer.ask.path}"
    sentence = f"of {tries} times {asked} was answered after {soonest:.2f} s at the soonest{without}"
    cause = Cause.BLOCKS if seen.slowest_ping >= AT_ONCE else Cause.TOO_SLOW
    places = (HOOK,) if answer.status >= 400 else ()
    return [Finding(cause, f"{sentence}; there is nothing to wait for, and {AT_ONCE} are more than enough", places=places)]


@pytest.mark.parametrize("ask", with_nothing_to_wait_for(), ids=lambda ask: f"{ask.method}{ask.path.partition('?')[0]}")
def test_nothing_takes_time_but_the_waits(server: Server, ask: Ask) -> None:
    """With nothing to wait for, each endpoint answers at once: on a busy machine not each time, but once in a few seconds."""
    took, deadline = list[float](), time.monotonic() + PATIENCE
    while not took or min(took) >= AT_ONCE:
        tried_long = time.monotonic() > deadline
        seen = run(server, [ask], watch=tried_long)
        answer = seen.answers[0]
        judge(server, seen, talked(seen) or ([] if answer.status else other_status(answer, seen)))
        took.append(overhead(seen))
        if tried_long and min(took) >= AT_ONCE:
            judge(server, seen, late(answer, seen, min(took), len(took)))

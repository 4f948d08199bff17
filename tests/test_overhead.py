"""Nothing takes time but the waits: what has nothing to wait for is answered at once.

The other modules ask for waits, and on a busy machine for longer ones. Beside those, something of a fixed size, such as a pause
of 0.3 seconds in front of each call, would be taken for the machine's.
"""

import time

import pytest

from shared.lab.experiment import Ask, Observation, run
from shared.lab.overhead import AT_ONCE, late, overhead
from shared.lab.rules import other_status
from shared.lab.server import Server
from shared.lab.talk import Hear, cancel, start
from shared.lab.talks import talked
from shared.lab.verdict import judge
from shared.lesson.contract import ENDPOINTS, SOCKET

PATIENCE, TRIES = 6.0, 10
"""For how many seconds to try, and how often at the least: a busy machine may hold up each of a few answers, not of so many."""

QUERIES = {
    **dict.fromkeys(("search", "answers"), "query=budget"),
    **dict.fromkeys(("limiting", "streaming"), "seconds=0&tasks=1&at_once=1"),
    "computing": "n=2",
}
"""What those chapters are asked for, and all others for no wait."""

TALK = (
    *(start("long", 8.0), Hear("started", "long"), start("quick", 0.0), Hear("done", "quick")),
    *(cancel("long"), Hear("cancelled", "long")),
)
"""A conversation in which one task has nothing to wait for, and the other is broken off."""


def with_nothing_to_wait_for() -> list[Ask]:
    """Return a request for each endpoint, one that calls a third service, and three that are refused."""
    asks = []
    for endpoint in ENDPOINTS:
        if endpoint.method == SOCKET:
            asks.append(Ask(endpoint.example, SOCKET, status=endpoint.status, says=TALK))
        else:
            query = QUERIES.get(endpoint.module, "seconds=0")
            asks.append(Ask(f"{endpoint.example}?{query}", endpoint.method, status=endpoint.status))
    answered = Ask("/search-demo?query=budget&answer=true", "POST")
    refused = [Ask("/async?seconds=x", status=422), Ask("/nowhere", status=404), Ask("/ping", "DELETE", status=405)]
    return [*asks, answered, *refused]


@pytest.mark.parametrize("ask", with_nothing_to_wait_for(), ids=lambda ask: f"{ask.method}{ask.path}-{ask.status}")
def test_nothing_takes_time_but_the_waits(server: Server, ask: Ask) -> None:
    """With nothing to wait for, each endpoint answers at once: on a busy machine not each time, but once in a few seconds."""
    tries, soonest, deadline = 0, float("inf"), time.monotonic() + PATIENCE
    while soonest >= AT_ONCE:
        tries += 1
        is_last = tries > TRIES and time.monotonic() > deadline
        seen: Observation = run(server, [ask], watch=is_last)
        answer = seen.answers[0]
        judge(server, seen, talked(seen) or ([] if answer.status else other_status(answer, seen)))
        if answer.status == ask.status:
            soonest = min(soonest, overhead(seen))
        if is_last and soonest >= AT_ONCE:
            judge(server, seen, late(seen, soonest, tries) if answer.status == ask.status else other_status(answer, seen))

"""Many requests at once, wherever a service is called: as long as there is a place for each call, none waits for another's."""

import pytest

from shared.lab.causes import Cause
from shared.lab.experiment import Ask, Observation
from shared.lab.finding import Finding
from shared.lab.places import CONVERSATION_ENDPOINT, WORK_AND_TELL
from shared.lab.server import Server
from shared.lab.talk import Hear, start
from shared.lab.talks import talked
from shared.lab.upstream import most_at_once
from shared.lab.verdict import prove
from shared.lesson.contract import FACTORS, SOCKET
from shared.lesson.limits import MAX_SECONDS
from shared.lesson.request_id import HEADER
from shared.lesson.work import EARLY, REPLICAS

MANY = 12
"""Requests to each endpoint: more than the five or ten that a limit is likely to have which nobody agreed on."""

WAITS = (0.3, 0.6, 1.2, 2.4)
"""Seconds for which all calls have to be open at once, for each try: a busy machine takes a while to begin them."""

TOGETHER = {
    "one call each": {
        "/patient?seconds={0}": 1,
        "/attentive?seconds={0}": 1,
        "/deadline?limit=10&seconds={0}": 1,
        "/context?seconds={0}": 1,
    },
    "two calls each": {"/limited?tasks=2&at_once=2&seconds={0}": 2},
    "three calls each": {"/first?seconds={0}": REPLICAS, "/as-completed?seconds={0}": len(FACTORS)},
    "three, of which one fails": {"/gather-fails?seconds={1}": len(FACTORS), "/group-fails?seconds={1}": len(FACTORS)},
}
"""Requests that come together, for a wait, or for that of which a part ends early; and how many calls each makes at once. All of
them together make fewer calls than a server may make at once."""


def requests(paths: dict[str, int], wait: float) -> list[Ask]:
    """Return `MANY` requests of each kind, each kind under an identifier of its own."""
    fails = min(EARLY * wait, MAX_SECONDS)  # On a slow machine a wait may be longer than that leaves; it is long enough then.
    asks = [Ask(path.format(wait, fails), status=502 if "fails" in path else 200) for path in paths]
    return [Ask(ask.path, status=ask.status, headers=((HEADER, identifier(ask)),)) for ask in asks for _ in range(MANY)]


def identifier(ask: Ask) -> str:
    """Return the identifier under which an endpoint is asked for."""
    return f"many-{ask.endpoint.function}"


@pytest.mark.parametrize("paths", TOGETHER.values(), ids=TOGETHER.keys())
def test_nobody_waits_for_anothers_place(server: Server, paths: dict[str, int]) -> None:
    """The calls of a dozen requests are all open at once: no lock, no semaphore and no pool of their own holds some back."""

    def check(seen: Observation) -> list[Finding]:
        for place, each in enumerate(paths.values()):
            ask = seen.answers[place * MANY].ask
            calls = [call for call in seen.calls if call.sent["request_id"] == identifier(ask)]
            if (most := most_at_once(calls)) < MANY * each:
                sentence = f"while {MANY} requests to {ask.endpoint.path} waited, {most} of their calls were open at once"
                return [Finding(Cause.LIMITED, f"{sentence}, and {MANY * each} are right", ask=ask)]
        return []

    prove(server, "together", lambda wait: requests(paths, wait), check, WAITS, watch=False)
    server.upstreams.wait_for_calls(MAX_SECONDS)  # What runs on after a failure would be in the way of the next test.


def test_conversations_wait_for_no_other(server: Server) -> None:
    """The tasks of a dozen conversations are all worked on at once: how many each may have is its own."""

    def asks(wait: float) -> list[Ask]:
        return [Ask("/ws", SOCKET, status=101, says=(start("a", wait), Hear("done", "a")))] * MANY

    def check(seen: Observation) -> list[Finding]:
        if findings := talked(seen):
            return findings
        if (most := most_at_once(seen.calls)) < MANY:
            sentence = f"{MANY} conversations had a task each, and {most} of their calls were open at once; {MANY} are right"
            return [Finding(Cause.LIMITED, sentence, places=(WORK_AND_TELL, CONVERSATION_ENDPOINT))]
        return []

    prove(server, "together", asks, check, WAITS, watch=False)

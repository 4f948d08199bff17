"""What an answer takes beside its waits: how much that is, and why it is too much."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus

from shared.lab.causes import Cause
from shared.lab.experiment import Answer, Observation
from shared.lab.finding import Finding
from shared.lab.guard import FOR_LONG
from shared.lab.places import HANDLE_ERROR, SERVER_TIMING, WITH_REQUEST_ID
from shared.lab.upstream import Call

AT_ONCE = 0.1
"""Seconds within which an answer has to come when there is nothing to wait for, or after the end of its wait.

Right: some thousandths, the first work of a new process 0.06. Wrong: a pause, be it a tenth of a second; a shorter one passes,
and so does one that is little longer in front of a search.
"""

FOR_EACH_MORE = AT_ONCE / 4
"""Seconds more for each further call that an answer makes, one after another: on a slow and busy machine three took 0.12."""

TAKE_TIME = {"embeddings", "query", "chat"}
"""Services that take their time without being asked to."""

ON_EVERY_WAY = (SERVER_TIMING, WITH_REQUEST_ID)
"""Where every request comes by."""


def overhead(answer: Answer, calls: Iterable[Call], due: float = 0.0) -> float:
    """Return how many seconds an answer took beside its waits.

    Args:
        answer: What came.
        calls: What services were asked meanwhile. What those took that take time by themselves, called one after another, is left
            out.
        due: For how many seconds it had to wait besides.

    """
    own = [call for call in calls if call.service in TAKE_TIME]
    waited = (min(call.end or answer.received, answer.received) - max(call.start, answer.sent) for call in own)
    return answer.seconds - due - sum(max(0.0, seconds) for seconds in waited)


def allowed(seen: Observation) -> float:
    """Return how many seconds each of some answers, which are alike, may take beside its waits."""
    calls = sum(call.service in TAKE_TIME for call in seen.calls) / len(seen.answers)
    return AT_ONCE + max(0.0, calls - 1) * FOR_EACH_MORE


def late(
    seen: Observation, answer: Answer, sentence: str, held: Sequence[str], *places: tuple[str, str], only_beside: bool = False
) -> list[Finding]:
    """Find why an answer did not come at once.

    Args:
        seen: The last of many tries, which was watched.
        answer: The answer.
        sentence: How often it was asked for, what was measured, and what was expected.
        held: What the guard in the server's process saw hold its event loop meanwhile.
        places: Where to look first, if that is known.
        only_beside: Whether it comes in time when no other like it is under way.

    """
    # Nobody can look where the thread stands while a call into C keeps the interpreter's lock (GIL); the guard notices that.
    if len(seen.on_loop) >= max(seen.looks / 2, 2) or any(FOR_LONG in line for line in held):
        return [Finding(Cause.BLOCKS, sentence, ask=answer.ask)]
    if only_beside:
        return [Finding(Cause.LIMITED, sentence, ask=answer.ask)]
    endpoint = answer.ask.known
    # Its own function first where it is asked as it should be, or is itself what tells whether all are late.
    own = ((endpoint.module, endpoint.function),) if endpoint else ()
    if seen.slowest_ping >= AT_ONCE:  # On the way of every request.
        sentence = f"{sentence}; a /ping beside it took {seen.slowest_ping:.2f} s as well"
        places += (*own, *ON_EVERY_WAY) if endpoint and endpoint.path == "/ping" else ON_EVERY_WAY
    elif answer.status >= HTTPStatus.BAD_REQUEST:
        refused = answer.status < HTTPStatus.INTERNAL_SERVER_ERROR and not (endpoint and endpoint.status == answer.status)
        places += (HANDLE_ERROR,) if refused else (*own, HANDLE_ERROR)
    return [Finding(Cause.TOO_SLOW, sentence, places=places, ask=answer.ask)]

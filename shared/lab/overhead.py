"""What an answer takes beside its waits: how much that is, and why it is too much."""

from shared.lab.causes import Cause
from shared.lab.experiment import Observation
from shared.lab.finding import Finding
from shared.lab.refusal import HOOK

AT_ONCE = 0.1
"""In how many seconds is answered what has nothing to wait for.

Right: some thousandths, the first work of a new process 0.06. Wrong: a pause, be it a tenth of a second; a shorter one passes.
"""

TAKE_TIME = {"embeddings", "query", "chat"}
"""Services that take their time without being asked to."""

ON_EVERY_WAY = (("app", "server_timing"), ("context", "with_request_id"))
"""Where every request comes by."""


def overhead(seen: Observation) -> float:
    """Return how many seconds an answer took, without what services took that were called one after another meanwhile."""
    answer = seen.answers[0]
    calls = [call for call in seen.calls if call.service in TAKE_TIME]
    waited = (min(call.end or answer.received, answer.received) - max(call.start, answer.sent) for call in calls)
    return answer.seconds - sum(max(0.0, seconds) for seconds in waited)


def late(seen: Observation, soonest: float, tries: int) -> list[Finding]:
    """Find why nothing came at once.

    Args:
        seen: The last of so many tries, which was watched.
        soonest: The least that an answer took, in seconds.
        tries: How often it was asked for.

    """
    answer = seen.answers[0]
    asked = f"{answer.ask.method} {answer.ask.path} was sent {tries} times, and answered after {soonest:.2f} s at the soonest"
    without = ", without what its services took" if any(call.service in TAKE_TIME for call in seen.calls) else ""
    sentence = f"{asked}{without}; there is nothing to wait for, and {AT_ONCE} s is more than enough"
    if len(seen.on_loop) >= max(seen.looks / 2, 2):
        return [Finding(Cause.BLOCKS, sentence)]
    endpoint = answer.ask.known
    # Its own function first where it is asked as it should be, or is itself what tells whether all are late.
    own = ((endpoint.module, endpoint.function),) if endpoint else ()
    if seen.slowest_ping >= AT_ONCE:  # On the way of every request.
        places = (*own, *ON_EVERY_WAY) if endpoint and endpoint.path == "/ping" else ON_EVERY_WAY
    elif answer.status >= 400:  # noqa: PLR2004 - HTTP's first error
        places = (*own, HOOK) if endpoint and endpoint.status == answer.status else (HOOK,)
    else:
        places = ()
    return [Finding(Cause.TOO_SLOW, sentence, places=places)]

"""A timeline in characters: a row for each request and each of its operations, and one for the pings that had to wait."""

from collections.abc import Iterable

from shared.lab.experiment import Observation

WIDTH = 60
ROWS = 24
STALL = 0.05
"""A ping that takes this long, in seconds, found the event loop busy; a free one answers in a few milliseconds."""


def draw(seen: Observation) -> str:
    """Return the timeline of an observation.

    `=` is a request or an operation under way, `x` a `/ping` that had to wait because the event loop was busy.
    """
    rows = list(_rows(seen))[:ROWS]
    span = max(seen.seconds, 0.001)
    names = max(len(name) for name, *_ in rows)
    lines = [
        f"  {name:<{names}} |{_bar(start / span, end / span, sign):<{WIDTH}}| {start:5.2f} to {end:.2f} s"
        for name, start, end, sign in rows
    ]
    return "\n".join(lines)


def _rows(seen: Observation) -> Iterable[tuple[str, float, float, str]]:
    for answer in seen.answers:
        began = answer.sent - seen.began
        yield answer.ask.path[:40], began, answer.received - seen.began, "="
        # The server counts from when it took the request, which may be long after it was sent: count back from the answer.
        taken = answer.received - seen.began - max((operation.end for operation in answer.operations), default=0)
        for operation in answer.operations:
            yield f"  {operation.name}", taken + operation.start, taken + operation.end, "="
    for ping in seen.pings:
        if ping.seconds >= STALL:
            yield "/ping waits", ping.sent - seen.began, ping.received - seen.began, "x"


def _bar(start: float, end: float, sign: str) -> str:
    first = max(0, min(WIDTH - 1, round(start * WIDTH)))
    last = max(first + 1, min(WIDTH, round(end * WIDTH)))
    return " " * first + sign * (last - first)

"""A timeline in characters: a row for each request and each of its operations, with the stalls of the event loop in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.lab.experiment import Observation

WIDTH = 60
ROWS = 16
STALL = 0.05
"""A ping that takes this long, in seconds, found the event loop busy; a free one answers in a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, in seconds since the experiment began."""

    start: float
    end: float


def draw(seen: Observation) -> str:
    """Return the timeline of an observation; empty when it has no length.

    `=` is a request or an operation under way, `#` the same while the event loop was held, as a `/ping` found.
    """
    if seen.seconds <= 0:
        return ""
    stalls = [Span(ping.sent - seen.began, ping.received - seen.began) for ping in seen.pings if ping.seconds >= STALL]
    every_row = list(_rows(seen))
    rows = every_row[:ROWS]
    width = max(len(name) for name, _ in rows)
    lines = [
        f"  {name:<{width}} |{_bar(span, stalls, seen.seconds)}| {span.start:5.2f} to {span.end:.2f} s" for name, span in rows
    ]
    if len(every_row) > ROWS:
        lines.append(f"  and {len(every_row) - ROWS} rows more")
    if stalls:
        lines.append(f"  # the event loop was held: /ping had to wait up to {seen.slowest_ping:.2f} s")
    return "\n".join(lines)


def _rows(seen: Observation) -> Iterable[tuple[str, Span]]:
    for answer in seen.answers:
        began, ended = answer.sent - seen.began, answer.received - seen.began
        yield answer.ask.path[:40], Span(began, ended)
        # The server counts from when it took the request, which may be long after it was sent: count back from the answer.
        taken = ended - max((operation.end for operation in answer.operations), default=0)
        for operation in answer.operations:
            yield f"  {operation.name}", Span(taken + operation.start, taken + operation.end)
    for call in seen.calls:
        end = "broken off" if call.was_left else "got"
        yield f"  {call.task or call.service} {end}", Span(call.start - seen.began, (call.end or seen.ended) - seen.began)


def _bar(span: Span, stalls: Sequence[Span], seconds: float) -> str:
    step = seconds / WIDTH
    first = max(0, min(WIDTH - 1, round(span.start / step)))
    last = max(first + 1, min(WIDTH, round(span.end / step)))
    signs = [" "] * WIDTH
    for place in range(first, last):
        middle = (place + 0.5) * step
        signs[place] = "#" if any(stall.start <= middle <= stall.end for stall in stalls) else "="
    return "".join(signs)

"""A timeline in characters: a row for each request and each of its operations, with what `/ping` had to wait for in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.lab.experiment import Ask, Observation

WIDTH = 60
ROWS = 16
STALL = 0.05
"""A ping that takes this long, in seconds, had to wait; on a free event loop one is answered in a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, in seconds since the experiment began."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Row(Span):
    """What was under way in that time.

    Attributes:
        name: The request's path, the operation's name, or the service and how its call ended.
        kind: `request`, `operation`, `call`, or `broken off` for a call whose caller had left.

    """

    name: str
    kind: str


def draw(seen: Observation, first: Ask | None = None) -> str:
    """Return the timeline of an observation, that of the `first` request on top; empty when it has no requests, or no length.

    `=` is a request or an operation under way, `#` the same while a `/ping` had to wait.
    """
    if not seen.answers or seen.seconds <= 0:
        return ""
    held, every_row = stalls(seen), rows(seen, first)
    shown = [(row.name if row.kind == "request" else f"  {row.name}", row) for row in every_row[:ROWS]]
    width = max(len(name) for name, _ in shown)
    lines = [f"  {name:<{width}} |{_bar(row, held, seen.seconds)}| {row.start:5.2f} to {row.end:.2f} s" for name, row in shown]
    if len(every_row) > ROWS:
        lines.append(f"  and {len(every_row) - ROWS} rows more")
    if held:
        lines.append(f"  # /ping had to wait, up to {seen.slowest_ping:.2f} s")
    return "\n".join(lines)


def stalls(seen: Observation) -> list[Span]:
    """Return each time that a `/ping` had to wait: the event loop was held, or something made all requests wait."""
    return [Span(ping.sent - seen.began, ping.received - seen.began) for ping in seen.pings if ping.seconds >= STALL]


def rows(seen: Observation, first: Ask | None = None) -> list[Row]:
    """Return a row for each request, with its operations below it, and then one for each call that the services saw."""
    return [*_requests(seen, first), *_calls(seen)]


def _requests(seen: Observation, first: Ask | None) -> Iterable[Row]:
    for answer in sorted(seen.answers, key=lambda answer: answer.ask is not first):
        began, ended = answer.sent - seen.began, answer.received - seen.began
        yield Row(began, ended, answer.ask.path[:40], "request")
        # The server counts from when it took the request, which may be long after it was sent: count back from the answer, of a
        # stream from its first event, since what it says stands in the head.
        told = answer.arrivals[0][0] - seen.began if answer.arrivals else ended
        taken = told - max((operation.end for operation in answer.operations), default=0)
        for operation in answer.operations:
            yield Row(taken + operation.start, taken + operation.end, operation.name, "operation")


def _calls(seen: Observation) -> Iterable[Row]:
    for call in seen.calls:
        end = "broken off" if call.was_left else "at the service"
        start, ended = call.start - seen.began, (call.end or max(call.start, seen.ended)) - seen.began
        yield Row(start, ended, f"{call.task or call.service} {end}", "broken off" if call.was_left else "call")


def _bar(span: Span, stalls: Sequence[Span], seconds: float) -> str:
    step = seconds / WIDTH
    first = max(0, min(WIDTH - 1, round(span.start / step)))
    last = max(first + 1, min(WIDTH, round(span.end / step)))
    signs = [" "] * WIDTH
    for place in range(first, last):
        middle = (place + 0.5) * step
        signs[place] = "#" if any(stall.start <= middle <= stall.end for stall in stalls) else "="
    return "".join(signs)

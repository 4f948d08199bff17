"""What `/answer-stream` sends: a row of server-sent events, each a name and JSON.

First `documents`, then a `token` for each piece of the answer, and `done` at the end. What goes wrong before the first of them is
answered with a status; after it the status has been sent, and an `error` event takes the place of all that would follow.

The format is https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.lesson import shapes
from shared.lesson.chat import FoundDocument
from shared.lesson.problems import Problem
from shared.lesson.timing import Record

MEDIA_TYPE: Final = "text/event-stream"

HEADERS: Final = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""What keeps caches, and proxies such as nginx, from holding an event back."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name, and what it carries, as JSON."""

    name: str
    data: Mapping[str, object]

    def encode(self) -> bytes:
        """Return it as it is sent. JSON written so has no line break, and a line break would end the data."""
        return f"event: {self.name}\ndata: {json.dumps(self.data)}\n\n".encode()


def documents_found(query: str, documents: Sequence[FoundDocument]) -> Event:
    """Return the first event: what was searched for, and what was found."""
    return Event("documents", {"query": query, "results": shapes.results(documents)})


def token(text: str) -> Event:
    """Return the event for a piece of the answer."""
    return Event("token", {"text": text})


def done(record: Record) -> Event:
    """Return the last event: where the time went, in milliseconds. The header came too early to tell."""
    timings = [
        {"name": entry.name, "start": round(entry.start * 1000, 1), "dur": round((entry.end - entry.start) * 1000, 1)}
        for entry in sorted(record.entries, key=lambda entry: entry.start)
    ]
    return Event("done", {"elapsed_ms": f"{record.elapsed() * 1000:.0f}ms", "timings": timings})


def failed(problem: Problem) -> Event:
    """Return the event that ends a stream in which something went wrong: what its answer would have been, had it not begun."""
    return Event("error", {**problem.body()})

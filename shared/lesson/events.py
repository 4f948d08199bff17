"""Server-sent events: what `/as-completed` tells of each piece of work, and how an event is written.

The format is the one that browsers read with `EventSource` (https://html.spec.whatwg.org/multipage/server-sent-events.html).
"""

import json
from collections.abc import Mapping
from typing import Final, NamedTuple

from shared.lesson.problems import Problem

MEDIA_TYPE: Final = "text/event-stream"
HEADERS: Final = {"Cache-Control": "no-cache"}
KILOBYTE: Final = 1024


class Event(NamedTuple):
    """One event: its kind, `result` or `problem`, and what it tells."""

    kind: str
    data: Mapping[str, object]

    def encode(self) -> bytes:
        """Return it as it is sent."""
        return f"event: {self.kind}\ndata: {json.dumps(self.data)}\n\n".encode()


def arrived(result: str, elapsed: float, kilobytes: int) -> Event:
    """Return the event for a result that was there after `elapsed` seconds, made longer by so many kilobytes."""
    return Event("result", {"result": result, "elapsed": f"{elapsed:.2f}s", "padding": "x" * (kilobytes * KILOBYTE)})


def failed(problem: Problem) -> Event:
    """Return the event for work that failed; the status of the answer was sent long ago, so it has to be told here."""
    return Event("problem", {**problem.body()})

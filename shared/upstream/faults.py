"""Misbehaviour on request, so that a test can see what a variant makes of it: which calls it meets.

What happens to them is told in `misbehaviour`; a stream that goes wrong half-way in `chat`.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from aiohttp import web

SERVICES = ("embeddings", "chat", "query", "work")

INSTEAD = ("answer", "silence", "slow", "drop", "reset", "half", "huge", "drip")
"""What may happen instead of the answer: `answer` with a given status and body; `silence`; be `slow` by `seconds`, then answer as
usual; `drop` the connection, or `reset` it; break off `half`-way; be `huge`, of `size` bytes; `drip` a byte at a time, from its
head on, which may come `late`."""

STREAMED = ("stall", "cut", "garbage", "linger")
"""What may happen to a stream `after` a number of tokens: it goes silent, it breaks off, or it sends `body` and ends; or it
says all, and that it is done, and then keeps the connection open (`linger`)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What to do with a call.

    Attributes:
        kind: One of `INSTEAD` or `STREAMED`.
        status: The status of an `answer`, or of what is `huge`.
        body: The body of an `answer`, or the `garbage`, as it is sent; a byte that is no text stands in an `answer` as Python's
            `surrogateescape` reads it.
        headers: Headers of an `answer`, as pairs.
        seconds: How much later than usual `slow` answers.
        late: After how many seconds `drip` sends its head, or `answer` all that it sends.
        size: How many bytes a `huge` body has, about.
        after: How many tokens a stream sends before it goes wrong.
        marker: Meet every call that carries this text, until told to forget; empty: meet the next calls, whatever they carry.
        times: With a marker, how many calls that carry one and the same text are met; 0 for all of them.

    """

    kind: str
    status: int = 200
    body: str = "{}"
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 1.0
    late: float = 0.0
    size: int = 50_000_000
    after: int = 0
    marker: str = ""
    times: int = 0


class Faults:
    """Faults that wait for calls."""

    def __init__(self) -> None:
        self._planned: dict[str, deque[Fault]] = defaultdict(deque)
        self._marked: dict[str, list[tuple[Fault, Counter[str]]]] = defaultdict(list)

    def plan(self, service: str, fault: Fault, count: int) -> None:
        """Meet the next `count` calls of a service with a fault; or, where the fault has a marker, the calls that carry it."""
        if fault.marker:
            self._marked[service].append((fault, Counter()))
        else:
            self._planned[service].extend([fault] * count)

    def take(self, service: str, text: str) -> Fault | None:
        """Return the fault for a call that just arrived with a text, if there is one: a marked one first, then in order."""
        for fault, met in self._marked[service]:
            if fault.marker in text and (not fault.times or met[text] < fault.times):
                met[text] += 1
                return fault
        planned = self._planned[service]
        return planned.popleft() if planned else None

    def clear(self) -> None:
        """Forget all of them."""
        self._planned.clear()
        self._marked.clear()


FAULTS = web.AppKey("FAULTS", Faults)
FAULT = web.RequestKey("FAULT", Fault)
"""The fault that a stream is to show, in its request."""


def read_plan(asked: Mapping[str, Any]) -> tuple[str, Fault, int]:
    """Return the service, the fault and the count of a plan given as JSON.

    Raises:
        ValueError: There is no such service, kind or field.

    """
    known = {field.name for field in fields(Fault)}
    if unknown := asked.keys() - known - {"service", "count"}:
        raise ValueError(f"A fault has no {', '.join(sorted(unknown))}. It has {', '.join(sorted(known))}.")
    service, fault = asked.get("service", ""), Fault(**{name: value for name, value in asked.items() if name in known})
    if service not in SERVICES:
        raise ValueError(f"There is no service {service!r}. There are {', '.join(SERVICES)}.")
    kinds = (*INSTEAD, *STREAMED) if service == "chat" else INSTEAD
    if fault.kind not in kinds:
        raise ValueError(f"The service {service} knows no fault {fault.kind!r}. It knows {', '.join(kinds)}.")
    return service, fault, asked.get("count", 1)

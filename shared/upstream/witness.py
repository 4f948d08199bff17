"""The witness: a record of every call that the embedded upstreams get, as evidence from outside the server under test."""

import base64
import itertools
import time
from array import array
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

KEPT = 2_000
"""Calls that are remembered; older ones are forgotten. No experiment makes a thousand; a vector takes 12 kilobytes."""

KEPT_HEADERS = ("authorization", "cookie", "x-request-id", "user-agent", "accept-encoding")
"""Headers of a request that are remembered. The key of embedded services is no secret."""


@dataclass(slots=True)
class SeenCall:
    """One call.

    Attributes:
        id: Its number; later calls have greater ones.
        service: `embeddings`, `chat`, `query` or `work`.
        peer: The caller's address; one connection keeps one for all its calls.
        sent: The JSON it came with; None where it came with none.
        headers: Those of `KEPT_HEADERS` that it came with, by their names in small letters.
        start: When its request had arrived, in seconds of `time.monotonic`, which all processes of one machine share.
        end: When its answer was ready, or it was broken off; None while it waits.
        broken_off: Whether the caller left before it was answered.
        at_once: How many calls of any service were open while it was, itself included, at the most.
        status: The status it was answered with; None as long as, or because, it got none.
        answered: What it was answered with, as far as the suite wants to compare it: the first vector; the titles; for `chat`
            its `text` and, of a stream, its `tokens`, each with when it was sent.

    """

    id: int
    service: str
    peer: str
    sent: Any
    headers: dict[str, str] = field(default_factory=dict)
    start: float = field(default_factory=time.monotonic)
    end: float | None = None
    broken_off: bool = False
    at_once: int = 1
    status: int | None = None
    answered: Any = None


class Witness:
    """All calls so far, and those that are open now."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._calls: deque[SeenCall] = deque(maxlen=KEPT)
        self._open: dict[int, SeenCall] = {}
        self.last = 0

    @contextmanager
    def watch(self, service: str, peer: str, sent: object, headers: Mapping[str, str]) -> Iterator[SeenCall]:
        """Record one call: everything inside the `with` block. Leaving it with an exception means broken off."""
        kept_headers = {name: headers[name] for name in KEPT_HEADERS if name in headers}
        call = SeenCall(next(self._numbers), service, peer, packed(sent), kept_headers)
        self.last = call.id
        self._calls.append(call)
        self._open[call.id] = call
        for other in self._open.values():
            other.at_once = max(other.at_once, len(self._open))
        call.broken_off = True
        try:
            yield call
            call.broken_off = False
        finally:
            call.end = time.monotonic()
            call.answered = packed(call.answered)
            del self._open[call.id]

    def report(self, after: int = 0) -> dict[str, object]:
        """Return, as JSON, the calls with a number greater than `after`, how many are open now, and the last number given.

        A vector stands there as `{"float64": its bytes in base64}`: to write and read its numbers takes ten times as long.
        """
        names = [each.name for each in fields(SeenCall)]
        calls = [{name: as_json(getattr(call, name)) for name in names} for call in self._calls if call.id > after]
        return {"calls": calls, "open": len(self._open), "last": self.last}


def packed(value: Any) -> Any:  # noqa: ANN401 - JSON is any
    """Return JSON in which each vector is an array: 8 bytes a number, and not the 32 of a float in a list."""
    if isinstance(value, dict):
        return {name: packed(inner) for name, inner in value.items()}
    if not isinstance(value, list):
        return value
    if set(map(type, value)) == {float}:
        return array("d", value)
    return [packed(inner) for inner in value]


def as_json(value: Any) -> Any:  # noqa: ANN401 - JSON is any
    """Return what was packed as JSON again, in which vectors are still packed."""
    if isinstance(value, dict):
        return {name: as_json(inner) for name, inner in value.items()}
    if isinstance(value, array):
        return {"float64": base64.b64encode(value).decode()}
    return [as_json(inner) for inner in value] if isinstance(value, list | tuple) else value


def from_json(value: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON is any
    """Return an object of that JSON as it is, or the vector that it stands for; for `json.load` as its `object_hook`."""
    return array("d", base64.b64decode(value["float64"])).tolist() if value.keys() == {"float64"} else value

"""One call to an upstream, as a variant sends it, and what every answer to one is checked for."""

import json
import math
import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, NoReturn

from shared.lesson.problems import UpstreamBusy, UpstreamFailed

MAX_CALLS: Final = 100
"""Calls that one server makes at once; more have to wait for one of them to end, within their deadlines."""

MAX_IDLE: Final = 5.0
"""Seconds for which an unused connection is kept. A service may close one at any time; one that just does is of no use."""

MAX_CONTENT: Final = 2**20
"""Bytes of an answer; the longest that is right, a vector, has about 65,000."""

RETRY_PAUSE: Final = (0.05, 0.15)
"""The shortest and the longest pause before a second attempt, in seconds."""


@dataclass(frozen=True, slots=True)
class Call:
    """One POST request to an upstream.

    Attributes:
        service: What the upstream is called in messages.
        url: Where to send it.
        body: What to send, as JSON.
        headers: What to send along; may hold a secret, so it is not shown.
        deadline: How long the whole answer may take, in seconds: waiting for a connection, and all attempts, included.
        attempts: How often it may be sent in all. A second time, when no answer began or the service said 503, is for calls that
            may be repeated unharmed, and no more than once: a service in trouble needs fewer calls, and not more. Nor is it for
            a connection that was not there within its own deadline: a second would take as long again.

    """

    service: str
    url: str
    body: Mapping[str, object] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    deadline: float
    attempts: int = 1


@dataclass(slots=True)
class Content:
    """The content of an answer, as it comes in; without a limit, one that never ends would fill the memory."""

    service: str
    received: bytearray = field(default_factory=bytearray)

    def add(self, piece: bytes) -> None:
        """Take in a piece.

        Raises:
            UpstreamFailed: It is more than `MAX_CONTENT` bytes by now.

        """
        self.received += piece
        if len(self.received) > MAX_CONTENT:
            raise UpstreamFailed(self.service, f"answered with more than {MAX_CONTENT:,} bytes")


def retry_pause() -> float:
    """Return how long to wait before a second attempt, in seconds: never twice the same, or all would come again at once."""
    return random.uniform(*RETRY_PAUSE)  # noqa: S311 - it need not be hard to guess


def check_status(call: Call, status: int, headers: Mapping[str, str]) -> None:
    """Let an answer pass whose status is 200; a stream is checked so before any of it is read.

    Raises:
        UpstreamBusy: The status is 429.
        UpstreamFailed: It is another.

    """
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise UpstreamBusy(call.service, headers.get("Retry-After"))
    if status != HTTPStatus.OK:
        raise UpstreamFailed(call.service, f"answered with the status {status}")


def read_answer(call: Call, status: int, headers: Mapping[str, str], content: bytes | bytearray) -> Any:  # noqa: ANN401 - JSON is any
    """Return the JSON that an upstream answered with.

    Raises:
        UpstreamBusy: It answered 429.
        UpstreamFailed: It answered with another status than 200, or with something that is not JSON.

    """
    check_status(call, status, headers)
    return read_json(call.service, content)


def read_json(service: str, content: bytes | bytearray) -> Any:  # noqa: ANN401 - JSON is any
    """Return the JSON that a service sent.

    Raises:
        UpstreamFailed: It is not JSON.

    """
    try:
        return json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):  # RecursionError: brackets nested a few thousand deep.
        raise unexpected(service) from None


def unexpected(service: str) -> UpstreamFailed:
    """Return the error for JSON that is not as agreed."""
    return UpstreamFailed(service, "answered with something that is not the agreed JSON")


def numbers(values: Collection[Any]) -> list[float]:
    """Return values that are finite numbers, or raise a TypeError or an OverflowError."""
    # In Python True is an int; in JSON it is not a number.
    if not set(map(type, values)) <= {int, float} or not all(map(math.isfinite, values)):
        raise TypeError
    return list(map(float, values))


def text(value: object) -> str:
    """Return a value that is a text which can be sent on, or raise a TypeError or a ValueError."""
    if not isinstance(value, str):
        raise TypeError
    # JSON can spell half a character ("\ud800"), which cannot be sent on: encode() refuses it with a ValueError.
    value.encode()
    return value


def _refuse_constant(name: str) -> NoReturn:
    # Python reads NaN and Infinity, which JSON does not have (RFC 8259, section 6).
    raise ValueError(name)

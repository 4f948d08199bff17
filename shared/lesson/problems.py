"""What can go wrong, as exceptions; and RFC 9457 problem details, the one shape in which a client is told.

A variant raises these (or its framework's own errors) anywhere, and one error hook in its `app.py` turns all of them into
answers of the type `application/problem+json`.
"""

from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from shared.lesson.typed import TypedDict

MEDIA_TYPE = "application/problem+json"

LONGEST_PAUSE = 10
"""Digits of a `Retry-After` that is passed on: with these it may already be three centuries."""

LONGEST_DATE = 40
"""Characters of a `Retry-After` that is passed on; the longest form of a date that HTTP knows has 33."""


class ProblemDetails(TypedDict):
    """The body of every answer that is not a success (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it a problem
    """A reason to answer with something else than success.

    Attributes:
        status: The HTTP status.
        detail: One sentence for the person who reads the answer.
        headers: Headers that the status asks for, such as `Allow` with 405.

    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})

    def body(self) -> ProblemDetails:
        """Return the JSON body."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }


class InvalidParameter(Problem):
    """A parameter is missing or not allowed: 422, naming it and what is allowed."""

    def __init__(self, name: str, rule: str) -> None:
        super().__init__(HTTPStatus.UNPROCESSABLE_ENTITY, f"The parameter {name} must be {rule}.")


class UpstreamFailed(Problem):
    """An upstream did not do what was agreed: 502."""

    def __init__(self, service: str, reason: str) -> None:
        super().__init__(HTTPStatus.BAD_GATEWAY, f"The {service} {reason}.")


class UpstreamUnreachable(UpstreamFailed):
    """No connection to an upstream could be made, be it refused or not there in time: 502."""

    def __init__(self, service: str) -> None:
        super().__init__(service, "cannot be reached")


class UpstreamBroke(UpstreamFailed):
    """An upstream broke off its answer, or what it said was not HTTP: 502."""

    def __init__(self, service: str) -> None:
        super().__init__(service, "broke off its answer")


class UpstreamTimedOut(Problem):
    """An upstream did not answer within its deadline: 504."""

    def __init__(self, service: str, seconds: float) -> None:
        super().__init__(HTTPStatus.GATEWAY_TIMEOUT, f"The {service} did not answer within {seconds:g} seconds.")


class ThreadTimedOut(Problem):
    """A worker thread did not end within its deadline, and cannot be stopped: 504."""

    def __init__(self, seconds: float) -> None:
        super().__init__(HTTPStatus.GATEWAY_TIMEOUT, f"The worker thread did not end within {seconds:g} seconds; it works on.")


class WorkTimedOut(Problem):
    """Work in a worker process did not end within its deadline: 504. What becomes of the worker is the stack's."""

    def __init__(self, seconds: float) -> None:
        super().__init__(HTTPStatus.GATEWAY_TIMEOUT, f"The worker process did not end within {seconds:g} seconds.")


class WorkerDied(Problem):
    """A worker process ended in the middle of its work, killed or crashed: 502. Tried again, the work might kill the next one."""

    def __init__(self) -> None:
        super().__init__(HTTPStatus.BAD_GATEWAY, "The worker process ended before its work was done.")


class ClientLeft(Problem):
    """The client has left, so nobody will read this: 503, because an answer has to have a status."""

    def __init__(self) -> None:
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, "The client left before its answer was ready.")


class UpstreamBusy(Problem):
    """An upstream asks for a pause (its 429): 503, with its `Retry-After` where it gives one that can be read."""

    def __init__(self, service: str, retry_after: str | None) -> None:
        headers = {"Retry-After": _readable_retry_after(retry_after)}
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, f"The {service} is busy. Try again later.", headers)


def _readable_retry_after(value: str | None) -> str:
    """Return `Retry-After` as it was given, in seconds or as a date; "1" where it says neither."""
    text = (value or "").strip()
    if not text.isascii() or not text.isprintable() or len(text) > LONGEST_DATE:  # A server may break on others.
        return "1"
    if text.isdigit():
        return text if len(text) <= LONGEST_PAUSE else "1"
    try:
        parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # OverflowError: a time zone beyond all bounds.
        return "1"
    return text


def from_status(status: int, headers: Mapping[str, str] | None = None) -> Problem:
    """Return the problem for a status that a framework decided on by itself, such as 404 or 405."""
    details = {
        HTTPStatus.NOT_FOUND: "There is nothing at this path.",
        HTTPStatus.METHOD_NOT_ALLOWED: "This path does not answer this method. The Allow header lists those it does.",
        HTTPStatus.INTERNAL_SERVER_ERROR: "Something unforeseen went wrong. The server's log says what.",
    }
    return Problem(status, details.get(HTTPStatus(status), f"{HTTPStatus(status).phrase}."), headers)


def foreseen(error: Exception, as_problem: Callable[[Exception], Problem | None]) -> Problem | None:
    """Return the problem that an error is, or those that a task group wrapped; None where there is one that nobody foresaw.

    Args:
        error: What was raised.
        as_problem: How a single error reads as a problem on this stack; None for one that nobody foresaw.

    """
    if not isinstance(error, ExceptionGroup):
        return as_problem(error)
    found = [foreseen(inner, as_problem) for inner in error.exceptions]
    # The first stands for all. With one that nobody foresaw among them, the whole is unforeseen: it must not go unlogged.
    return None if None in found else found[0]

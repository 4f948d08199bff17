"""Problems: which errors a client is told of, in which words, and what of an upstream's pause is passed on."""

from http import HTTPStatus

import pytest

from shared.lesson.problems import Problem, UpstreamBroke, UpstreamBusy, foreseen, from_status

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


class FrameworkError(Exception):
    """Stands for what a framework raises by itself."""


def as_problem(error: Exception) -> Problem | None:
    """Read a single error, as a variant's error hook does."""
    if isinstance(error, FrameworkError):
        return from_status(404)
    return error if isinstance(error, Problem) else None


OURS, THEIRS, UNFORESEEN = UpstreamBroke("service"), FrameworkError(), RuntimeError()

FORESEEN = {
    "one of ours": (OURS, 502),
    "the framework's": (THEIRS, 404),
    "ours in a group": (ExceptionGroup("", [OURS]), 502),
    "the framework's in a group": (ExceptionGroup("", [THEIRS]), 404),
    "the first of two": (ExceptionGroup("", [THEIRS, OURS]), 404),
    "in a group of groups": (ExceptionGroup("", [ExceptionGroup("", [OURS]), THEIRS]), 502),
}

NOT_FORESEEN = {
    "alone": UNFORESEEN,
    "in a group": ExceptionGroup("", [UNFORESEEN]),
    "behind one of ours": ExceptionGroup("", [OURS, UNFORESEEN]),
    "before the framework's": ExceptionGroup("", [UNFORESEEN, THEIRS]),
    "deep in a group": ExceptionGroup("", [OURS, ExceptionGroup("", [THEIRS, UNFORESEEN])]),
}


@pytest.mark.parametrize(("error", "status"), FORESEEN.values(), ids=FORESEEN)
def test_foreseen(error: Exception, status: int) -> None:
    """An error that is foreseen is told as the problem it is, also out of a task group."""
    problem = foreseen(error, as_problem)
    assert problem
    assert problem.status == status


@pytest.mark.parametrize("error", NOT_FORESEEN.values(), ids=NOT_FORESEEN)
def test_not_foreseen(error: Exception) -> None:
    """A single error that nobody foresaw makes the whole group unforeseen, so that it is logged."""
    assert foreseen(error, as_problem) is None


PAUSES = {
    "seconds": ("7", "7"),
    "spaces around them": (" 7 ", "7"),
    "ten digits": ("9" * 10, "9" * 10),
    "eleven digits": ("9" * 11, "1"),
    "thousands of digits": ("9" * 5000, "1"),
    "digits of another script": ("\u0667", "1"),
    "a fraction": ("1.5", "1"),
    "less than nothing": ("-1", "1"),
    "nothing": ("", "1"),
    "no header": (None, "1"),
    "a word": ("soon", "1"),
    "a date": (DATE, DATE),
    "a date in HTTP's oldest form": ("Wednesday, 21-Oct-26 07:28:00 GMT", "Wednesday, 21-Oct-26 07:28:00 GMT"),
    "a date with a story": (DATE + " x" * 5000, "1"),
    "a date with a control character": (DATE.replace("Oct ", "Oct\x1c"), "1"),
    "a date in a zone beyond all bounds": ("21 Oct 2026 07:28:00 +999999999999999999", "1"),
}


@pytest.mark.parametrize(("given", "passed_on"), PAUSES.values(), ids=PAUSES)
def test_retry_after(given: str | None, passed_on: str) -> None:
    """A pause is passed on as the upstream gave it, in seconds or as a date, where a server can send it; else it is 1 second."""
    problem = UpstreamBusy("service", given)
    assert problem.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert problem.headers == {"Retry-After": passed_on}

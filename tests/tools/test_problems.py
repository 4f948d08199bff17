"""Problems: what of an upstream's pause is passed on."""

from http import HTTPStatus

import pytest

from shared.lesson.problems import UpstreamBusy

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"

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

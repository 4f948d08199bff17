"""What a client may ask for, in one place: the numbers, and the words for them.

FastAPI checks a parameter from its declaration (`Query(ge=…, le=…)`) and takes the numbers from here. The other stacks hand a
handler plain text, and call `read_seconds`, `read_query` and `read_answer`.
"""

import re
from typing import Final

from shared.lesson.problems import InvalidParameter

MIN_SECONDS: Final = 0.0
MAX_SECONDS: Final = 10.0

MIN_TASKS: Final = 1
MAX_TASKS: Final = 50
MAX_KILOBYTES: Final = 1024

MIN_N: Final = 1
MAX_N: Final = 2_000_000  # Some seconds of work for a processor: a request must not keep one for longer.

MAX_QUERY_LENGTH: Final = 1000  # characters, of any script
QUERY_PATTERN: Final = r"[^\s\x1c-\x1f]"  # Something to read; Python counts four control characters as spaces, Rust does not.

RULES: Final = {
    "seconds": f"a number from {MIN_SECONDS:g} to {MAX_SECONDS:g}",
    "limit": f"a number from {MIN_SECONDS:g} to {MAX_SECONDS:g}",
    "tasks": f"a whole number from {MIN_TASKS} to {MAX_TASKS}",
    "at_once": f"a whole number from {MIN_TASKS} to {MAX_TASKS}",
    "kilobytes": f"a whole number from 0 to {MAX_KILOBYTES:,}",
    "query": f"a text of 1 to {MAX_QUERY_LENGTH:,} characters, not only spaces",
    "answer": "true or false",
    "fails": "true or false",
    "n": f"a whole number from {MIN_N} to {MAX_N:,}",
}


def invalid(name: str) -> InvalidParameter:
    """Return the problem that says what is allowed for the parameter of this name."""
    return InvalidParameter(name, RULES[name])


def read_seconds(text: str | None, default: float, name: str = "seconds") -> float:
    """Return how many seconds a client wants a handler to wait, or to be waited for.

    Args:
        text: The parameter as it came; None when the client did not send it.
        default: What the endpoint waits when nothing is asked for, in seconds.
        name: What the parameter is called.

    Raises:
        InvalidParameter: It is not a finite number within the limits.

    """
    if text is None:
        return default
    try:
        seconds = float(text)
    except ValueError:
        raise invalid(name) from None
    # NaN compares false with everything, so it fails this too.
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise invalid(name)
    return seconds


def read_count(text: str | None, default: int, name: str) -> int:
    """Return how many tasks a client wants done, in all or at once.

    Args:
        text: The parameter as it came; None when the client did not send it.
        default: How many it is when nothing is asked for.
        name: What the parameter is called.

    Raises:
        InvalidParameter: It is not a whole number within the limits.

    """
    return default if text is None else _whole_number(text, name, MIN_TASKS, MAX_TASKS)


def read_kilobytes(text: str | None, default: int) -> int:
    """Return by how many kilobytes a client wants each event made longer; otherwise like `read_count`."""
    return default if text is None else _whole_number(text, "kilobytes", 0, MAX_KILOBYTES)


def read_n(text: str | None, default: int) -> int:
    """Return below which number a client wants the primes counted; otherwise like `read_count`."""
    return default if text is None else _whole_number(text, "n", MIN_N, MAX_N)


def read_query(text: str | None) -> str:
    """Return what a client searches for, unchanged.

    Args:
        text: The parameter as it came; None when the client did not send it.

    Raises:
        InvalidParameter: It is missing, empty, only spaces, or too long.

    """
    if text is None or len(text) > MAX_QUERY_LENGTH or not re.search(QUERY_PATTERN, text):
        raise invalid("query")
    return text


def read_answer(text: str | None) -> bool:
    """Return whether a client wants an answer beside the documents.

    Args:
        text: The parameter as it came; None when the client did not send it.

    Raises:
        InvalidParameter: It is neither `true` nor `false`.

    """
    return _yes_or_no(text, "answer")


def read_fails(text: str | None) -> bool:
    """Return whether a client wants to see the work fail; otherwise like `read_answer`."""
    return _yes_or_no(text, "fails")


def _yes_or_no(text: str | None, name: str) -> bool:
    if text not in {None, "true", "false"}:
        raise invalid(name)
    return text == "true"


def _whole_number(text: str, name: str, least: int, most: int) -> int:
    try:
        number = int(text)
    except ValueError:
        raise invalid(name) from None
    if not least <= number <= most:
        raise invalid(name)
    return number

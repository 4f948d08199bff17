"""The identifier of a request, by which its traces are found again: in logs, in threads, and in the services behind.

It travels in a context variable, which tasks and worker threads started by the request inherit, so nothing has to hand it on.
"""

import re
import uuid
from contextvars import ContextVar
from typing import Final

HEADER: Final = "X-Request-ID"

_ALLOWED: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)
_current: ContextVar[str] = ContextVar("request_id", default="")


def begin(given: str | None) -> str:
    """Set the identifier of the request that the present task serves, and return it.

    Args:
        given: What the client sent; one that could forge a line of a log or a header is replaced, and so is none.

    """
    chosen = given if given and _ALLOWED.fullmatch(given) else uuid.uuid4().hex
    _current.set(chosen)
    return chosen


def current() -> str:
    """Return the identifier of the present request; empty where none has begun, as in a thread without its context."""
    return _current.get()

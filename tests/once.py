"""What is done once, by whoever comes to it first; all others wait for the same result."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Once(Generic[Result]):
    """Something to do once.

    A thread of its own may begin it ahead of time. Where none has come to it yet, whoever asks for the result does it now, and
    so it never waits for a thread that is at work on something else.
    """

    def __init__(self, do: Callable[[], Result]) -> None:
        self._do = do
        self._doing = Lock()
        self._done: Future[Result] = Future()

    def result(self) -> Result:
        """Return the result, or raise what it ended with."""
        with self._doing:
            if not self._done.done():
                try:
                    self._done.set_result(self._do())
                except BaseException as error:  # noqa: BLE001 - each who asks gets it: after a Ctrl-C nobody begins it anew
                    self._done.set_exception(error)
        return self._done.result()

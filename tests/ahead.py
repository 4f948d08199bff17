"""Tests that a thread runs before pytest comes to them, over a server of their own.

Pytest runs one test after another, and most of them mostly wait. When the experiments in the background are over, the processor
has time to spare, and half of the tests may be to come. Then a thread takes them from the end of the list, until pytest meets it.
"""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

Test = TypeVar("Test")

ENOUGH = 20
"""Tests that have to be left: for fewer it would take longer to start a server than to wait."""


class Ahead(Generic[Test]):
    """Tests of which each is run once: by pytest when it comes to it, or ahead of that.

    Args:
        tests: Those that may be run ahead, in pytest's order.

    """

    def __init__(self, tests: Iterable[Test]) -> None:
        self._left = deque(tests)
        self._taken: dict[Test, Future[None]] = {}
        self._choosing = Lock()

    @property
    def is_worth_it(self) -> bool:
        """Whether there are tests enough left to start a server for."""
        return len(self._left) >= ENOUGH

    def run(self, one: Callable[[Test], None]) -> None:
        """Run tests, from the last on, until pytest has come to all others, or `stop` has been called.

        Args:
            one: Runs a test, over a server that pytest does not use.

        """
        while (taken := self._take_last()) is not None:
            test, ended = taken
            try:
                one(test)
            except BaseException as error:  # noqa: BLE001 - it is the test's result, also where that is to be skipped
                ended.set_exception(error)
            else:
                ended.set_result(None)

    def _take_last(self) -> tuple[Test, Future[None]] | None:
        with self._choosing:
            if not self._left:
                return None
            test = self._left.pop()
            self._taken[test] = Future()
            return test, self._taken[test]

    def has_run(self, test: Test) -> bool:
        """Return whether a test was run ahead, and wait for its end where it has begun; where not, it is pytest's from now on.

        Raises:
            BaseException: What the test ended with, if it failed.

        """
        with self._choosing:
            if test in self._left:
                self._left.remove(test)
            ended = self._taken.get(test)
        if ended is None:
            return False
        ended.result()
        return True

    def stop(self) -> None:
        """Let no more tests be begun ahead."""
        with self._choosing:
            self._left.clear()

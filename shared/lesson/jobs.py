"""What becomes of work that goes on after its answer: which of it runs, what came of the rest, and how much of both is kept.

Only the books are kept here. Where the work runs, who waits for it and what is told of a failure is each stack's own.
"""

import uuid
from collections import OrderedDict
from http import HTTPStatus
from typing import Final

from shared.lesson.problems import Problem
from shared.lesson.shapes import BackgroundState

MAX_RUNNING: Final = 8
"""Pieces of work that may run at once. One more is refused: what waits unseen in a queue is promised, and not done."""

MAX_KEPT: Final = 20
"""Pieces of work that have ended and of which one can still ask what came of them; the oldest is forgotten first."""

GRACE: Final = 2.0
"""Seconds that work has to end in when the server stops, after the last request; then it is broken off, and that is logged."""


class TooMuchWork(Problem):
    """As much work runs as may: 503, with a `Retry-After`."""

    def __init__(self) -> None:
        headers = {"Retry-After": "1"}
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, "Too much work is under way. Try again later.", headers)


class UnknownWork(Problem):
    """There is no work with this identifier, or it ended so long ago that it has been forgotten: 404."""

    def __init__(self) -> None:
        super().__init__(HTTPStatus.NOT_FOUND, "There is no such work, or it ended long ago.")


class Jobs:
    """The books: each piece of work under its identifier. Call it on the event loop only.

    Args:
        keep: How many to remember of those that have ended.

    """

    def __init__(self, keep: int = MAX_KEPT) -> None:
        self._keep = keep
        self._running: dict[str, BackgroundState] = {}
        self._ended: OrderedDict[str, BackgroundState] = OrderedDict()

    def begin(self, at_most: int = MAX_RUNNING) -> BackgroundState:
        """Enter a new piece of work, and return its state.

        Args:
            at_most: How many may run at once, this one included.

        Raises:
            TooMuchWork: So many run already.

        """
        if len(self._running) >= at_most:
            raise TooMuchWork
        state: BackgroundState = {"id": uuid.uuid4().hex, "state": "running"}
        self._running[state["id"]] = state
        return state

    def done(self, job: str, result: str) -> None:
        """Enter that the work with this identifier has ended well, and its result."""
        self._end({"id": job, "state": "done", "result": result})

    def failed(self, job: str, problem: Problem) -> None:
        """Enter that the work with this identifier has failed, and why."""
        self._end({"id": job, "state": "failed", "problem": problem.body()})

    def state(self, job: str) -> BackgroundState:
        """Return what is known of the work with this identifier.

        Raises:
            UnknownWork: Nothing is.

        """
        state = self._running.get(job) or self._ended.get(job)
        if state is None:
            raise UnknownWork
        return state

    def _end(self, state: BackgroundState) -> None:
        del self._running[state["id"]]
        self._ended[state["id"]] = state
        while len(self._ended) > self._keep:
            self._ended.popitem(last=False)


def location(state: BackgroundState) -> str:
    """Return the path under which one can ask for a piece of work."""
    return f"/background/{state['id']}"

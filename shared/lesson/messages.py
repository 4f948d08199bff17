"""What is said over `/ws`, in small JSON messages.

A client says `{"start": "a", "seconds": 0.5}` and `{"cancel": "a"}`; the name is its own choice. It is told `{"started": "a"}`,
and then, once, how that ended: `done`, `failed` or `cancelled`. What cannot be done is told as an `error`, and the conversation
goes on.
"""

import json
import re
from collections.abc import Collection
from typing import Final, NamedTuple, NotRequired

from shared.lesson.limits import MAX_SECONDS, MIN_SECONDS
from shared.lesson.problems import Problem
from shared.lesson.typed import TypedDict
from shared.lesson.work import Task

MAX_RUNNING: Final = 10
"""Tasks that one conversation may have running; whoever wants more waits for one to end."""

MAX_NAME: Final = 64

ERRORS: Final = {
    "not-json": "A message is a JSON object, as text.",
    "unknown-message": 'A message is {"start": NAME, "seconds": NUMBER} or {"cancel": NAME}, and holds nothing else.',
    "invalid-name": f"A name is a text of 1 to {MAX_NAME} letters, digits, dots, hyphens and underscores.",
    "invalid-seconds": f"The seconds are a number from {MIN_SECONDS:g} to {MAX_SECONDS:g}.",
    "already-running": "A task of this name is running; a name is free again when its task has ended.",
    "too-many": f"There are {MAX_RUNNING} tasks running, and no more are allowed; start this one when one of them has ended.",
    "not-running": "No task of this name is running.",
}
"""What a message can be refused for, and how that is said."""

_NAME: Final = re.compile(rf"[\w.-]{{1,{MAX_NAME}}}", re.ASCII)


class Message(TypedDict):
    """What a client is told; one of the first five says what it is."""

    started: NotRequired[str]
    done: NotRequired[str]
    failed: NotRequired[str]
    cancelled: NotRequired[str]
    error: NotRequired[str]
    result: NotRequired[str]
    elapsed: NotRequired[str]
    status: NotRequired[int]
    detail: NotRequired[str]
    name: NotRequired[str]


class Cancel(NamedTuple):
    """What a client says to have a task broken off."""

    name: str


class Refused(Exception):  # noqa: N818 - a message is refused; the server made no error
    """A message that cannot be followed.

    Attributes:
        message: How the client is told.

    """

    def __init__(self, error: str, name: str = "") -> None:
        super().__init__(error)
        self.message: Message = {"error": error, "detail": ERRORS[error]}
        if name:
            self.message["name"] = name


def read(text: str, running: Collection[str]) -> Task | Cancel:
    """Return what a client wants: a task to be started, or one to be cancelled.

    Args:
        text: What it said; empty where it said something that is not text.
        running: The names of this conversation's tasks that have not ended.

    Raises:
        Refused: That cannot be understood, or not be done now.

    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):  # RecursionError: brackets nested a few thousand deep.
        raise Refused("not-json") from None
    if not isinstance(said, dict):
        raise Refused("not-json")
    if said.keys() == {"start", "seconds"}:
        return _read_start(said["start"], said["seconds"], running)
    if said.keys() == {"cancel"}:
        return _read_cancel(said["cancel"], running)
    raise Refused("unknown-message")


def started(name: str) -> Message:
    """Return what is told when a task begins."""
    return {"started": name}


def done(name: str, result: str, elapsed: float) -> Message:
    """Return what is told of a task that ended well, `elapsed` seconds after it began."""
    return {"done": name, "result": result, "elapsed": f"{elapsed:.2f}s"}


def failed(name: str, problem: Problem) -> Message:
    """Return what is told of a task that did not: the status and the detail of what an answer would have been."""
    return {"failed": name, "status": problem.status, "detail": problem.detail}


def cancelled(name: str) -> Message:
    """Return what is told when a task has been broken off."""
    return {"cancelled": name}


def _read_start(name: object, seconds: object, running: Collection[str]) -> Task:
    name = _read_name(name)
    # In Python True is an int; in JSON it is not a number. NaN compares false with everything, so it fails this too.
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise Refused("invalid-seconds", name)
    if name in running:
        raise Refused("already-running", name)
    if len(running) >= MAX_RUNNING:
        raise Refused("too-many", name)
    return Task(name, seconds)


def _read_cancel(name: object, running: Collection[str]) -> Cancel:
    name = _read_name(name)
    if name not in running:
        raise Refused("not-running", name)
    return Cancel(name)


def _read_name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Refused("invalid-name")
    return name

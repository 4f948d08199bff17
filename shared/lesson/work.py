"""What a variant says to the work service, and how it reads what that answers. The calls themselves are the variants' own."""

from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from shared.lesson.contract import FACTORS, TASKS
from shared.lesson.problems import UpstreamFailed
from shared.lesson.request_id import HEADER, current
from shared.lesson.settings import Settings
from shared.lesson.upstreams import Call

WORK: Final = "work service"
FAILED: Final = 500
EARLY: Final = 4
"""The call that fails does so after a fraction of what the others take: a fourth."""

REPLICAS: Final = 3
"""Services of which any can answer."""


class Task(NamedTuple):
    """One piece of work: its name, how long it takes in seconds, and the status that it is answered with."""

    name: str
    seconds: float
    status: int = 200


class Work(NamedTuple):
    """Tasks, how many of them at once, and by how many kilobytes to make what is told of each longer."""

    tasks: list[Task]
    at_once: int
    kilobytes: int


def one_fails(seconds: float) -> list[Task]:
    """Return three tasks of `seconds` each, but for the second, which fails early."""
    first, second, third = TASKS
    return [Task(first, seconds), Task(second, seconds / EARLY, FAILED), Task(third, seconds)]


def one_task(seconds: float, *, fails: bool) -> Task:
    """Return one task that takes `seconds`, and fails at its end where that is asked for."""
    return Task(TASKS[0], seconds, FAILED if fails else 200)


def equal(count: int, seconds: float) -> list[Task]:
    """Return tasks that take `seconds` each."""
    return [Task(f"task{number + 1}", seconds) for number in range(count)]


def unequal(count: int, seconds: float) -> list[Task]:
    """Return tasks that take three, one and two times `seconds`, and so on: none ends in the order of its start."""
    return [Task(f"task{number + 1}", seconds * FACTORS[number % len(FACTORS)]) for number in range(count)]


def work_call(settings: Settings, task: Task) -> Call:
    """Return the call, a GET, that has a task worked on: it carries the request's identifier, and gets the time it needs."""
    query = urlencode({"name": task.name, "seconds": f"{task.seconds:.6g}", "status": task.status})
    return Call(WORK, f"{settings.work_url}/work?{query}", {}, {HEADER: current()}, task.seconds + settings.deadlines.answer)


def read_work(answer: Any) -> str:  # noqa: ANN401 - JSON is any
    """Return the result in an answer of the work service.

    Raises:
        UpstreamFailed: It is not where it should be.

    """
    try:
        return f"{answer['name']} result"
    except (KeyError, TypeError):
        raise UpstreamFailed(WORK, "answered with something that is not the agreed JSON") from None

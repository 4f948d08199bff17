"""Results as they come: each is sent when it is there.

Different here: workers put results into a stream without room, and the response takes them out, inside the same task group.
Pick it when: a reader can begin with the first result, or wants to see that something happens.
Watch for: a task group around a `yield` of a generator is an error that shows late; around a response it is right.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx2
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from shared.lesson import limits
from shared.lesson.events import HEADERS, MEDIA_TYPE, Event, failed
from shared.lesson.problems import Problem
from shared.lesson.progress import arrived
from shared.lesson.settings import Settings
from shared.lesson.timing import elapsed
from shared.lesson.work import Task, Work, unequal
from variants.anyio_trio.work import call_work


class EventResponse:
    """Sends events as they come; what they come from lives exactly as long as the answer."""

    def __init__(self, request: Request, work: Work) -> None:
        self._client, self._settings, self._work = request.state.client, request.state.settings, work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; when the client leaves, this ends, and everything in the group with it."""
        async with as_they_come(self._client, self._settings, self._work) as events:
            content = (event.encode() async for event in events)
            await StreamingResponse(content, headers=HEADERS, media_type=MEDIA_TYPE)(scope, receive, send)


async def work_on(client: httpx2.AsyncClient, settings: Settings, task: Task, kilobytes: int) -> Event:
    """Have a task worked on, and return what to tell of it: the status has been sent long ago, so a failure is told, too."""
    try:
        result = await call_work(client, settings, task)
    except Problem as problem:
        return failed(problem)
    return arrived(result, elapsed(), kilobytes)


@asynccontextmanager
async def as_they_come(
    client: httpx2.AsyncClient, settings: Settings, work: Work
) -> AsyncIterator[MemoryObjectReceiveStream[Event]]:
    """Work on tasks while the block lasts, and hand out a stream of what there is to tell; a worker waits until that is taken."""
    waiting = iter(work.tasks)
    sending, receiving = anyio.create_memory_object_stream[Event](0)

    async def worker(sending: MemoryObjectSendStream[Event]) -> None:
        async with sending:
            for task in waiting:
                await sending.send(await work_on(client, settings, task, work.kilobytes))

    async with receiving, anyio.create_task_group() as group:
        async with sending:
            for _ in range(work.at_once):
                group.start_soon(worker, sending.clone())
        yield receiving
        group.cancel_scope.cancel()


async def as_completed_endpoint(request: Request) -> EventResponse:
    """GOOD: each result is sent when it is there, and not when all are; a reader who is slow makes the work wait."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=1)
    tasks = limits.read_count(request.query_params.get("tasks"), default=3, name="tasks")
    at_once = limits.read_count(request.query_params.get("at_once"), default=3, name="at_once")
    kilobytes = limits.read_kilobytes(request.query_params.get("kilobytes"), default=0)
    return EventResponse(request, Work(unequal(tasks, seconds), at_once, kilobytes))


routes = [
    Route("/as-completed", as_completed_endpoint),
]

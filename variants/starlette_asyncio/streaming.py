"""Results as they come: each is sent when it is there.

Different here: the response takes what an async generator yields; `EventStream` also closes that when the client has left.
Pick it when: a reader can begin with the first result, or wants to see that something happens.
Watch for: the status is sent before the first result, so what fails later can only be told in the stream.
"""

import asyncio
from collections.abc import AsyncGenerator
from itertools import islice

import httpx2
from starlette.requests import Request
from starlette.routing import Route

from shared.lesson import limits
from shared.lesson.events import HEADERS, Event, failed
from shared.lesson.problems import Problem
from shared.lesson.progress import arrived
from shared.lesson.settings import Settings
from shared.lesson.timing import elapsed
from shared.lesson.work import Task, Work, unequal
from variants.starlette_asyncio.answers import EventStream
from variants.starlette_asyncio.work import call_work


async def work_on(client: httpx2.AsyncClient, settings: Settings, task: Task, kilobytes: int) -> Event:
    """Have a task worked on, and return what to tell of it: the status has been sent long ago, so a failure is told, too."""
    try:
        result = await call_work(client, settings, task)
    except Problem as problem:
        return failed(problem)
    return arrived(result, elapsed(), kilobytes)


async def as_they_come(client: httpx2.AsyncClient, settings: Settings, work: Work) -> AsyncGenerator[bytes]:
    """Yield what there is to tell of each task as soon as it is there; the next begins only when that has been taken."""
    waiting = (asyncio.create_task(work_on(client, settings, task, work.kilobytes)) for task in work.tasks)
    running = set(islice(waiting, work.at_once))
    try:
        while running:
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for call in done:
                yield call.result().encode()
            running |= set(islice(waiting, len(done)))
    finally:
        for call in running:
            call.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def as_completed_endpoint(request: Request) -> EventStream:
    """GOOD: each result is sent when it is there, and not when all are; a reader who is slow makes the work wait."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=1)
    tasks = limits.read_count(request.query_params.get("tasks"), default=3, name="tasks")
    at_once = limits.read_count(request.query_params.get("at_once"), default=3, name="at_once")
    kilobytes = limits.read_kilobytes(request.query_params.get("kilobytes"), default=0)
    work = Work(unequal(tasks, seconds), at_once, kilobytes)
    events = as_they_come(request.state.client, request.state.settings, work)
    return EventStream(events, headers=HEADERS)


routes = [
    Route("/as-completed", as_completed_endpoint),
]

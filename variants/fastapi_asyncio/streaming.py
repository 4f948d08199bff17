"""Results as they come: each is sent when it is there.

Different here: an endpoint that yields, with `EventSourceResponse`: FastAPI writes the events, and a comment while none comes.
Pick it when: a reader can begin with the first result, or wants to see that something happens.
Watch for: the status is sent before the first result, so what fails later can only be told in the stream.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from itertools import islice
from typing import Annotated

import httpx2
from fastapi import APIRouter, Depends, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from shared.lesson.events import Event, failed
from shared.lesson.limits import MAX_KILOBYTES
from shared.lesson.problems import Problem
from shared.lesson.progress import arrived
from shared.lesson.settings import Settings
from shared.lesson.timing import elapsed
from shared.lesson.work import Task, Work, unequal
from variants.fastapi_asyncio.limiting import Count
from variants.fastapi_asyncio.waiting import Seconds
from variants.fastapi_asyncio.work import call_work

Kilobytes = Annotated[int, Query(ge=0, le=MAX_KILOBYTES)]

routes = APIRouter()


async def work_on(client: httpx2.AsyncClient, settings: Settings, task: Task, kilobytes: int) -> Event:
    """Have a task worked on, and return what to tell of it: the status has been sent long ago, so a failure is told, too."""
    try:
        result = await call_work(client, settings, task)
    except Problem as problem:
        return failed(problem)
    return arrived(result, elapsed(), kilobytes)


async def as_they_come(client: httpx2.AsyncClient, settings: Settings, work: Work) -> AsyncGenerator[Event]:
    """Yield what there is to tell of each task as soon as it is there; the next begins only when that has been taken."""
    waiting = (asyncio.create_task(work_on(client, settings, task, work.kilobytes)) for task in work.tasks)
    running = set(islice(waiting, work.at_once))
    try:
        while running:
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for call in done:
                yield call.result()
            running |= set(islice(waiting, len(done)))
    finally:
        for call in running:
            call.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _closed_afterwards(
    request: Request, seconds: Seconds = 1, tasks: Count = 3, at_once: Count = 3, kilobytes: Kilobytes = 0
) -> AsyncIterator[AsyncGenerator[Event]]:
    """Give what there is to tell, and close it when all is over: FastAPI drops the endpoint itself when the client leaves."""
    work = Work(unequal(tasks, seconds), at_once, kilobytes)
    async with aclosing(as_they_come(request.state.client, request.state.settings, work)) as events:
        yield events


@routes.get("/as-completed", response_class=EventSourceResponse)
async def as_completed_endpoint(
    events: Annotated[AsyncGenerator[Event], Depends(_closed_afterwards)],
) -> AsyncIterator[ServerSentEvent]:
    """GOOD: each result is sent when it is there, and not when all are; a reader who is slow makes the work wait."""
    async for event in events:
        yield ServerSentEvent(event=event.name, data=event.data)

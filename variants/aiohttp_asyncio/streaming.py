"""Results as they come: each is sent when it is there.

Different here: a `StreamResponse` that the handler writes to; `await write` waits while the reader is behind.
Pick it when: a reader can begin with the first result, or wants to see that something happens.
Watch for: without `handler_cancellation`, that a reader has left shows only at the next write, as a `ConnectionResetError`.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from itertools import islice

import aiohttp
from aiohttp import web

from shared.lesson import limits
from shared.lesson.events import HEADERS, MEDIA_TYPE, Event, failed
from shared.lesson.problems import Problem
from shared.lesson.progress import arrived
from shared.lesson.settings import Settings
from shared.lesson.timing import elapsed
from shared.lesson.work import Task, Work, unequal
from variants.aiohttp_asyncio.search import CLIENT, SETTINGS
from variants.aiohttp_asyncio.work import call_work

routes = web.RouteTableDef()


async def work_on(client: aiohttp.ClientSession, settings: Settings, task: Task, kilobytes: int) -> Event:
    """Have a task worked on, and return what to tell of it: the status has been sent long ago, so a failure is told, too."""
    try:
        result = await call_work(client, settings, task)
    except Problem as problem:
        return failed(problem)
    return arrived(result, elapsed(), kilobytes)


async def as_they_come(client: aiohttp.ClientSession, settings: Settings, work: Work) -> AsyncGenerator[Event, None]:
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


@routes.get("/as-completed")
async def as_completed_endpoint(request: web.Request) -> web.StreamResponse:
    """GOOD: each result is sent when it is there, and not when all are; a reader who is slow makes the work wait."""
    seconds = limits.read_seconds(request.query.get("seconds"), default=1)
    tasks = limits.read_count(request.query.get("tasks"), default=3, name="tasks")
    at_once = limits.read_count(request.query.get("at_once"), default=3, name="at_once")
    kilobytes = limits.read_kilobytes(request.query.get("kilobytes"), default=0)
    work = Work(unequal(tasks, seconds), at_once, kilobytes)
    response = web.StreamResponse(headers={**HEADERS, "Content-Type": MEDIA_TYPE})
    await response.prepare(request)
    with suppress(ConnectionResetError):  # The reader has left: that is no error, and there is nobody to tell.
        async with aclosing(as_they_come(request.app[CLIENT], request.app[SETTINGS], work)) as events:
            async for event in events:
                await response.write(event.encode())
    return response

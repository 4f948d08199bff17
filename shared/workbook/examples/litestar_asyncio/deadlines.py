"""A deadline around a call, and around a thread.

Different here: `asyncio.timeout` from the standard library; Litestar has none of its own.
Pick it when: always: whatever waits for others needs a deadline, and the tightest one that its user can live with.
Watch for: in a handler with `sync_to_thread=True` no deadline works at all: the whole handler is in a thread.
"""

import asyncio

from litestar import get

from shared.lesson import shapes
from shared.lesson.contract import TASKS
from shared.lesson.problems import ThreadTimedOut, UpstreamTimedOut
from shared.lesson.timing import elapsed
from shared.lesson.work import WORK, Task
from shared.workbook.examples.litestar_asyncio.search import Client, Config
from shared.workbook.examples.litestar_asyncio.waiting import Seconds, slow_sync_operation
from shared.workbook.examples.litestar_asyncio.work import call_work


@get("/deadline")
async def deadline_endpoint(client: Client, settings: Config, seconds: Seconds = 2, limit: Seconds = 1) -> shapes.Waited:
    """GOOD: the call gets so long and no longer; when its time is over, it is broken off, and the service knows."""
    try:
        async with asyncio.timeout(limit):
            result = await call_work(client, settings, Task(TASKS[0], seconds))
    except TimeoutError:
        raise UpstreamTimedOut(WORK, limit) from None
    return shapes.waited(result, elapsed())


@get("/deadline-thread")
async def deadline_thread_endpoint(seconds: Seconds = 2, limit: Seconds = 1) -> shapes.Waited:
    """BAD alone: a thread cannot be stopped. The answer comes in time; the thread works on, for nobody, and keeps its place."""
    try:
        async with asyncio.timeout(limit):
            result = await asyncio.to_thread(slow_sync_operation, TASKS[0], seconds)
    except TimeoutError:
        raise ThreadTimedOut(limit) from None
    return shapes.waited(result, elapsed())


routes = [deadline_endpoint, deadline_thread_endpoint]

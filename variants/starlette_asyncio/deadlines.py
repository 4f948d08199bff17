"""A deadline around a call, and around a thread.

Different here: `asyncio.timeout` from the standard library; Starlette has none of its own.
Pick it when: always: whatever waits for others needs a deadline, and the tightest one that its user can live with.
Watch for: in a plain `def` handler no deadline works at all: the whole handler is in a thread.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.lesson import limits, shapes
from shared.lesson.contract import TASKS
from shared.lesson.problems import ThreadTimedOut, UpstreamTimedOut
from shared.lesson.timing import elapsed
from shared.lesson.work import WORK, Task
from variants.starlette_asyncio.waiting import slow_sync_operation
from variants.starlette_asyncio.work import call_work


async def deadline_endpoint(request: Request) -> JSONResponse:
    """GOOD: the call gets so long and no longer; when its time is over, it is broken off, and the service knows."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=2)
    limit = limits.read_seconds(request.query_params.get("limit"), default=1, name="limit")
    try:
        async with asyncio.timeout(limit):
            result = await call_work(request.state.client, request.state.settings, Task(TASKS[0], seconds))
    except TimeoutError:
        raise UpstreamTimedOut(WORK, limit) from None
    return JSONResponse(shapes.waited(result, elapsed()))


async def deadline_thread_endpoint(request: Request) -> JSONResponse:
    """BAD alone: a thread cannot be stopped. The answer comes in time; the thread works on, for nobody, and keeps its place."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=2)
    limit = limits.read_seconds(request.query_params.get("limit"), default=1, name="limit")
    try:
        async with asyncio.timeout(limit):
            result = await asyncio.to_thread(slow_sync_operation, TASKS[0], seconds)
    except TimeoutError:
        raise ThreadTimedOut(limit) from None
    return JSONResponse(shapes.waited(result, elapsed()))


routes = [
    Route("/deadline", deadline_endpoint),
    Route("/deadline-thread", deadline_thread_endpoint),
]

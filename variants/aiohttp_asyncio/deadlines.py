"""A deadline around a call, and around a thread.

Different here: `asyncio.timeout` around whatever waits; the client's own `ClientTimeout` does the same for one call.
Pick it when: always: whatever waits for others needs a deadline, and the tightest one that its user can live with.
Watch for: the session's own timeout is five minutes by default, and the server sets none for a handler.
"""

import asyncio

from aiohttp import web

from shared.lesson import limits, shapes
from shared.lesson.contract import TASKS
from shared.lesson.problems import ThreadTimedOut, UpstreamTimedOut
from shared.lesson.timing import elapsed
from shared.lesson.work import WORK, Task
from variants.aiohttp_asyncio.search import CLIENT, SETTINGS
from variants.aiohttp_asyncio.waiting import slow_sync_operation
from variants.aiohttp_asyncio.work import call_work

routes = web.RouteTableDef()


@routes.get("/deadline")
async def deadline_endpoint(request: web.Request) -> web.Response:
    """GOOD: the call gets so long and no longer; when its time is over, it is broken off, and the service knows."""
    seconds = limits.read_seconds(request.query.get("seconds"), default=2)
    limit = limits.read_seconds(request.query.get("limit"), default=1, name="limit")
    try:
        async with asyncio.timeout(limit):
            result = await call_work(request.app[CLIENT], request.app[SETTINGS], Task(TASKS[0], seconds))
    except TimeoutError:
        raise UpstreamTimedOut(WORK, limit) from None
    return web.json_response(shapes.waited(result, elapsed()))


@routes.get("/deadline-thread")
async def deadline_thread_endpoint(request: web.Request) -> web.Response:
    """BAD alone: a thread cannot be stopped. The answer comes in time; the thread works on, for nobody, and keeps its place."""
    seconds = limits.read_seconds(request.query.get("seconds"), default=2)
    limit = limits.read_seconds(request.query.get("limit"), default=1, name="limit")
    try:
        async with asyncio.timeout(limit):
            result = await asyncio.to_thread(slow_sync_operation, TASKS[0], seconds)
    except TimeoutError:
        raise ThreadTimedOut(limit) from None
    return web.json_response(shapes.waited(result, elapsed()))

"""A deadline around a call, and around a thread.

Different here: `anyio.fail_after`, which raises Python's own `TimeoutError` on both loops; trio's raises another error.
Pick it when: always: whatever waits for others needs a deadline, and the tightest one that its user can live with.
Watch for: a thread is waited for to its end; `abandon_on_cancel=True` leaves it behind, as asyncio always does.
"""

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.lesson import limits, shapes
from shared.lesson.contract import TASKS
from shared.lesson.problems import ThreadTimedOut, UpstreamTimedOut
from shared.lesson.timing import elapsed
from shared.lesson.work import WORK, Task
from variants.anyio_trio.waiting import slow_sync_operation
from variants.anyio_trio.work import call_work


async def deadline_endpoint(request: Request) -> JSONResponse:
    """GOOD: the call gets so long and no longer; when its time is over, it is broken off, and the service knows."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=2)
    limit = limits.read_seconds(request.query_params.get("limit"), default=1, name="limit")
    try:
        with anyio.fail_after(limit):
            result = await call_work(request.state.client, request.state.settings, Task(TASKS[0], seconds))
    except TimeoutError:
        raise UpstreamTimedOut(WORK, limit) from None
    return JSONResponse(shapes.waited(result, elapsed()))


async def deadline_thread_endpoint(request: Request) -> JSONResponse:
    """BAD alone: a thread cannot be stopped. Here its end is waited for, however long that takes, and no deadline is over."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=2)
    limit = limits.read_seconds(request.query_params.get("limit"), default=1, name="limit")
    try:
        with anyio.fail_after(limit):
            result = await anyio.to_thread.run_sync(slow_sync_operation, TASKS[0], seconds)
    except TimeoutError:
        raise ThreadTimedOut(limit) from None
    return JSONResponse(shapes.waited(result, elapsed()))


routes = [
    Route("/deadline", deadline_endpoint),
    Route("/deadline-thread", deadline_thread_endpoint),
]

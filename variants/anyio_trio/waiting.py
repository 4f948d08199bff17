"""One wait, three ways: blocking the event loop, in a worker thread, and awaited.

Different here: anyio's sleep and anyio's threads, which run on trio as on asyncio; the routing is Starlette's.
Pick it when: you want trio's strictness about tasks, or write a library for both loops.
Watch for: asyncio's own functions do not work under trio, nor does a library built on them.
"""

import time

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.lesson import limits, shapes
from shared.lesson.timing import elapsed, operation


def slow_sync_operation(name: str, seconds: float) -> str:
    """Block the calling thread: nothing else in it runs meanwhile."""
    with operation("SYNC", name):
        time.sleep(seconds)
    return f"{name} result"


async def slow_async_operation(name: str, seconds: float) -> str:
    """Wait without blocking: the event loop serves others meanwhile."""
    with operation("ASYNC", name):
        await anyio.sleep(seconds)
    return f"{name} result"


async def ping(request: Request) -> JSONResponse:
    """Answer at once, if the event loop is free to."""
    return JSONResponse(shapes.Pong(pong=True))


async def sync_endpoint(request: Request) -> JSONResponse:
    """BAD: a blocking call on the event loop stops every other request until it returns."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=3)
    result = slow_sync_operation("sync_task", seconds)
    return JSONResponse(shapes.waited(result, elapsed()))


async def threaded_endpoint(request: Request) -> JSONResponse:
    """GOOD for a blocking library: a worker thread blocks in its place, so the event loop stays free."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=3)
    result = await anyio.to_thread.run_sync(slow_sync_operation, "threaded_task", seconds)
    return JSONResponse(shapes.waited(result, elapsed()))


async def async_endpoint(request: Request) -> JSONResponse:
    """GOOD: an awaited wait costs no thread, and the event loop stays free."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=3)
    result = await slow_async_operation("async_task", seconds)
    return JSONResponse(shapes.waited(result, elapsed()))


routes = [
    Route("/ping", ping),
    Route("/sync", sync_endpoint),
    Route("/threaded", threaded_endpoint),
    Route("/async", async_endpoint),
]

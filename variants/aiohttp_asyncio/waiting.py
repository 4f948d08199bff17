"""One wait, three ways: blocking the event loop, in a worker thread, and awaited.

Different here: handlers stand in a route table of decorators; a thread is asked for by name, with `asyncio.to_thread`.
Pick it when: you want one library for server, client and WebSockets, and a fast server without ASGI.
Watch for: a plain `def` handler gets no thread here: it is deprecated, runs on the event loop, and blocks it.
"""

import asyncio
import time

from aiohttp import web

from shared.lesson import limits, shapes
from shared.lesson.timing import elapsed, operation

routes = web.RouteTableDef()


def slow_sync_operation(name: str, seconds: float) -> str:
    """Block the calling thread: nothing else in it runs meanwhile."""
    with operation("SYNC", name):
        time.sleep(seconds)
    return f"{name} result"


async def slow_async_operation(name: str, seconds: float) -> str:
    """Wait without blocking: the event loop serves others meanwhile."""
    with operation("ASYNC", name):
        await asyncio.sleep(seconds)
    return f"{name} result"


@routes.get("/ping")
async def ping(request: web.Request) -> web.Response:
    """Answer at once, if the event loop is free to."""
    return web.json_response(shapes.Pong(pong=True))


@routes.get("/sync")
async def sync_endpoint(request: web.Request) -> web.Response:
    """BAD: a blocking call on the event loop stops every other request until it returns."""
    seconds = limits.read_seconds(request.query.get("seconds"), default=3)
    result = slow_sync_operation("sync_task", seconds)
    return web.json_response(shapes.waited(result, elapsed()))


@routes.get("/threaded")
async def threaded_endpoint(request: web.Request) -> web.Response:
    """GOOD for a blocking library: a worker thread blocks in its place, so the event loop stays free."""
    seconds = limits.read_seconds(request.query.get("seconds"), default=3)
    result = await asyncio.to_thread(slow_sync_operation, "threaded_task", seconds)
    return web.json_response(shapes.waited(result, elapsed()))


@routes.get("/async")
async def async_endpoint(request: web.Request) -> web.Response:
    """GOOD: an awaited wait costs no thread, and the event loop stays free."""
    seconds = limits.read_seconds(request.query.get("seconds"), default=3)
    result = await slow_async_operation("async_task", seconds)
    return web.json_response(shapes.waited(result, elapsed()))

"""One wait, three ways: blocking the event loop, in a worker thread, and awaited.

Different here: a handler declares its parameters with types and limits, and returns plain data; msgspec checks and writes both.
Pick it when: you want parameters checked, and the interface documented at `/schema`, from the same declaration.
Watch for: a plain `def` runs on the event loop, and blocks it, unless it says `sync_to_thread=True`.
"""

import asyncio
import time
from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from shared.lesson import shapes
from shared.lesson.limits import MAX_SECONDS, MIN_SECONDS
from shared.lesson.timing import elapsed, operation

Seconds = Annotated[float, QueryParameter(ge=MIN_SECONDS, le=MAX_SECONDS)]


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


@get("/ping")
async def ping() -> shapes.Pong:
    """Answer at once, if the event loop is free to."""
    return shapes.Pong(pong=True)


@get("/sync")
async def sync_endpoint(seconds: Seconds = 3) -> shapes.Waited:
    """BAD: a blocking call on the event loop stops every other request until it returns."""
    result = slow_sync_operation("sync_task", seconds)
    return shapes.waited(result, elapsed())


@get("/threaded", sync_to_thread=True)
def threaded_endpoint(seconds: Seconds = 3) -> shapes.Waited:
    """GOOD for a blocking library: told to, Litestar runs a plain `def` in a worker thread, so the event loop stays free."""
    result = slow_sync_operation("threaded_task", seconds)
    return shapes.waited(result, elapsed())


@get("/async")
async def async_endpoint(seconds: Seconds = 3) -> shapes.Waited:
    """GOOD: an awaited wait costs no thread, and the event loop stays free."""
    result = await slow_async_operation("async_task", seconds)
    return shapes.waited(result, elapsed())


routes = [ping, sync_endpoint, threaded_endpoint, async_endpoint]

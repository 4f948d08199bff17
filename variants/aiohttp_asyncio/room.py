"""Room for threads: how many there are, and what takes them.

Different here: the event loop's default executor has the threads of `asyncio.to_thread`, and looks up hosts in them.
Pick it when: you know how many blocking calls your machine, and what they call, can take at once: the default knows neither.
Watch for: the default is as many as there are processors, and four: six on a small machine, which a few slow calls fill.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from shared.lesson import limits, shapes
from shared.lesson.contract import THREADS
from shared.lesson.timing import elapsed
from variants.aiohttp_asyncio.waiting import slow_sync_operation

routes = web.RouteTableDef()


def set_threads() -> None:
    """Give the event loop that runs as many worker threads as agreed, and no more; it ends them when it ends."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))


def slow_guard(seconds: float) -> str:
    """Say whether a request may pass, by asking a library that blocks: it needs a thread before the handler can begin."""
    return slow_sync_operation("guard", seconds)


@routes.get("/guarded")
async def guarded_endpoint(request: web.Request) -> web.Response:
    """BAD: quick by itself, it waits for a thread like everybody who needs one, and takes it away from the others."""
    seconds = limits.read_seconds(request.query.get("seconds"), default=1)
    passed = await asyncio.to_thread(slow_guard, seconds)
    return web.json_response(shapes.waited(passed, elapsed()))

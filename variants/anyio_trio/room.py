"""Room for threads: how many there are, and what takes them.

Different here: anyio's limiter has all threads: on trio it is trio's own, so that libraries written for trio take from the same.
Pick it when: you know how many blocking calls your machine, and what they call, can take at once: the default knows neither.
Watch for: a `limiter=` of its own gives what is slow a room apart, so that it cannot take all the threads there are.
"""

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.lesson import limits, shapes
from shared.lesson.contract import THREADS
from shared.lesson.timing import elapsed
from variants.anyio_trio.waiting import slow_sync_operation


def set_threads() -> None:
    """Give the event loop that runs as many worker threads as agreed, and no more."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS


def slow_guard(seconds: float) -> str:
    """Say whether a request may pass, by asking a library that blocks: it needs a thread before the handler can begin."""
    return slow_sync_operation("guard", seconds)


async def guarded_endpoint(request: Request) -> JSONResponse:
    """BAD: quick by itself, it waits for a thread like everybody who needs one, and takes it away from the others."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=1)
    passed = await anyio.to_thread.run_sync(slow_guard, seconds)
    return JSONResponse(shapes.waited(passed, elapsed()))


routes = [
    Route("/guarded", guarded_endpoint),
]

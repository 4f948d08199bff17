"""Room for threads: how many there are, and what takes them.

Different here: a dependency that is a plain `def` runs in a thread, too, out of the same few as plain `def` endpoints.
Pick it when: you know how many blocking calls your machine, and what they call, can take at once: the default knows neither.
Watch for: a plain `def` endpoint needs a thread twice: to run, and for the check of what it returns, behind all who wait.
"""

from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Depends

from shared.lesson import shapes
from shared.lesson.contract import THREADS
from shared.lesson.timing import elapsed
from variants.fastapi_asyncio.waiting import Seconds, slow_sync_operation

routes = APIRouter()


def set_threads() -> None:
    """Give the event loop that runs as many worker threads as agreed, and no more."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS


def slow_guard(seconds: Seconds = 1) -> str:
    """Say whether a request may pass, by asking a library that blocks: it needs a thread before the handler can begin."""
    return slow_sync_operation("guard", seconds)


@routes.get("/guarded")
async def guarded_endpoint(passed: Annotated[str, Depends(slow_guard)]) -> shapes.Waited:
    """BAD: quick by itself, it waits for a thread like everybody who needs one, and takes it away from the others."""
    return shapes.waited(passed, elapsed())

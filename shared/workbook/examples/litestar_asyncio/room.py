"""Room for threads: how many there are, and what takes them.

Different here: the event loop's default executor has the threads, also those of a dependency that says `sync_to_thread=True`.
Pick it when: you know how many blocking calls your machine, and what they call, can take at once: the default knows neither.
Watch for: `set_asyncio_executor` gives Litestar threads of its own, beside those of `asyncio.to_thread`: two rooms, two limits.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from litestar import get
from litestar.di import NamedDependency, Provide

from shared.lesson import shapes
from shared.lesson.contract import THREADS
from shared.lesson.timing import elapsed
from shared.workbook.examples.litestar_asyncio.waiting import Seconds, slow_sync_operation


def set_threads() -> None:
    """Give the event loop that runs as many worker threads as agreed, and no more; it ends them when it ends."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))


def slow_guard(seconds: Seconds = 1) -> str:
    """Say whether a request may pass, by asking a library that blocks: it needs a thread before the handler can begin."""
    return slow_sync_operation("guard", seconds)


@get("/guarded", dependencies={"passed": Provide(slow_guard, sync_to_thread=True)})
async def guarded_endpoint(passed: NamedDependency[str]) -> shapes.Waited:
    """BAD: quick by itself, it waits for a thread like everybody who needs one, and takes it away from the others."""
    return shapes.waited(passed, elapsed())


routes = [guarded_endpoint]

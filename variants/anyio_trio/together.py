"""Three waits that do not depend on each other: one after another, and together.

Different here: `anyio.gather`, which is a task group inside: it runs on trio as on asyncio.
Pick it when: the waits are independent; a wait that needs another's result has to come after it.
Watch for: when one fails, `anyio.gather` breaks the others off; `asyncio.gather` lets them run on.
"""

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.lesson import limits, shapes
from shared.lesson.contract import TASKS
from shared.lesson.timing import elapsed
from variants.anyio_trio.waiting import slow_async_operation


async def sequential_endpoint(request: Request) -> JSONResponse:
    """BAD here: each wait starts only when the one before it has ended, so they add up."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=2)
    results = [await slow_async_operation(name, seconds) for name in TASKS]
    return JSONResponse(shapes.sequential(results, elapsed(), seconds))


async def parallel_endpoint(request: Request) -> JSONResponse:
    """GOOD: all three wait at the same time, and the results keep the order of the calls."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=2)
    results = await anyio.gather(*(slow_async_operation(name, seconds) for name in TASKS))
    return JSONResponse(shapes.parallel(results, elapsed(), seconds))


routes = [
    Route("/sequential", sequential_endpoint),
    Route("/parallel", parallel_endpoint),
]

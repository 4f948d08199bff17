"""Three waits that do not depend on each other: one after another, and together.

Different here: `asyncio.gather` from the standard library; aiohttp adds nothing to it.
Pick it when: the waits are independent; a wait that needs another's result has to come after it.
Watch for: `asyncio.gather` lets the others run on when one fails; `asyncio.TaskGroup` breaks them off.
"""

import asyncio

from aiohttp import web

from shared.lesson import limits, shapes
from shared.lesson.contract import TASKS
from shared.lesson.timing import elapsed
from variants.aiohttp_asyncio.waiting import slow_async_operation

routes = web.RouteTableDef()


@routes.get("/sequential")
async def sequential_endpoint(request: web.Request) -> web.Response:
    """BAD here: each wait starts only when the one before it has ended, so they add up."""
    seconds = limits.read_seconds(request.query.get("seconds"), default=2)
    results = [await slow_async_operation(name, seconds) for name in TASKS]
    return web.json_response(shapes.sequential(results, elapsed(), seconds))


@routes.get("/parallel")
async def parallel_endpoint(request: web.Request) -> web.Response:
    """GOOD: all three wait at the same time, and the results keep the order of the calls."""
    seconds = limits.read_seconds(request.query.get("seconds"), default=2)
    results = await asyncio.gather(*(slow_async_operation(name, seconds) for name in TASKS))
    return web.json_response(shapes.parallel(results, elapsed(), seconds))

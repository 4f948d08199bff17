"""Three waits that do not depend on each other: one after another, and together.

Different here: `asyncio.gather` from the standard library; FastAPI adds nothing to it.
Pick it when: the waits are independent; a wait that needs another's result has to come after it.
Watch for: `asyncio.gather` lets the others run on when one fails; `asyncio.TaskGroup` breaks them off.
"""

import asyncio

from fastapi import APIRouter

from shared.lesson import shapes
from shared.lesson.contract import TASKS
from shared.lesson.timing import elapsed
from variants.fastapi_asyncio.waiting import Seconds, slow_async_operation

routes = APIRouter()


@routes.get("/sequential")
async def sequential_endpoint(seconds: Seconds = 2) -> shapes.WaitedThrice:
    """BAD here: each wait starts only when the one before it has ended, so they add up."""
    results = [await slow_async_operation(name, seconds) for name in TASKS]
    return shapes.sequential(results, elapsed(), seconds)


@routes.get("/parallel")
async def parallel_endpoint(seconds: Seconds = 2) -> shapes.WaitedThrice:
    """GOOD: all three wait at the same time, and the results keep the order of the calls."""
    results = await asyncio.gather(*(slow_async_operation(name, seconds) for name in TASKS))
    return shapes.parallel(results, elapsed(), seconds)

"""Three waits that do not depend on each other: one after another, and together.

Different here: `asyncio.gather` from the standard library; Litestar adds nothing to it.
Pick it when: the waits are independent; a wait that needs another's result has to come after it.
Watch for: `asyncio.gather` lets the others run on when one fails; `asyncio.TaskGroup` breaks them off.
"""

import asyncio

from litestar import get

from shared.lesson import shapes
from shared.lesson.contract import TASKS
from shared.lesson.timing import elapsed
from shared.workbook.examples.litestar_asyncio.waiting import Seconds, slow_async_operation


@get("/sequential")
async def sequential_endpoint(seconds: Seconds = 2) -> shapes.WaitedThrice:
    """BAD here: each wait starts only when the one before it has ended, so they add up."""
    results = [await slow_async_operation(name, seconds) for name in TASKS]
    return shapes.sequential(results, elapsed(), seconds)


@get("/parallel")
async def parallel_endpoint(seconds: Seconds = 2) -> shapes.WaitedThrice:
    """GOOD: all three wait at the same time, and the results keep the order of the calls."""
    results = await asyncio.gather(*(slow_async_operation(name, seconds) for name in TASKS))
    return shapes.parallel(results, elapsed(), seconds)


routes = [sequential_endpoint, parallel_endpoint]

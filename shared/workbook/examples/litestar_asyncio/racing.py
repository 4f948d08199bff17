"""Three replicas are asked at once, and the first answer wins.

Different here: `asyncio.wait`, which returns when the first has ended; Litestar adds nothing to it.
Pick it when: several can answer, any answer will do, and the slowest of them is too slow.
Watch for: `asyncio.wait` cancels nothing: who does not cancel the others leaves them running.
"""

import asyncio

from litestar import get

from shared.lesson import shapes
from shared.lesson.timing import elapsed
from shared.lesson.work import REPLICAS, unequal
from shared.workbook.examples.litestar_asyncio.search import Client, Config
from shared.workbook.examples.litestar_asyncio.waiting import Seconds
from shared.workbook.examples.litestar_asyncio.work import call_work


@get("/first")
async def first_endpoint(client: Client, settings: Config, seconds: Seconds = 1) -> shapes.Waited:
    """GOOD: the first answer is taken, and the calls that nobody needs any more are broken off."""
    calls = [asyncio.create_task(call_work(client, settings, task)) for task in unequal(REPLICAS, seconds)]
    try:
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        first = next(call for call in calls if call.done())
        return shapes.waited(first.result(), elapsed())
    finally:
        for call in calls:
            call.cancel()
        # Wait until they have ended, so that none of them is left behind, nor a failure that nobody has seen.
        await asyncio.gather(*calls, return_exceptions=True)


routes = [first_endpoint]

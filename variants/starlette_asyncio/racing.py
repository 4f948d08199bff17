"""Three replicas are asked at once, and the first answer wins.

Different here: `asyncio.wait`, which returns when the first has ended; Starlette adds nothing to it.
Pick it when: several can answer, any answer will do, and the slowest of them is too slow.
Watch for: `asyncio.wait` cancels nothing: who does not cancel the others leaves them running.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.lesson import limits, shapes
from shared.lesson.timing import elapsed
from shared.lesson.work import REPLICAS, unequal
from variants.starlette_asyncio.work import call_work


async def first_endpoint(request: Request) -> JSONResponse:
    """GOOD: the first answer is taken, and the calls that nobody needs any more are broken off."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=1)
    client, settings = request.state.client, request.state.settings
    calls = [asyncio.create_task(call_work(client, settings, task)) for task in unequal(REPLICAS, seconds)]
    try:
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        first = next(call for call in calls if call.done())
        return JSONResponse(shapes.waited(first.result(), elapsed()))
    finally:
        for call in calls:
            call.cancel()
        # Wait until they have ended, so that none of them is left behind, nor a failure that nobody has seen.
        await asyncio.gather(*calls, return_exceptions=True)


routes = [
    Route("/first", first_endpoint),
]

"""Three calls together, and one of them fails: in `gather`, and in a group.

Different here: `asyncio.gather` and `asyncio.TaskGroup` from the standard library; Starlette adds nothing to either.
Pick it when: a group, when none of the results is of use without the others: nearly always.
Watch for: a group raises an `ExceptionGroup`, even for one failure; a handler for the error inside it is not asked.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.lesson import limits, shapes
from shared.lesson.timing import elapsed
from shared.lesson.work import one_fails
from variants.starlette_asyncio.work import call_work


async def gather_fails(request: Request) -> JSONResponse:
    """BAD here: the failure is answered at once, and the other two run on, for nobody."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=2)
    client, settings = request.state.client, request.state.settings
    results = await asyncio.gather(*(call_work(client, settings, task) for task in one_fails(seconds)))
    return JSONResponse(shapes.worked(results, elapsed()))


async def group_fails(request: Request) -> JSONResponse:
    """GOOD: the group breaks the other two off before the failure is answered."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=2)
    client, settings = request.state.client, request.state.settings
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(call_work(client, settings, task)) for task in one_fails(seconds)]
    return JSONResponse(shapes.worked([call.result() for call in calls], elapsed()))


routes = [
    Route("/gather-fails", gather_fails),
    Route("/group-fails", group_fails),
]

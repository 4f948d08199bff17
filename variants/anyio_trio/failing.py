"""Three calls together, and one of them fails: in `gather`, and in a group.

Different here: `anyio.gather` is a task group inside, so both endpoints do the same; `asyncio.gather` does the opposite.
Pick it when: a group, when the tasks are more than a list of calls; `anyio.gather` where they are not.
Watch for: both raise an `ExceptionGroup`, even for one failure; a handler for the error inside it is not asked.
"""

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.lesson import limits, shapes
from shared.lesson.timing import elapsed
from shared.lesson.work import one_fails
from variants.anyio_trio.work import call_work


async def gather_fails(request: Request) -> JSONResponse:
    """GOOD here: this `gather` breaks the other two off; asyncio's, of the same name, lets them run on."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=2)
    client, settings = request.state.client, request.state.settings
    results = await anyio.gather(*(call_work(client, settings, task) for task in one_fails(seconds)))
    return JSONResponse(shapes.worked(results, elapsed()))


async def group_fails(request: Request) -> JSONResponse:
    """GOOD: the group breaks the other two off before the failure is answered."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=2)
    client, settings = request.state.client, request.state.settings
    async with anyio.create_task_group() as group:
        calls = [group.start_soon(call_work, client, settings, task) for task in one_fails(seconds)]
    return JSONResponse(shapes.worked([call.return_value for call in calls], elapsed()))


routes = [
    Route("/gather-fails", gather_fails),
    Route("/group-fails", group_fails),
]

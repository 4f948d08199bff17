"""Three replicas are asked at once, and the first answer wins.

Different here: a task group whose scope the winner cancels; when its block has ended, nothing of it is left.
Pick it when: several can answer, any answer will do, and the slowest of them is too slow.
Watch for: cancelling the scope is not ending it: what stands behind it in the winner runs on to its next await.
"""

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.lesson import limits, shapes
from shared.lesson.timing import elapsed
from shared.lesson.work import REPLICAS, Task, unequal
from variants.anyio_trio.work import call_work


async def first_endpoint(request: Request) -> JSONResponse:
    """GOOD: the first answer is taken, and the calls that nobody needs any more are broken off."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=1)
    results: list[str] = []
    async with anyio.create_task_group() as group:

        async def race(task: Task) -> None:
            results.append(await call_work(request.state.client, request.state.settings, task))
            group.cancel_scope.cancel()

        for task in unequal(REPLICAS, seconds):
            group.start_soon(race, task)
    return JSONResponse(shapes.waited(results[0], elapsed()))


routes = [
    Route("/first", first_endpoint),
]

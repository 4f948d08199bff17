"""The client leaves before it has its answer.

Different here: trio changes nothing: the handler runs on here, too; a task group holds the work and the watch.
Pick it when: the work is long or dear; what takes a moment is done sooner than watched.
Watch for: a handler that reads a body has to have read it whole before it watches; and a plain `def` cannot watch.
"""

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.lesson import limits, shapes
from shared.lesson.contract import TASKS
from shared.lesson.problems import ClientLeft
from shared.lesson.timing import elapsed
from shared.lesson.work import Task
from variants.anyio_trio.work import call_work


async def until_left(request: Request) -> None:
    """Wait until the client has left."""
    # The first message is the request's body, empty here; the next one comes when the client goes.
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def patient_endpoint(request: Request) -> JSONResponse:
    """BAD for long work: when the client leaves meanwhile, the work is done to its end, for nobody."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=2)
    result = await call_work(request.state.client, request.state.settings, Task(TASKS[0], seconds))
    return JSONResponse(shapes.waited(result, elapsed()))


async def attentive_endpoint(request: Request) -> JSONResponse:
    """GOOD for long work: it watches for the client to leave, and breaks the work off when it has."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=2)
    results: list[str] = []
    async with anyio.create_task_group() as group:

        async def work() -> None:
            results.append(await call_work(request.state.client, request.state.settings, Task(TASKS[0], seconds)))
            group.cancel_scope.cancel()

        group.start_soon(work)
        await until_left(request)
        group.cancel_scope.cancel()
    if not results:
        raise ClientLeft
    return JSONResponse(shapes.waited(results[0], elapsed()))


routes = [
    Route("/patient", patient_endpoint),
    Route("/attentive", attentive_endpoint),
]

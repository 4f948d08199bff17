"""The client leaves before it has its answer.

Different here: the Request's `receive` says when the client has left; a handler is told only if it asks.
Pick it when: the work is long or dear; what takes a moment is done sooner than watched.
Watch for: a handler that reads a body has to have read it whole before it watches; and a plain `def` cannot watch.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.lesson import limits, shapes
from shared.lesson.contract import TASKS
from shared.lesson.problems import ClientLeft
from shared.lesson.timing import elapsed
from shared.lesson.work import Task
from variants.starlette_asyncio.work import call_work


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
    work = asyncio.create_task(call_work(request.state.client, request.state.settings, Task(TASKS[0], seconds)))
    left = asyncio.create_task(until_left(request))
    try:
        await asyncio.wait({work, left}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ClientLeft
        return JSONResponse(shapes.waited(work.result(), elapsed()))
    finally:
        work.cancel()
        left.cancel()
        await asyncio.gather(work, left, return_exceptions=True)


routes = [
    Route("/patient", patient_endpoint),
    Route("/attentive", attentive_endpoint),
]

"""The client leaves before it has its answer.

Different here: a switch for the whole server, `run_app(…, handler_cancellation=True)`; for one handler, a look at its transport.
Pick it when: the work is long or dear; what takes a moment is done sooner than watched.
Watch for: the switch is on in `serve.py`; without it, even `patient_endpoint` runs to its end, and only a look helps.
"""

import asyncio

from aiohttp import web

from shared.lesson import limits, shapes
from shared.lesson.contract import TASKS
from shared.lesson.problems import ClientLeft
from shared.lesson.timing import elapsed
from shared.lesson.work import Task
from variants.aiohttp_asyncio.search import CLIENT, SETTINGS
from variants.aiohttp_asyncio.work import call_work

PAUSE = 0.05  # seconds between two looks

routes = web.RouteTableDef()


async def until_left(request: web.Request) -> None:
    """Wait until the client has left."""
    # Nothing tells a handler, so it has to look now and then.
    while request.transport and not request.transport.is_closing():  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(PAUSE)


@routes.get("/patient")
async def patient_endpoint(request: web.Request) -> web.Response:
    """BAD to rely on: it says nothing of the client, so what happens when that leaves is the server's to decide."""
    seconds = limits.read_seconds(request.query.get("seconds"), default=2)
    result = await call_work(request.app[CLIENT], request.app[SETTINGS], Task(TASKS[0], seconds))
    return web.json_response(shapes.waited(result, elapsed()))


@routes.get("/attentive")
async def attentive_endpoint(request: web.Request) -> web.Response:
    """GOOD for long work: it watches for the client to leave, and breaks the work off when it has."""
    seconds = limits.read_seconds(request.query.get("seconds"), default=2)
    work = asyncio.create_task(call_work(request.app[CLIENT], request.app[SETTINGS], Task(TASKS[0], seconds)))
    left = asyncio.create_task(until_left(request))
    try:
        await asyncio.wait({work, left}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ClientLeft
        return web.json_response(shapes.waited(work.result(), elapsed()))
    finally:
        work.cancel()
        left.cancel()
        await asyncio.gather(work, left, return_exceptions=True)

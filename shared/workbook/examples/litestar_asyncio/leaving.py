"""The client leaves before it has its answer.

Different here: the Request's `receive` says when the client has left; a handler is told only if it asks.
Pick it when: the work is long or dear; what takes a moment is done sooner than watched.
Watch for: a handler that reads a body has to have read it whole before it watches; and one in a thread cannot watch.
"""

import asyncio
from typing import Any

from litestar import Request, get

from shared.lesson import shapes
from shared.lesson.contract import TASKS
from shared.lesson.problems import ClientLeft
from shared.lesson.timing import elapsed
from shared.lesson.work import Task
from shared.workbook.examples.litestar_asyncio.search import Client, Config
from shared.workbook.examples.litestar_asyncio.waiting import Seconds
from shared.workbook.examples.litestar_asyncio.work import call_work


async def until_left(request: Request[Any, Any, Any]) -> None:
    """Wait until the client has left."""
    # The first message is the request's body, empty here; the next one comes when the client goes.
    while (await request.receive())["type"] != "http.disconnect":
        pass


@get("/patient")
async def patient_endpoint(client: Client, settings: Config, seconds: Seconds = 2) -> shapes.Waited:
    """BAD for long work: when the client leaves meanwhile, the work is done to its end, for nobody."""
    result = await call_work(client, settings, Task(TASKS[0], seconds))
    return shapes.waited(result, elapsed())


@get("/attentive")
async def attentive_endpoint(
    request: Request[Any, Any, Any], client: Client, settings: Config, seconds: Seconds = 2
) -> shapes.Waited:
    """GOOD for long work: it watches for the client to leave, and breaks the work off when it has."""
    work = asyncio.create_task(call_work(client, settings, Task(TASKS[0], seconds)))
    left = asyncio.create_task(until_left(request))
    try:
        await asyncio.wait({work, left}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ClientLeft
        return shapes.waited(work.result(), elapsed())
    finally:
        work.cancel()
        left.cancel()
        await asyncio.gather(work, left, return_exceptions=True)


routes = [patient_endpoint, attentive_endpoint]

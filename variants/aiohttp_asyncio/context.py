"""What belongs to a request goes along with it: its identifier, in a context variable.

Different here: a middleware sets it: aiohttp serves each request in a task of its own, so the next one does not see it.
Pick it when: many parts have to know something of the request, and most between them do not: an identifier, a user, a language.
Watch for: `loop.run_in_executor` starts its thread without the context; `asyncio.to_thread` takes it along.
"""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler

from shared.lesson import limits, request_id, shapes
from shared.lesson.contract import TASKS
from shared.lesson.work import Task
from variants.aiohttp_asyncio.search import CLIENT, SETTINGS
from variants.aiohttp_asyncio.work import call_work

routes = web.RouteTableDef()


@web.middleware
async def with_request_id(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give each request an identifier: the client's, or a new one."""
    request_id.begin(request.headers.get(request_id.HEADER))
    return await handler(request)


async def id_in_task(seconds: float) -> str:
    """Return the identifier that a task finds, after others have had time to set theirs."""
    await asyncio.sleep(seconds)
    return request_id.current()


def id_in_thread() -> str:
    """Return the identifier that a worker thread finds."""
    return request_id.current()


@routes.get("/context")
async def context_endpoint(request: web.Request) -> web.Response:
    """GOOD: nobody hands the identifier on, and it is the same in a task, in a thread and in the service behind."""
    seconds = limits.read_seconds(request.query.get("seconds"), default=0.5)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(id_in_task(seconds))
        thread = group.create_task(asyncio.to_thread(id_in_thread))
        group.create_task(call_work(request.app[CLIENT], request.app[SETTINGS], Task(TASKS[0], seconds)))
    return web.json_response(shapes.identified(request_id.current(), task.result(), thread.result()))

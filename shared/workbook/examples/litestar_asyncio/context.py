"""What belongs to a request goes along with it: its identifier, in a context variable.

Different here: a middleware sets it, a function around an ASGI application, in the task that runs the handler.
Pick it when: many parts have to know something of the request, and most between them do not: an identifier, a user, a language.
Watch for: a middleware stands around a route, and not around the application: a path that nothing answers meets none.
"""

import asyncio

from litestar import get
from litestar.datastructures import Headers
from litestar.types import ASGIApp, Receive, Scope, Send

from shared.lesson import request_id, shapes
from shared.lesson.contract import TASKS
from shared.lesson.work import Task
from shared.workbook.examples.litestar_asyncio.search import Client, Config
from shared.workbook.examples.litestar_asyncio.waiting import Seconds
from shared.workbook.examples.litestar_asyncio.work import call_work


def with_request_id(app: ASGIApp) -> ASGIApp:
    """Wrap an application so that each request has an identifier: the client's, or a new one."""

    async def identified_app(scope: Scope, receive: Receive, send: Send) -> None:
        request_id.begin(Headers.from_scope(scope).get(request_id.HEADER))
        await app(scope, receive, send)

    return identified_app


async def id_in_task(seconds: float) -> str:
    """Return the identifier that a task finds, after others have had time to set theirs."""
    await asyncio.sleep(seconds)
    return request_id.current()


def id_in_thread() -> str:
    """Return the identifier that a worker thread finds."""
    return request_id.current()


@get("/context")
async def context_endpoint(client: Client, settings: Config, seconds: Seconds = 0.5) -> shapes.Identified:
    """GOOD: nobody hands the identifier on, and it is the same in a task, in a thread and in the service behind."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(id_in_task(seconds))
        thread = group.create_task(asyncio.to_thread(id_in_thread))
        group.create_task(call_work(client, settings, Task(TASKS[0], seconds)))
    return shapes.identified(request_id.current(), task.result(), thread.result())


routes = [context_endpoint]

"""Many calls, and not too many at once.

Different here: a semaphore from asyncio; the client has a limit, too, for all requests together: `TCPConnector(limit=…)`, 100.
Pick it when: the service behind allows so many at once, or you would rather not find out.
Watch for: one semaphore for all the tasks: made inside the task, each has its own, and nothing is limited.
"""

import asyncio

from aiohttp import web

from shared.lesson import limits, shapes
from shared.lesson.timing import elapsed
from shared.lesson.work import Task, equal
from variants.aiohttp_asyncio.search import CLIENT, SETTINGS
from variants.aiohttp_asyncio.work import call_work

routes = web.RouteTableDef()


@routes.get("/limited")
async def limited_endpoint(request: web.Request) -> web.Response:
    """GOOD: never more than `at_once` calls are under way; whenever one ends, the next begins."""
    tasks = limits.read_count(request.query.get("tasks"), default=10, name="tasks")
    at_once = limits.read_count(request.query.get("at_once"), default=3, name="at_once")
    seconds = limits.read_seconds(request.query.get("seconds"), default=0.5)
    places = asyncio.Semaphore(at_once)

    async def call_in_turn(task: Task) -> str:
        async with places:
            return await call_work(request.app[CLIENT], request.app[SETTINGS], task)

    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(call_in_turn(task)) for task in equal(tasks, seconds)]
    return web.json_response(shapes.worked([call.result() for call in calls], elapsed()))

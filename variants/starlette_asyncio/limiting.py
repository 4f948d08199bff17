"""Many calls, and not too many at once.

Different here: a semaphore from asyncio around each call.
Pick it when: the service behind allows so many at once, or you would rather not find out.
Watch for: one semaphore for all the tasks: made inside the task, each has its own, and nothing is limited.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.lesson import limits, shapes
from shared.lesson.timing import elapsed
from shared.lesson.work import Task, equal
from variants.starlette_asyncio.work import call_work


async def limited_endpoint(request: Request) -> JSONResponse:
    """GOOD: never more than `at_once` calls are under way; whenever one ends, the next begins."""
    tasks = limits.read_count(request.query_params.get("tasks"), default=10, name="tasks")
    at_once = limits.read_count(request.query_params.get("at_once"), default=3, name="at_once")
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=0.5)
    places = asyncio.Semaphore(at_once)

    async def call_in_turn(task: Task) -> str:
        async with places:
            return await call_work(request.state.client, request.state.settings, task)

    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(call_in_turn(task)) for task in equal(tasks, seconds)]
    return JSONResponse(shapes.worked([call.result() for call in calls], elapsed()))


routes = [
    Route("/limited", limited_endpoint),
]

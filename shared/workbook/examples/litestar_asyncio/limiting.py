"""Many calls, and not too many at once.

Different here: a semaphore from asyncio around each call.
Pick it when: the service behind allows so many at once, or you would rather not find out.
Watch for: one semaphore for all the tasks: made inside the task, each has its own, and nothing is limited.
"""

import asyncio
from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from shared.lesson import shapes
from shared.lesson.limits import MAX_TASKS, MIN_TASKS
from shared.lesson.timing import elapsed
from shared.lesson.work import Task, equal
from shared.workbook.examples.litestar_asyncio.search import Client, Config
from shared.workbook.examples.litestar_asyncio.waiting import Seconds
from shared.workbook.examples.litestar_asyncio.work import call_work

Count = Annotated[int, QueryParameter(ge=MIN_TASKS, le=MAX_TASKS)]


@get("/limited")
async def limited_endpoint(
    client: Client, settings: Config, tasks: Count = 10, at_once: Count = 3, seconds: Seconds = 0.5
) -> shapes.Worked:
    """GOOD: never more than `at_once` calls are under way; whenever one ends, the next begins."""
    places = asyncio.Semaphore(at_once)

    async def call_in_turn(task: Task) -> str:
        async with places:
            return await call_work(client, settings, task)

    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(call_in_turn(task)) for task in equal(tasks, seconds)]
    return shapes.worked([call.result() for call in calls], elapsed())


routes = [limited_endpoint]

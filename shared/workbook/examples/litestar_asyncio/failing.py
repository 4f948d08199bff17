"""Three calls together, and one of them fails: in `gather`, and in a group.

Different here: `asyncio.gather` and `asyncio.TaskGroup` from the standard library; Litestar adds nothing to either.
Pick it when: a group, when none of the results is of use without the others: nearly always.
Watch for: a group raises an `ExceptionGroup`, even for one failure; a handler for the error inside it is not asked.
"""

import asyncio

from litestar import get

from shared.lesson import shapes
from shared.lesson.timing import elapsed
from shared.lesson.work import one_fails
from shared.workbook.examples.litestar_asyncio.search import Client, Config
from shared.workbook.examples.litestar_asyncio.waiting import Seconds
from shared.workbook.examples.litestar_asyncio.work import call_work


@get("/gather-fails")
async def gather_fails(client: Client, settings: Config, seconds: Seconds = 2) -> shapes.Worked:
    """BAD here: the failure is answered at once, and the other two run on, for nobody."""
    results = await asyncio.gather(*(call_work(client, settings, task) for task in one_fails(seconds)))
    return shapes.worked(results, elapsed())


@get("/group-fails")
async def group_fails(client: Client, settings: Config, seconds: Seconds = 2) -> shapes.Worked:
    """GOOD: the group breaks the other two off before the failure is answered."""
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(call_work(client, settings, task)) for task in one_fails(seconds)]
    return shapes.worked([call.result() for call in calls], elapsed())


routes = [gather_fails, group_fails]

"""Three calls together, and one of them fails: in `gather`, and in a group.

Different here: `asyncio.gather` and `asyncio.TaskGroup` from the standard library; aiohttp adds nothing to either.
Pick it when: a group, when none of the results is of use without the others: nearly always.
Watch for: a group raises an `ExceptionGroup`, even for one failure; an `except` for the error inside it does not catch it.
"""

import asyncio

from aiohttp import web

from shared.lesson import limits, shapes
from shared.lesson.timing import elapsed
from shared.lesson.work import one_fails
from variants.aiohttp_asyncio.search import CLIENT, SETTINGS
from variants.aiohttp_asyncio.work import call_work

routes = web.RouteTableDef()


@routes.get("/gather-fails")
async def gather_fails(request: web.Request) -> web.Response:
    """BAD here: the failure is answered at once, and the other two run on, for nobody."""
    seconds = limits.read_seconds(request.query.get("seconds"), default=2)
    client, settings = request.app[CLIENT], request.app[SETTINGS]
    results = await asyncio.gather(*(call_work(client, settings, task) for task in one_fails(seconds)))
    return web.json_response(shapes.worked(results, elapsed()))


@routes.get("/group-fails")
async def group_fails(request: web.Request) -> web.Response:
    """GOOD: the group breaks the other two off before the failure is answered."""
    seconds = limits.read_seconds(request.query.get("seconds"), default=2)
    client, settings = request.app[CLIENT], request.app[SETTINGS]
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(call_work(client, settings, task)) for task in one_fails(seconds)]
    return web.json_response(shapes.worked([call.result() for call in calls], elapsed()))

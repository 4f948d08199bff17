"""Work that goes on after its answer: where it lives, who hears of a failure, how much of it there may be, and how it ends.

Different here: a set of tasks in the cleanup context. `run_app` cancels the task that holds it, so a deadline begins only then.
Pick it when: seconds of work, which may be lost with the machine. What must survive that belongs in a queue outside.
Watch for: a task that nobody holds is cancelled at the end, and nobody is told; it may even be collected half-way.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiohttp import web

from shared.lesson import limits, problems
from shared.lesson.jobs import GRACE, Jobs, location
from shared.lesson.work import Task, one_task
from variants.aiohttp_asyncio.search import CLIENT, SETTINGS
from variants.aiohttp_asyncio.work import call_work

LOG = logging.getLogger(__name__)


routes = web.RouteTableDef()


class Background(NamedTuple):
    """Where work lives that outlives its request, and the books of it."""

    tasks: set[asyncio.Task[None]]
    jobs: Jobs

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Start some work, and hold it until it ends: the event loop alone would not."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


BACKGROUND = web.AppKey("BACKGROUND", Background)


@asynccontextmanager
async def open_background() -> AsyncIterator[Background]:
    """Hold the work that outlives its request; when the server stops, wait for it, and break off what takes too long."""
    background = Background(set(), Jobs())
    yield background
    if background.tasks:
        _, late = await asyncio.wait(background.tasks, timeout=GRACE)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


async def work_in_background(request: web.Request, job: str, task: Task) -> None:
    """Work on a task, and keep what came of it: its client has an answer already, so nobody else would hear of a failure."""
    jobs = request.app[BACKGROUND].jobs
    try:
        jobs.done(job, await call_work(request.app[CLIENT], request.app[SETTINGS], task))
    except asyncio.CancelledError:
        LOG.warning("Background work %s was broken off, because the server stops", job)
        raise
    except problems.Problem as problem:
        LOG.warning("Background work %s failed: %s", job, problem.detail)
        jobs.failed(job, problem)
    except Exception:
        # Let through, it would be told when the task is collected, if ever, and the work would seem to run for ever.
        LOG.exception("Background work %s failed", job)
        jobs.failed(job, problems.from_status(500))


@routes.post("/background")
async def begin_background(request: web.Request) -> web.Response:
    """GOOD: it answers at once, says where to ask, and takes no more work than can be done."""
    seconds = limits.read_seconds(request.query.get("seconds"), default=2)
    fails = limits.read_fails(request.query.get("fails"))
    background = request.app[BACKGROUND]
    state = background.jobs.begin()
    background.start(work_in_background(request, state["id"], one_task(seconds, fails=fails)))
    return web.json_response(state, status=202, headers={"Location": location(state)})


@routes.get("/background/{job}")
async def background_state(request: web.Request) -> web.Response:
    """Tell what is known of a piece of work: it runs, it is done, or it failed, and why."""
    return web.json_response(request.app[BACKGROUND].jobs.state(request.match_info["job"]))

"""Work that goes on after its answer: where it lives, who hears of a failure, how much of it there may be, and how it ends.

Different here: a task group from asyncio that the lifespan holds open, so that the server cannot end before the work has.
Pick it when: seconds of work, which may be lost with the machine. What must survive that belongs in a queue outside.
Watch for: a `BackgroundTask` is a part of its request: nobody can ask for it, and a failure is seen in the log alone.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import httpx2
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from shared.lesson import problems
from shared.lesson.jobs import GRACE, Jobs, location
from shared.lesson.settings import Settings
from shared.lesson.shapes import BackgroundState
from shared.lesson.work import Task, one_task
from shared.workbook.examples.litestar_asyncio.search import Client, Config, YesOrNo
from shared.workbook.examples.litestar_asyncio.waiting import Seconds
from shared.workbook.examples.litestar_asyncio.work import call_work

LOG = logging.getLogger(__name__)


class Background(NamedTuple):
    """Where work lives that outlives its request, and the books of it."""

    group: asyncio.TaskGroup
    jobs: Jobs


@asynccontextmanager
async def open_background() -> AsyncIterator[Background]:
    """Hold the work that outlives its request; when the server stops, wait for it, and break off what takes too long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(None) as deadline, asyncio.TaskGroup() as group:
            yield Background(group, Jobs())
            deadline.reschedule(asyncio.get_running_loop().time() + GRACE)


async def work_in_background(client: httpx2.AsyncClient, settings: Settings, jobs: Jobs, job: str, task: Task) -> None:
    """Work on a task, and keep what came of it: its client has an answer already, so nobody else would hear of a failure."""
    try:
        jobs.done(job, await call_work(client, settings, task))
    except asyncio.CancelledError:
        LOG.warning("Background work %s was broken off, because the server stops", job)
        raise
    except problems.Problem as problem:
        LOG.warning("Background work %s failed: %s", job, problem.detail)
        jobs.failed(job, problem)
    except Exception:
        # Let through, it would break off all other work in the group.
        LOG.exception("Background work %s failed", job)
        jobs.failed(job, problems.from_status(500))


@post("/background", status_code=202)
async def begin_background(
    client: Client, settings: Config, background: NamedDependency[Background], seconds: Seconds = 2, fails: YesOrNo = "false"
) -> Response[BackgroundState]:
    """GOOD: it answers at once, says where to ask, and takes no more work than can be done."""
    group, jobs = background
    state, task = jobs.begin(), one_task(seconds, fails=fails == "true")
    group.create_task(work_in_background(client, settings, jobs, state["id"], task))
    return Response(state, headers={"Location": location(state)})


@get("/background/{job:str}")
async def background_state(background: NamedDependency[Background], job: FromPath[str]) -> BackgroundState:
    """Tell what is known of a piece of work: it runs, it is done, or it failed, and why."""
    return background.jobs.state(job)


routes = [begin_background, background_state]

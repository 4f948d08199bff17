"""Work that goes on after its answer: where it lives, who hears of a failure, how much of it there may be, and how it ends.

Different here: Starlette's lifespan, which holds a task group from asyncio open. FastAPI's own `BackgroundTasks` do less.
Pick it when: seconds of work, which may be lost with the machine. What must survive that belongs in a queue outside.
Watch for: `BackgroundTasks` are a part of their request: nobody can ask for them, and a failure is seen in the log alone.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter, Query, Request, Response

from shared.lesson import problems, shapes
from shared.lesson.jobs import GRACE, Jobs, location
from shared.lesson.work import Task, one_task
from variants.fastapi_asyncio.waiting import Seconds
from variants.fastapi_asyncio.work import call_work

# Not a bool, which would also be 1, yes, on, True, and more of the kind.
Fails = Annotated[Literal["true", "false"], Query(alias="fails")]

routes = APIRouter()

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


async def work_in_background(request: Request, job: str, task: Task) -> None:
    """Work on a task, and keep what came of it: its client has an answer already, so nobody else would hear of a failure."""
    jobs = request.state.background.jobs
    try:
        jobs.done(job, await call_work(request.state.client, request.state.settings, task))
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


@routes.post("/background", status_code=202)
async def begin_background(
    request: Request, response: Response, seconds: Seconds = 2, wanted: Fails = "false"
) -> shapes.BackgroundState:
    """GOOD: it answers at once, says where to ask, and takes no more work than can be done."""
    background = request.state.background
    state: shapes.BackgroundState = background.jobs.begin()
    background.group.create_task(work_in_background(request, state["id"], one_task(seconds, fails=wanted == "true")))
    response.headers["Location"] = location(state)
    return state


@routes.get("/background/{job}")
async def background_state(request: Request, job: str) -> shapes.BackgroundState:
    """Tell what is known of a piece of work: it runs, it is done, or it failed, and why."""
    jobs: Jobs = request.state.background.jobs
    return jobs.state(job)

"""Work that goes on after its answer: where it lives, who hears of a failure, how much of it there may be, and how it ends.

Different here: a task group from anyio that the lifespan holds open; it is a cancel scope, too, and its deadline ends the work.
Pick it when: seconds of work, which may be lost with the machine. What must survive that belongs in a queue outside.
Watch for: a `BackgroundTask` is a part of its request: nobody can ask for it, and a failure is seen in the log alone.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import anyio
from anyio.abc import TaskGroup
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.lesson import limits, problems
from shared.lesson.jobs import GRACE, Jobs, location
from shared.lesson.work import Task, one_task
from variants.anyio_trio.work import call_work

LOG = logging.getLogger(__name__)


class Background(NamedTuple):
    """Where work lives that outlives its request, and the books of it."""

    group: TaskGroup
    jobs: Jobs


@asynccontextmanager
async def open_background() -> AsyncIterator[Background]:
    """Hold the work that outlives its request; when the server stops, wait for it, and break off what takes too long."""
    async with anyio.create_task_group() as group:
        yield Background(group, Jobs())
        group.cancel_scope.deadline = anyio.current_time() + GRACE


async def work_in_background(request: Request, job: str, task: Task) -> None:
    """Work on a task, and keep what came of it: its client has an answer already, so nobody else would hear of a failure."""
    jobs = request.state.background.jobs
    try:
        jobs.done(job, await call_work(request.state.client, request.state.settings, task))
    except anyio.get_cancelled_exc_class():
        LOG.warning("Background work %s was broken off, because the server stops", job)
        raise
    except problems.Problem as problem:
        LOG.warning("Background work %s failed: %s", job, problem.detail)
        jobs.failed(job, problem)
    except Exception:
        # Let through, it would break off all other work in the group.
        LOG.exception("Background work %s failed", job)
        jobs.failed(job, problems.from_status(500))


async def begin_background(request: Request) -> JSONResponse:
    """GOOD: it answers at once, says where to ask, and takes no more work than can be done."""
    seconds = limits.read_seconds(request.query_params.get("seconds"), default=2)
    fails = limits.read_fails(request.query_params.get("fails"))
    background = request.state.background
    state = background.jobs.begin()
    background.group.start_soon(work_in_background, request, state["id"], one_task(seconds, fails=fails))
    return JSONResponse(state, 202, {"Location": location(state)})


async def background_state(request: Request) -> JSONResponse:
    """Tell what is known of a piece of work: it runs, it is done, or it failed, and why."""
    return JSONResponse(request.state.background.jobs.state(request.path_params["job"]))


routes = [
    Route("/background", begin_background, methods=["POST"]),
    Route("/background/{job}", background_state),
]

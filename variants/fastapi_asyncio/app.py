"""The application: routes, what lives as long as the server, the header with the timings, and the one place for errors.

Different here: Starlette underneath, so lifespan, middleware and error hook are Starlette's; validation errors are FastAPI's own.
Pick it when: you want `/docs` and `/openapi.json` from the declarations, for nothing more than writing them.
Watch for: its own validation answers are not problem details; the hook below makes them so.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

import anyio.lowlevel
import httpx2
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.lesson import identity, limits, problems, timing
from shared.lesson.embedded import running_upstreams
from shared.lesson.settings import Settings
from variants.fastapi_asyncio import (
    answers,
    background,
    computing,
    context,
    conversation,
    deadlines,
    failing,
    leaving,
    limiting,
    racing,
    resilience,
    room,
    search,
    streaming,
    together,
    waiting,
)

CHAPTERS = (
    *(waiting, together, search, answers, failing, deadlines, limiting),
    *(racing, streaming, leaving, context, background, conversation, computing, room),
)


class State(TypedDict):
    """What every request finds in `request.state`."""

    client: httpx2.AsyncClient
    settings: Settings
    background: background.Background
    workers: computing.Workers


async def home() -> identity.Identity:
    """Say what serves this."""
    return identity.describe(__package__, framework="fastapi")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[State]:
    """Open the client and the workers once, before the first request, and close them after the last."""
    # anyio, which client and threads use, loads its half for asyncio when it is first awaited, in 40 ms: better now than later.
    await anyio.lowlevel.checkpoint()
    room.set_threads()
    with running_upstreams() as settings, computing.open_workers() as workers:
        # The last to be opened is the first to be closed: what still works in the background needs the client.
        async with resilience.open_client(settings) as client, background.open_background() as work:
            yield {"client": client, "settings": settings, "background": work, "workers": workers}


def server_timing(app: ASGIApp) -> ASGIApp:
    """Wrap an application so that each answer says where its time went."""

    async def timed_app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        record = timing.begin()

        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start" and record.entries:
                MutableHeaders(scope=message)["Server-Timing"] = record.header()
            await send(message)

        await app(scope, receive, send_with_header)

    return timed_app


def as_problem(error: Exception) -> problems.Problem | None:
    """Return how a single error reads as a problem; None for one that nobody foresaw."""
    if isinstance(error, HTTPException):
        return problems.from_status(error.status_code, error.headers)
    if isinstance(error, RequestValidationError):
        return limits.invalid(error.errors()[0]["loc"][-1])
    return error if isinstance(error, problems.Problem) else None


async def handle_error(request: Request, error: Exception) -> JSONResponse:
    """Turn any error into problem details; one that nobody foresaw says nothing about itself to the client."""
    if request.scope["type"] == "websocket":
        raise error  # What has begun as a conversation has no answer; the server logs it, and ends the conversation.
    problem = problems.foreseen(error, as_problem)
    if problem is None and isinstance(error, ExceptionGroup):
        # Starlette hands other unforeseen errors on to the server, which logs them; one with a handler it takes as dealt with.
        logging.getLogger(__name__).error("Unforeseen error out of a task group", exc_info=error)
    problem = problem or problems.from_status(500)
    return JSONResponse(problem.body(), problem.status, problem.headers, problems.MEDIA_TYPE)


def create_app() -> FastAPI:
    """Return the application, ready to be served."""
    application = FastAPI(title="The lesson on FastAPI", lifespan=lifespan)
    application.add_api_route("/", home)
    for chapter in CHAPTERS:
        application.include_router(chapter.routes)
    application.add_middleware(server_timing)
    application.add_middleware(context.with_request_id)
    for error in (RequestValidationError, HTTPException, problems.Problem, ExceptionGroup, Exception):
        application.add_exception_handler(error, handle_error)
    return application


app = create_app()

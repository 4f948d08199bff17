"""The application: routes, what lives as long as the server, the header with the timings, and the one place for errors.

Different here: Starlette as on asyncio; for its server the head of an answer is shielded from cancellation.
Pick it when: you want one application for both loops.
Watch for: an error out of a task group arrives as an `ExceptionGroup`; without a handler for that it is a 500.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

import anyio
import httpx2
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.lesson import identity, problems, timing
from shared.lesson.embedded import running_upstreams
from shared.lesson.settings import Settings
from variants.anyio_trio import (
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
    workers: anyio.CapacityLimiter


async def home(request: Request) -> JSONResponse:
    """Say what serves this."""
    return JSONResponse(identity.describe(__package__, framework="starlette"))


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[State]:
    """Open the client and the workers once, before the first request, and close them after the last."""
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
            begins = message["type"] == "http.response.start"
            if begins and record.entries:
                MutableHeaders(scope=message)["Server-Timing"] = record.header()
            # Cancelled just here, anycorn 0.20 would begin a second answer, and the error of that would end the whole server.
            with anyio.CancelScope(shield=begins):
                await send(message)

        await app(scope, receive, send_with_header)

    return timed_app


def as_problem(error: Exception) -> problems.Problem | None:
    """Return how a single error reads as a problem; None for one that nobody foresaw."""
    if isinstance(error, HTTPException):
        return problems.from_status(error.status_code, error.headers)
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


def create_app() -> Starlette:
    """Return the application, ready to be served."""
    return Starlette(
        routes=[Route("/", home), *(route for chapter in CHAPTERS for route in chapter.routes)],
        lifespan=lifespan,
        middleware=[Middleware(context.with_request_id), Middleware(server_timing)],
        exception_handlers=dict.fromkeys((HTTPException, problems.Problem, ExceptionGroup, Exception), handle_error),
    )


app = create_app()

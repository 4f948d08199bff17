"""The application: routes, what lives as long as the server, the header with the timings, and the one place for errors.

Different here: one constructor takes everything, and provides by name what handlers ask for in their parameters.
Pick it when: you want types checked, and much that others leave to packages: sessions, caches, guards, pages at `/schema`.
Watch for: it answers a path with a slash too many as if it had none, and logs no error unless it is told to.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.lowlevel
import httpx2
from litestar import Litestar, Request, Response, get
from litestar.datastructures import MutableScopeHeaders, State
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotFoundException, ValidationException
from litestar.openapi import OpenAPIConfig
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from shared.lesson import identity, limits, problems, timing
from shared.lesson.embedded import running_upstreams
from shared.lesson.settings import Settings
from shared.workbook.examples.litestar_asyncio import (
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


@get("/")
async def home() -> identity.Identity:
    """Say what serves this."""
    return identity.describe(__package__, framework="litestar")


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    """Open the client and the workers once, before the first request, and close them after the last."""
    # anyio, which the client uses, loads its half for asyncio when it is first awaited, in 40 ms: better now than later.
    await anyio.lowlevel.checkpoint()
    room.set_threads()
    with running_upstreams() as settings, computing.open_workers() as workers:
        # The last to be opened is the first to be closed: what still works in the background needs the client.
        async with resilience.open_client(settings) as client, background.open_background() as work:
            app.state.update({"client": client, "settings": settings, "background": work, "workers": workers})
            yield


async def _client(state: State) -> httpx2.AsyncClient:
    """Provide what handlers ask for as `client`; likewise below."""
    client: httpx2.AsyncClient = state.client
    return client


async def _settings(state: State) -> Settings:
    settings: Settings = state.settings
    return settings


async def _background(state: State) -> background.Background:
    work: background.Background = state.background
    return work


async def _workers(state: State) -> computing.Workers:
    workers: computing.Workers = state.workers
    return workers


def server_timing(app: ASGIApp) -> ASGIApp:
    """Wrap an application so that each answer says where its time went."""

    async def timed_app(scope: Scope, receive: Receive, send: Send) -> None:
        record = timing.begin()

        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start" and record.entries:
                MutableScopeHeaders.from_message(message)["Server-Timing"] = record.header()
            await send(message)

        await app(scope, receive, send_with_header)

    return timed_app


async def _only_exact_paths(request: Request[Any, Any, Any]) -> None:
    """Answer a path with a slash too many as one that nobody knows."""
    if request.scope["raw_path"] != b"/" and request.scope["raw_path"].endswith(b"/"):
        raise NotFoundException


def as_problem(error: Exception) -> problems.Problem | None:
    """Return how a single error reads as a problem; None for one that nobody foresaw."""
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        return limits.invalid(error.extra[0]["key"])
    if isinstance(error, HTTPException) and error.status_code < 500:  # noqa: PLR2004 - HTTP's first server error
        return problems.from_status(error.status_code, error.headers)
    return error if isinstance(error, problems.Problem) else None


async def _log_unforeseen(error: Exception, scope: Scope) -> None:
    """Log an error that nobody foresaw: Litestar tells the client, and nobody else."""
    if problems.foreseen(error, as_problem) is None:
        logging.getLogger(__name__).error("Unforeseen error", exc_info=error)


def handle_error(request: Request[Any, Any, Any], error: Exception) -> Response[problems.ProblemDetails]:
    """Turn any error into problem details; one that nobody foresaw says nothing about itself to the client."""
    problem = problems.foreseen(error, as_problem) or problems.from_status(500)
    return Response(problem.body(), status_code=problem.status, headers=problem.headers, media_type=problems.MEDIA_TYPE)


def create_app() -> Litestar:
    """Return the application, ready to be served."""
    return Litestar(
        [home, *(route for chapter in CHAPTERS for route in chapter.routes)],
        lifespan=[lifespan],
        dependencies={
            "client": Provide(_client),
            "settings": Provide(_settings),
            "background": Provide(_background),
            "workers": Provide(_workers),
        },
        middleware=[context.with_request_id, server_timing],
        before_request=_only_exact_paths,
        exception_handlers={Exception: handle_error},
        after_exception=[_log_unforeseen],
        openapi_config=OpenAPIConfig("The lesson on Litestar", version="1"),
        logging_config=None,  # Its own starts a thread, and logs no error unless it is told to.
    )


app = create_app()

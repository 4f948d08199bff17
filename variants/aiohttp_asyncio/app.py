"""The application: routes, what lives as long as the server, the header with the timings, and the one place for errors.

Different here: an `Application` also keeps things, under typed keys; middlewares wrap handlers, and errors are theirs.
Pick it when: you want few layers: between the socket and the handler there is only aiohttp.
Watch for: an error status of aiohttp's own is an exception that a middleware has to catch, not a response that passes by.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from weakref import WeakSet

from aiohttp import WSCloseCode, web
from aiohttp.typedefs import Handler

from shared.lesson import identity, problems, timing
from shared.lesson.command import SHUTDOWN_WAIT
from shared.lesson.embedded import running_upstreams
from variants.aiohttp_asyncio import (
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


async def home(request: web.Request) -> web.Response:
    """Say what serves this."""
    return web.json_response(identity.describe(__package__, framework="aiohttp"))


async def lifespan(app: web.Application) -> AsyncIterator[None]:
    """Open the client and the workers once, before the first request, and close them after the last."""
    room.set_threads()
    with running_upstreams() as settings, computing.open_workers() as app[computing.POOL]:
        # The last to be opened is the first to be closed: what still works in the background needs the client.
        async with resilience.open_client(settings) as client, background.open_background() as work:
            app[search.CLIENT], app[search.SETTINGS], app[background.BACKGROUND] = client, settings, work
            yield


async def _end_conversations(app: web.Application) -> None:
    """Close the WebSockets when the server is to stop: it would wait for their handlers, up to two minutes."""
    closing = [asyncio.create_task(websocket.close(code=WSCloseCode.GOING_AWAY)) for websocket in app[conversation.OPEN]]
    if closing:
        # A close is behind all that has still to be sent, and to a client that reads nothing it never comes.
        # No `asyncio.timeout`: `run_app` has cancelled the task that this runs in, where it works from Python 3.11.3 on only.
        _, late = await asyncio.wait(closing, timeout=SHUTDOWN_WAIT / 3)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


@web.middleware
async def server_timing(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Make each answer say where its time went."""
    record = timing.begin()
    response = await handler(request)
    if record.entries:
        response.headers["Server-Timing"] = record.header()
    return response


def as_problem(error: Exception) -> problems.Problem | None:
    """Return how a single error reads as a problem; None for one that nobody foresaw."""
    if isinstance(error, web.HTTPException):
        # It is a response too, with headers that speak of its own body.
        headers = {name: value for name, value in error.headers.items() if not name.startswith("Content-")}
        return problems.from_status(error.status, headers)
    return error if isinstance(error, problems.Problem) else None


@web.middleware
async def handle_error(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn any error into problem details; one that nobody foresaw says nothing about itself to the client."""
    try:
        return await handler(request)
    except Exception as error:
        if request.writer.output_size:
            raise  # The answer has begun: a second head in its middle would be taken for a part of it.
        problem = problems.foreseen(error, as_problem)
        if problem is None:
            logging.getLogger(__name__).exception("Unforeseen error")
    problem = problem or problems.from_status(500)
    return web.json_response(problem.body(), status=problem.status, headers=problem.headers, content_type=problems.MEDIA_TYPE)


def create_app() -> web.Application:
    """Return the application, ready to be served."""
    application = web.Application(middlewares=[context.with_request_id, server_timing, handle_error])
    application.router.add_get("/", home)
    for chapter in CHAPTERS:
        application.add_routes(chapter.routes)
    application[conversation.OPEN] = WeakSet()
    application.on_shutdown.append(_end_conversations)
    application.cleanup_ctx.append(lifespan)
    return application


app = create_app()

"""What the stacks' own test clients show, and where the real server behaves otherwise: each on a few lines of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Literal, get_args

import anyio
import httpx2
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer as AiohttpServer  # Under its own name pytest would take it for a test.
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient as FastAPITestClient
from starlette.applications import Starlette
from starlette.exceptions import StarletteDeprecationWarning
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.tools.minimal import WAIT, Handler, on_aiohttp, on_anycorn, on_uvicorn

Backend = Literal["asyncio", "trio"]
BACKENDS: tuple[Backend, ...] = get_args(Backend)


def aiohttp_application(handler: Handler) -> web.Application:
    """Return an application whose handler waits."""

    async def wait(request: web.Request) -> web.Response:
        await handler()
        return web.Response(text="done")

    app = web.Application()
    app.router.add_get("/", wait)
    return app


def starlette_application(handler: Handler) -> Starlette:
    """Return an application whose handler waits."""

    async def wait(request: Request) -> PlainTextResponse:
        await handler()
        return PlainTextResponse("done")

    return Starlette(routes=[Route("/", wait)])


def test_aiohttp_cancels_on_its_test_server_only() -> None:
    """The handler of a client that left is cancelled on the test server, and runs on under the real one's defaults."""
    tested = Handler()

    async def on_test_server() -> str:
        async with AiohttpServer(aiohttp_application(tested)) as server:
            assert server.port
            return await asyncio.to_thread(tested.left, server.port)

    assert asyncio.run(on_test_server()) == "cancelled"
    served = Handler()
    with on_aiohttp(aiohttp_application(served)) as port:
        assert served.left(port) == "done"
    told = Handler()
    with on_aiohttp(aiohttp_application(told), cancels=True) as port:
        assert told.left(port) == "cancelled"


def test_starlette_runs_on_whoever_serves_it() -> None:
    """The handler of a client that left runs on under uvicorn, and on trio under anycorn."""
    asyncio_handler, trio_handler = Handler(), Handler()
    with on_uvicorn(starlette_application(asyncio_handler)) as port:
        assert asyncio_handler.left(port) == "done"
    with on_anycorn(starlette_application(trio_handler)) as port:
        assert trio_handler.left(port) == "done"


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_test_client_never_leaves_a_handler(backend: Backend) -> None:
    """It waits for the answer however short its timeout is: what a client's leaving does cannot be seen with it."""
    client = TestClient(starlette_application(Handler()), backend=backend)
    with pytest.warns(StarletteDeprecationWarning, match="timeout"):
        assert client.get("/", timeout=0.01).text == "done"


def stream_application(handler: Handler) -> ASGIApp:
    """Return an application that waits in the middle of its answer, and looks for no client."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        await handler()
        await send({"type": "http.response.body", "body": b"last"})

    return application


def test_the_test_client_cancels_a_stream_that_servers_let_run() -> None:
    """An application that looks for no client is cancelled when the test client closes its stream, and by no real server."""
    tested, on_asyncio, on_trio = Handler(), Handler(), Handler()
    with TestClient(stream_application(tested)).stream("GET", "/") as answer:
        assert next(answer.iter_bytes()) == b"first"
    assert tested.how == "cancelled"
    with on_uvicorn(stream_application(on_asyncio)) as port:
        assert on_asyncio.left(port) == "done"
    with on_anycorn(stream_application(on_trio)) as port:
        assert on_trio.left(port) == "done"


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_test_client_raises_what_a_server_answers_with_500(backend: Backend) -> None:
    """An error that nobody handles comes out of the call in the test; told not to, the client gets what users get."""

    async def fail(request: Request) -> PlainTextResponse:
        raise ValueError("nobody handles this")

    app = Starlette(routes=[Route("/", fail)])
    with pytest.raises(ValueError, match="nobody"):
        TestClient(app, backend=backend).get("/")
    assert TestClient(app, backend=backend, raise_server_exceptions=False).get("/").status_code == 500


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_lifespan_runs_within_with_only(backend: Backend) -> None:
    """Without `with`, what the lifespan opens is not there; httpx2's ASGI transport never runs it."""
    ran = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        ran.append("begin")
        yield
        ran.append("end")

    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("done"))], lifespan=lifespan)
    assert TestClient(app, backend=backend).get("/").text == "done"
    anyio.run(ask, app, backend=backend)
    assert not ran
    with TestClient(app, backend=backend) as client:
        client.get("/")
    assert ran == ["begin", "end"]


async def ask(app: ASGIApp) -> list[float]:
    """Ask through httpx2's ASGI transport, which needs no server; return when each part of the answer came, in seconds."""
    began = anyio.current_time()
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client, client.stream("GET", "/") as answer:
        return [anyio.current_time() - began async for _ in answer.aiter_bytes()]


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_asgi_transport_shows_a_stream_when_it_is_over(backend: Backend) -> None:
    """In place of a part now and one after the wait, it hands over everything after the wait."""
    assert min(anyio.run(ask, stream_application(Handler()), backend=backend)) > 0.9 * WAIT


def test_fastapi_replaces_a_dependency_in_a_test() -> None:
    """A test puts another function in a dependency's place, and the real one is not called."""

    def database() -> str:
        raise AssertionError("a test must not come here")

    app = FastAPI()

    @app.get("/")
    async def read(name: Annotated[str, Depends(database)]) -> str:
        return name

    app.dependency_overrides[database] = lambda: "a stand-in"
    assert FastAPITestClient(app).get("/").json() == "a stand-in"

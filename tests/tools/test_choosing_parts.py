"""What each framework has built in, on applications of a few lines: validation, documents, middleware, errors, and the like."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager
from http.client import HTTPConnection
from typing import Annotated

import pytest
from aiohttp import ClientSession, WSMsgType, web
from aiohttp.test_utils import TestServer as AiohttpServer  # Under its own name pytest would take it for a test.
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient as FastAPITestClient
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from tests.tools.minimal import LIMIT, Handler, on_anycorn, on_uvicorn

Aiohttp = Callable[[web.Request], Awaitable[web.StreamResponse]]
seen: contextvars.ContextVar[str] = contextvars.ContextVar("seen", default="nothing")


def ask_aiohttp(app: web.Application, path: str = "/") -> tuple[int, dict[str, str], str]:
    """Return status, headers and text of what an application answers."""

    async def ask() -> tuple[int, dict[str, str], str]:
        async with AiohttpServer(app) as server, ClientSession() as client, client.get(server.make_url(path)) as answer:
            return answer.status, dict(answer.headers), await answer.text()

    return asyncio.run(ask())


def aiohttp_with(handler: Aiohttp, **options: object) -> web.Application:
    """Return an application with one handler."""
    app = web.Application(**options)  # type: ignore[arg-type] # Whatever the test has to show.
    app.router.add_get("/", handler)
    return app


def fastapi_square() -> FastAPI:
    """Return an application that declares its parameter as a number."""
    app = FastAPI()

    @app.get("/")
    async def square(number: int) -> int:
        return number**2

    return app


def test_fastapi_validates_what_a_signature_declares() -> None:
    """A number arrives as an `int`; what is none is answered with 422, which names the parameter."""
    client = FastAPITestClient(fastapi_square())
    assert client.get("/?number=3").json() == 9
    refused = client.get("/?number=three")
    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["query", "number"])


def test_the_others_hand_over_text() -> None:
    """Starlette and aiohttp give a handler what was sent, as text."""

    async def starlette_handler(request: Request) -> PlainTextResponse:
        return PlainTextResponse(repr(request.query_params["number"]))

    async def aiohttp_handler(request: web.Request) -> web.Response:
        return web.Response(text=repr(request.query["number"]))

    assert TestClient(Starlette(routes=[Route("/", starlette_handler)])).get("/?number=three").text == "'three'"
    assert ask_aiohttp(aiohttp_with(aiohttp_handler), "/?number=three")[2] == "'three'"


def test_only_fastapi_describes_itself() -> None:
    """FastAPI serves a page, with scripts from elsewhere, and a description, made from declarations; the others answer 404."""

    async def aiohttp_handler(request: web.Request) -> web.Response:
        return web.Response()

    client = FastAPITestClient(fastapi_square())
    description = client.get("/openapi.json").json()
    assert description["paths"]["/"]["get"]["parameters"][0]["schema"]["type"] == "integer"
    assert '<script src="https://' in client.get("/docs").text
    assert [TestClient(Starlette()).get(path).status_code for path in ("/docs", "/openapi.json")] == [404, 404]
    assert [ask_aiohttp(aiohttp_with(aiohttp_handler), path)[0] for path in ("/docs", "/openapi.json")] == [404, 404]


def test_fastapi_calls_a_dependency_once_a_request() -> None:
    """Whoever asks for it gets the same one, and what stands behind its `yield` runs when the request is over."""
    calls: list[str] = []

    async def connection() -> AsyncIterator[object]:
        calls.append("open")
        yield object()
        calls.append("close")

    app = FastAPI()

    @app.get("/")
    async def same(one: Annotated[object, Depends(connection)], other: Annotated[object, Depends(connection)]) -> bool:
        return one is other

    assert FastAPITestClient(app).get("/").json() is True
    assert calls == ["open", "close"]


async def set_seen(request: Request) -> PlainTextResponse:
    """Set the context variable in a handler."""
    seen.set("the handler's")
    return PlainTextResponse("done")


def test_a_plain_asgi_middleware_shares_the_handlers_context() -> None:
    """What a handler sets in a context variable, a middleware that is a plain ASGI application reads afterwards."""
    read = []

    def middleware(app: ASGIApp) -> ASGIApp:
        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            await app(scope, receive, send)
            read.append(seen.get())

        return wrapped

    TestClient(Starlette(routes=[Route("/", set_seen)], middleware=[Middleware(middleware)])).get("/")
    assert read == ["the handler's"]


def test_base_http_middleware_does_not() -> None:
    """`BaseHTTPMiddleware` runs the handler in a task of its own, and reads what was set before."""
    read = []

    async def middleware(request: Request, call_next: RequestResponseEndpoint) -> Response:
        answer = await call_next(request)
        read.append(seen.get())
        return answer

    routes = [Route("/", set_seen)]
    TestClient(Starlette(routes=routes, middleware=[Middleware(BaseHTTPMiddleware, dispatch=middleware)])).get("/")
    assert read == ["nothing"]


async def stream(request: web.Request) -> web.StreamResponse:
    """Answer with a stream, which an aiohttp handler begins by itself."""
    answer = web.StreamResponse()
    await answer.prepare(request)
    await answer.write(b"done")
    return answer


def test_aiohttps_middleware_comes_too_late_for_a_streams_headers() -> None:
    """It gets the stream when it is over: a header set then is not sent, and one set by `on_response_prepare` is."""

    @web.middleware
    async def middleware(request: web.Request, handler: Aiohttp) -> web.StreamResponse:
        answer = await handler(request)
        answer.headers["X-Late"] = "yes"
        return answer

    async def signal(request: web.Request, answer: web.StreamResponse) -> None:
        answer.headers["X-In-Time"] = "yes"

    app = aiohttp_with(stream, middlewares=[middleware])
    app.on_response_prepare.append(signal)
    headers = ask_aiohttp(app)[1]
    assert "X-In-Time" in headers
    assert "X-Late" not in headers


def raising(error: Exception) -> Callable[[Request], Awaitable[Response]]:
    """Return a handler that raises."""

    async def handler(request: Request) -> Response:
        raise error

    return handler


def test_starlette_answers_by_the_class_of_an_error() -> None:
    """A handler for a class of errors answers each of them; it does not find one that a task group has wrapped."""

    async def answer(request: Request, error: Exception) -> Response:
        return PlainTextResponse("in our words", 409)

    routes = [
        Route("/", raising(LookupError("bare"))),
        Route("/group", raising(ExceptionGroup("out of a group", [LookupError("wrapped")]))),
    ]
    client = TestClient(Starlette(routes=routes, exception_handlers={LookupError: answer}), raise_server_exceptions=False)
    assert [client.get(path).status_code for path in ("/", "/group")] == [409, 500]


def test_an_aiohttp_error_is_an_answer() -> None:
    """An `HTTPException` that is raised is what is answered; any other is a 500, unless a middleware makes something of it."""

    async def refuse(request: web.Request) -> web.Response:
        raise web.HTTPConflict(text="in our words")

    async def fail(request: web.Request) -> web.Response:
        raise LookupError("nobody foresaw this")

    @web.middleware
    async def middleware(request: web.Request, handler: Aiohttp) -> web.StreamResponse:
        try:
            return await handler(request)
        except LookupError:
            return web.Response(status=404)

    assert ask_aiohttp(aiohttp_with(refuse))[::2] == (409, "in our words")
    assert ask_aiohttp(aiohttp_with(fail))[0] == 500
    assert ask_aiohttp(aiohttp_with(fail, middlewares=[middleware]))[0] == 404


def test_aiohttp_has_both_ends_of_a_websocket() -> None:
    """Server and client speak it with no further package."""

    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(f"echo: {message.data}")
        return socket

    async def talk() -> str:
        async with (
            AiohttpServer(aiohttp_with(echo)) as server,
            ClientSession() as client,
            client.ws_connect(server.make_url("/")) as socket,
        ):
            await socket.send_str("hello")
            answer = await socket.receive(LIMIT)
            assert answer.type is WSMsgType.TEXT
            return str(answer.data)

    assert asyncio.run(talk()) == "echo: hello"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_starlette_speaks_websocket_on_both_loops(backend: str) -> None:
    """Its test client speaks it without a server; a server may need a package for it."""

    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(f"echo: {await socket.receive_text()}")
        await socket.close()

    client = TestClient(Starlette(routes=[WebSocketRoute("/", echo)]), backend="trio" if backend == "trio" else "asyncio")
    with client.websocket_connect("/") as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "echo: hello"


@pytest.mark.parametrize("serving", [on_uvicorn, on_anycorn])
def test_a_background_task_runs_after_the_answer(serving: Callable[[ASGIApp], AbstractContextManager[int]]) -> None:
    """The client has its answer while the task still runs; the test client waits for the task, too."""
    served, tested = Handler(), Handler()

    def application(work: Handler) -> Starlette:
        async def answer(request: Request) -> Response:
            return PlainTextResponse("done", background=BackgroundTask(work))

        return Starlette(routes=[Route("/", answer)])

    with serving(application(served)) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=LIMIT)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"done"
        assert not served.ended.is_set()
        assert served.ended.wait(LIMIT)
        connection.close()
    TestClient(application(tested)).get("/")
    assert tested.ended.is_set()


def test_an_aiohttp_task_lives_as_long_as_its_cleanup_context() -> None:
    """A task that a cleanup context starts works between requests, and is cancelled when the server stops."""
    work = Handler()

    async def lifetime(app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(work())
        yield
        task.cancel()
        await asyncio.wait([task])

    async def start_and_stop() -> bool:
        app = web.Application()
        app.cleanup_ctx.append(lifetime)
        async with AiohttpServer(app):
            await asyncio.sleep(0)
            return work.entered.is_set()

    assert asyncio.run(start_and_stop())
    assert work.how == "cancelled"

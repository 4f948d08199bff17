"""Applications of a few lines, with no code of a variant in them, on the real servers; and a client that leaves."""

import asyncio
import functools
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, cast

import anycorn
import anyio.from_thread
import uvicorn
from aiohttp import web
from anycorn.typing import ASGIFramework
from starlette.applications import Starlette

LIMIT = 10.0
"""Seconds after which something is taken not to happen at all."""

WAIT = 0.5
"""Seconds that a handler waits, of which a departed client takes away nearly all where it is noticed."""

Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


class Handler:
    """A handler's body: it says that it was entered, waits, and remembers how it ended: "done" or "cancelled"."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.ended = threading.Event()
        self.how = ""

    async def __call__(self) -> None:
        """Wait for WAIT seconds, or until something cancels it."""
        self.entered.set()
        self.how = "cancelled"
        try:
            await anyio.sleep(WAIT)
            self.how = "done"
        finally:
            self.ended.set()

    def left(self, port: int, path: str = "/") -> str:
        """Send a request, leave while the handler waits, and return how it ended."""
        with socket.create_connection(("127.0.0.1", port), LIMIT) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            assert self.entered.wait(LIMIT)
        assert self.ended.wait(LIMIT)
        return self.how


@contextmanager
def on_uvicorn(app: App | Starlette) -> Iterator[int]:
    """Serve an ASGI application as its users do, and yield the port."""
    config = uvicorn.Config(app, port=0, loop="asyncio", ws="none", log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + LIMIT
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(LIMIT)


@contextmanager
def on_anycorn(app: App | Starlette) -> Iterator[int]:
    """Serve an ASGI application on trio, and yield the port."""
    config = anycorn.Config()
    config.bind = ["127.0.0.1:0"]
    config.loglevel = "CRITICAL"
    with anyio.from_thread.start_blocking_portal("trio") as portal:
        stop = portal.call(anyio.Event)
        serve = functools.partial(anycorn.serve, cast("ASGIFramework", app), config, shutdown_trigger=stop.wait)
        served, binds = portal.start_task(serve)
        try:
            yield int(binds[0].rsplit(":", 1)[1])
        finally:
            portal.call(stop.set)
            served.result(LIMIT)


@contextmanager
def on_aiohttp(app: web.Application, *, cancels: bool = False) -> Iterator[int]:
    """Serve an application on aiohttp's own server, with its defaults unless it is to cancel, and yield the port."""
    runner = web.AppRunner(app, handler_cancellation=True) if cancels else web.AppRunner(app)

    async def start() -> int:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return int(runner.addresses[0][1])

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result(LIMIT)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(LIMIT)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(LIMIT)
        loop.close()

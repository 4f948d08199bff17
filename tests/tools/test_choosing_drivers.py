"""Which database drivers and HTTP clients run on which event loop: each is let loose on a server that hangs up at once.

On a loop that it can use, a driver gets as far as an answer or its own error; elsewhere it fails for want of asyncio.
"""

import contextlib
import gc
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator

import aiohttp
import aiosqlite
import anyio
import anyio.to_thread
import asyncpg  # type: ignore[import-untyped]
import coredis
import httpx2
import psycopg
import pytest
import redis.asyncio
import sqlite_anyio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.tools.minimal import LIMIT

Use = Callable[[int], Awaitable[object]]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Return the port of a server that takes connections and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            while True:
                client, _ = server.accept()
                client.settimeout(1)  # One that says nothing must not keep the next one waiting.
                with client, contextlib.suppress(OSError):
                    if client.recv(1) == b"!":
                        return

        thread = threading.Thread(target=hang_up)
        thread.start()
        number = server.getsockname()[1]
        yield number
        with socket.create_connection(("127.0.0.1", number), LIMIT) as last:
            last.sendall(b"!")
        thread.join(LIMIT)


async def use_asyncpg(port: int) -> object:
    """Connect to PostgreSQL."""
    return await asyncpg.connect(host="127.0.0.1", port=port, user="me", password="", database="mine", ssl=False)


async def use_psycopg(port: int) -> object:
    """Connect to PostgreSQL."""
    return await psycopg.AsyncConnection.connect(f"host=127.0.0.1 port={port} user=me sslmode=disable")


async def use_psycopg_in_a_thread(port: int) -> object:
    """Connect to PostgreSQL with the half of psycopg that blocks, in a worker thread."""
    return await anyio.to_thread.run_sync(psycopg.connect, f"host=127.0.0.1 port={port} user=me sslmode=disable")


async def use_redis(port: int) -> object:
    """Ask Redis."""
    async with redis.asyncio.Redis(port=port, retry=Retry(NoBackoff(), 0)) as client:
        return await client.get("key")


async def use_coredis(port: int) -> object:
    """Ask Redis."""
    async with coredis.Redis(port=port) as client:
        return await client.get("key")


async def use_aiosqlite(port: int) -> object:
    """Ask a database in memory."""
    async with aiosqlite.connect(":memory:") as connection, connection.execute("select 1") as cursor:
        return await cursor.fetchone()


async def use_sqlalchemy(port: int) -> object:
    """Ask a database in memory."""
    engine = create_async_engine("sqlite+aiosqlite:///:memory:")
    async with engine.connect() as connection:
        found = (await connection.execute(text("select 1"))).scalar()
    await engine.dispose()
    return found


async def use_sqlite_anyio(port: int) -> object:
    """Ask a database in memory."""
    connection = await sqlite_anyio.connect(":memory:")
    async with await connection.cursor() as cursor:
        await cursor.execute("select 1")
        found = await cursor.fetchone()
    await connection.close()  # Its `async with` commits, and does not close.
    return found


async def use_aiohttp(port: int) -> object:
    """Call over HTTP."""
    async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{port}") as answer:
        return answer.status


async def use_httpx2(port: int) -> object:
    """Call over HTTP."""
    async with httpx2.AsyncClient() as client:
        return await client.get(f"http://127.0.0.1:{port}")


EVERYWHERE = (use_psycopg_in_a_thread, use_coredis, use_sqlite_anyio, use_httpx2)
ASYNCIO_ONLY = (use_asyncpg, use_psycopg, use_redis, use_aiosqlite, use_sqlalchemy, use_aiohttp)

# What asyncio says where it has no loop; and trio, where a driver has made itself one and waits for that.
COMPLAINTS = ("event loop", "library written for some other framework")


def runs_on(use: Use, port: int, backend: str) -> bool:
    """Return whether a driver gets an answer or its own error, and not the complaint that this is not asyncio."""

    async def within_limit() -> object:
        with anyio.fail_after(LIMIT):
            return await use(port)

    try:
        anyio.run(within_limit, backend=backend)
    except (RuntimeError, TypeError) as error:
        if any(complaint in str(error) for complaint in COMPLAINTS):
            return False
        raise
    except TimeoutError:
        raise
    except Exception as error:  # noqa: BLE001 # Each driver has its own, and pytest shows it when a test fails.
        print(repr(error))
    return True


@pytest.mark.parametrize("use", EVERYWHERE, ids=lambda use: use.__name__)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_runs_on_both_loops(use: Use, backend: str, port: int) -> None:
    """What is written on anyio, or runs in a worker thread, runs on either loop."""
    assert runs_on(use, port, backend)


# On trio these break off half way, and what they leave behind complains when it is thrown away.
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::RuntimeWarning", "ignore::ResourceWarning"
)
@pytest.mark.parametrize("use", ASYNCIO_ONLY, ids=lambda use: use.__name__)
def test_runs_on_asyncio_only(use: Use, port: int) -> None:
    """What is written on asyncio itself cannot wait on trio."""
    assert runs_on(use, port, "asyncio")
    assert not runs_on(use, port, "trio")
    gc.collect()  # The complaints come now, and not in the middle of another test.

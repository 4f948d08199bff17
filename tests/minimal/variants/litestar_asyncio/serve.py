"""Litestar on uvicorn as its first pages show it: nothing here is ours, so what it does, the stack does."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from multiprocessing import get_context
from typing import Any

import httpx2
import uvicorn
from litestar import Litestar, Request, Response, WebSocket, get, websocket
from litestar.background_tasks import BackgroundTask
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromQuery
from litestar.response import ServerSentEvent, Stream

from tests.minimal.counting import count

client = httpx2.AsyncClient(base_url=os.environ["WORK_URL"], timeout=None, trust_env=False)
bare: list[asyncio.Task[str]] = []


def block(seconds: float) -> None:
    print("[SYNC] Starting task1", flush=True)
    time.sleep(seconds)
    print("[SYNC] Finished task1", flush=True)


async def sleep(name: str, seconds: float) -> str:
    await asyncio.sleep(seconds)
    return name


async def work(name: str, seconds: float, status: int = 200) -> str:
    response = await client.get("/work", params={"name": name, "seconds": seconds, "status": status})
    response.raise_for_status()
    return name


async def fail() -> None:
    raise LookupError


def handle(request: Request[Any, Any, Any], error: Exception) -> Response[None]:
    return Response(None, status_code=409)


@get("/ping")
async def ping() -> dict[str, bool]:
    return {"pong": True}


@get("/async")
async def awaited(seconds: FromQuery[float] = 0) -> str:
    return await sleep("task1", seconds)


@get("/threaded", sync_to_thread=True)
def threaded(seconds: FromQuery[float] = 0) -> None:
    block(seconds)


@get("/plain-def")  # With a warning.
def plain_def(seconds: FromQuery[float]) -> None:
    block(seconds)


@get("/limited")
async def limited(tasks: FromQuery[int]) -> int:
    return tasks


@get("/gather-order")
async def gather_order(seconds: FromQuery[float]) -> list[str]:
    return list(await asyncio.gather(sleep("task1", 3 * seconds), sleep("task2", seconds), sleep("task3", 2 * seconds)))


@get("/gather-fails")
async def gather_fails(seconds: FromQuery[float]) -> list[str]:
    return list(await asyncio.gather(work("task1", seconds), work("task2", seconds / 4, 500), work("task3", seconds)))


@get("/group-error")
async def group_error() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(fail())


@get("/deadline-thread")
async def deadline_thread(seconds: FromQuery[float], limit: FromQuery[float]) -> None:
    try:
        async with asyncio.timeout(limit):
            await asyncio.to_thread(block, seconds)
    except TimeoutError:
        raise HTTPException(status_code=504) from None


@get("/background-task")
async def background_task(seconds: FromQuery[float]) -> Response[None]:
    return Response(None, background=BackgroundTask(work, "task1", seconds))


@get("/bare-task")
async def bare_task(seconds: FromQuery[float]) -> None:
    bare.append(asyncio.create_task(work("task1", seconds)))


@get("/cpu")
async def cpu(state: State, n: FromQuery[int], limit: FromQuery[float]) -> int:
    try:
        async with asyncio.timeout(limit):
            return await asyncio.get_running_loop().run_in_executor(state.pool, count, n)
    except TimeoutError:
        raise HTTPException(status_code=504) from None


@get("/cpu-thread", sync_to_thread=True)
def cpu_thread(n: FromQuery[int]) -> int:
    return count(n)


@get("/patient")
async def patient(seconds: FromQuery[float]) -> str:
    return await work("task1", seconds)


async def events(seconds: float) -> AsyncIterator[str]:
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(work(f"task{n}", factor * seconds)) for n, factor in ((1, 3), (2, 1), (3, 2))]
        for call in asyncio.as_completed(calls):
            yield f"data: {await call}\n\n"


@get("/as-completed")
async def as_completed(seconds: FromQuery[float]) -> Stream:
    return Stream(events(seconds), media_type="text/event-stream")


async def one_and_fail() -> AsyncIterator[str]:
    yield "one"
    await asyncio.sleep(0.1)
    raise RuntimeError


@get("/failed-stream")
async def failed_stream() -> ServerSentEvent:
    return ServerSentEvent(one_and_fail())


@websocket("/ws")
async def talk(socket: WebSocket[Any, Any, Any]) -> None:
    await socket.accept()
    async for text in socket.iter_data("text"):
        match text:
            case "work":
                await work("task1", 1.5)
            case "tell":
                await asyncio.sleep(0.5)
                await socket.send_text("one")
                await asyncio.sleep(0.1)
                await socket.send_text("two")
                await work("task2", 0)
            case "fail":
                raise RuntimeError
            case _:
                await socket.send_json({"length": len(text)})


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    if "FAIL_START" in os.environ:
        raise RuntimeError
    if "SWITCHED" in os.environ:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(10))
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        app.state.pool = pool
        yield


async def only_exact_paths(request: Request[Any, Any, Any]) -> None:
    if request.scope["raw_path"].endswith(b"/"):
        raise NotFoundException


switches: dict[str, Any] = {}
if "SWITCHED" in os.environ:
    switches = {"before_request": only_exact_paths, "logging_config": None}

app = Litestar(
    [
        *(ping, awaited, threaded, plain_def, limited, gather_order, gather_fails, group_error, deadline_thread),
        *(background_task, bare_task, cpu, cpu_thread, patient, as_completed, failed_stream, talk),
    ],
    exception_handlers={LookupError: handle},
    lifespan=[lifespan],
    **switches,
)

if __name__ == "__main__":
    # Without `loop` and `ws` it takes what it finds installed, and another package in the environment would change what it does.
    if "SWITCHED" in os.environ:
        # It does not say where it serves with this level, so that is done here.
        listener = socket.create_server(("127.0.0.1", 0))
        print(f"http://127.0.0.1:{listener.getsockname()[1]} ", flush=True)
        options = {"fd": listener.fileno(), "timeout_graceful_shutdown": 3, "log_level": "warning"}
    else:
        options = {"port": 0}
    beat = 4 if "SWITCHED" in os.environ else 20  # 20 is what it is without.
    beats = {"ws_ping_interval": beat, "ws_ping_timeout": beat}
    uvicorn.run(app, loop="asyncio", ws="websockets-sansio", access_log=False, **beats, **options)  # type: ignore[arg-type]  # Each as it should be.

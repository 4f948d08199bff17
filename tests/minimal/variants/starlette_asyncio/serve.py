"""Starlette on uvicorn as its first pages show it: nothing here is ours, so what it does, the stack does."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from multiprocessing import get_context

import anyio.to_thread
import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

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


def read(request: Request, name: str = "seconds") -> float:
    try:
        return float(request.query_params.get(name, 0))
    except ValueError:
        raise HTTPException(422) from None


async def handle(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({}, 409)


async def ping(request: Request) -> JSONResponse:
    return JSONResponse({"pong": True})


async def awaited(request: Request) -> JSONResponse:
    return JSONResponse(await sleep("task1", read(request)))


def threaded(request: Request) -> JSONResponse:
    block(read(request))
    return JSONResponse(None)


async def limited(request: Request) -> JSONResponse:
    try:
        return JSONResponse(int(request.query_params["tasks"]))
    except ValueError:
        raise HTTPException(422) from None


async def gather_order(request: Request) -> JSONResponse:
    seconds = read(request)
    return JSONResponse(await asyncio.gather(sleep("task1", 3 * seconds), sleep("task2", seconds), sleep("task3", 2 * seconds)))


async def gather_fails(request: Request) -> JSONResponse:
    seconds = read(request)
    return JSONResponse(await asyncio.gather(work("task1", seconds), work("task2", seconds / 4, 500), work("task3", seconds)))


async def group_error(request: Request) -> JSONResponse:
    async with asyncio.TaskGroup() as group:
        group.create_task(fail())
    return JSONResponse(None)


async def deadline_thread(request: Request) -> JSONResponse:
    try:
        async with asyncio.timeout(read(request, "limit")):
            await asyncio.to_thread(block, read(request))
    except TimeoutError:
        raise HTTPException(504) from None
    return JSONResponse(None)


async def background_task(request: Request) -> JSONResponse:
    return JSONResponse(None, background=BackgroundTask(work, "task1", read(request)))


async def bare_task(request: Request) -> JSONResponse:
    bare.append(asyncio.create_task(work("task1", read(request))))
    return JSONResponse(None)


async def cpu(request: Request) -> JSONResponse:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(read(request, "limit")):
            return JSONResponse(await loop.run_in_executor(request.state.pool, count, int(read(request, "n"))))
    except TimeoutError:
        raise HTTPException(504) from None


def cpu_thread(request: Request) -> JSONResponse:
    return JSONResponse(count(int(read(request, "n"))))


async def patient(request: Request) -> JSONResponse:
    return JSONResponse(await work("task1", read(request)))


async def events(seconds: float) -> AsyncIterator[str]:
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(work(f"task{n}", factor * seconds)) for n, factor in ((1, 3), (2, 1), (3, 2))]
        for call in asyncio.as_completed(calls):
            yield f"data: {await call}\n\n"


async def as_completed(request: Request) -> StreamingResponse:
    return StreamingResponse(events(read(request)), media_type="text/event-stream")


async def one_and_fail() -> AsyncIterator[str]:
    yield "data: one\n\n"
    await asyncio.sleep(0.1)
    raise RuntimeError


async def failed_stream(request: Request) -> StreamingResponse:
    return StreamingResponse(one_and_fail(), media_type="text/event-stream")


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[dict[str, ProcessPoolExecutor]]:
    if "FAIL_START" in os.environ:
        raise RuntimeError
    if "SWITCHED" in os.environ:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 10
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        yield {"pool": pool}


async def talk(socket: WebSocket) -> None:
    await socket.accept()
    async for text in socket.iter_text():
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


app = Starlette(
    routes=[
        Route("/ping", ping),
        Route("/async", awaited),
        Route("/threaded", threaded),
        Route("/plain-def", threaded),
        Route("/limited", limited),
        Route("/gather-order", gather_order),
        Route("/gather-fails", gather_fails),
        Route("/group-error", group_error),
        Route("/deadline-thread", deadline_thread),
        Route("/background-task", background_task),
        Route("/bare-task", bare_task),
        Route("/cpu", cpu),
        Route("/cpu-thread", cpu_thread),
        Route("/patient", patient),
        Route("/as-completed", as_completed),
        Route("/failed-stream", failed_stream),
        WebSocketRoute("/ws", talk),
    ],
    exception_handlers={LookupError: handle},
    lifespan=lifespan,
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

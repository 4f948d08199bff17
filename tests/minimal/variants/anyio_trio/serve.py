"""Starlette and anyio on anycorn as their first pages show them: nothing here is ours, so what it does, the stack does."""

import functools
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import anycorn
import anyio
import anyio.to_process
import httpx2
from anycorn.typing import ASGIFramework
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from tests.minimal.counting import count

client = httpx2.AsyncClient(base_url=os.environ["WORK_URL"], timeout=None, trust_env=False)


def block(seconds: float) -> None:
    print("[SYNC] Starting task1", flush=True)
    time.sleep(seconds)
    print("[SYNC] Finished task1", flush=True)


async def sleep(name: str, seconds: float) -> str:
    await anyio.sleep(seconds)
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


async def threaded(request: Request) -> JSONResponse:
    await anyio.to_thread.run_sync(block, read(request))
    return JSONResponse(None)


def plain_def(request: Request) -> JSONResponse:
    block(read(request))
    return JSONResponse(None)


async def limited(request: Request) -> JSONResponse:
    try:
        return JSONResponse(int(request.query_params["tasks"]))
    except ValueError:
        raise HTTPException(422) from None


async def gather_order(request: Request) -> JSONResponse:
    seconds = read(request)
    return JSONResponse(await anyio.gather(sleep("task1", 3 * seconds), sleep("task2", seconds), sleep("task3", 2 * seconds)))


async def gather_fails(request: Request) -> JSONResponse:
    seconds = read(request)
    return JSONResponse(await anyio.gather(work("task1", seconds), work("task2", seconds / 4, 500), work("task3", seconds)))


async def group_error(request: Request) -> JSONResponse:
    async with anyio.create_task_group() as group:
        group.start_soon(fail)
    return JSONResponse(None)


async def deadline_thread(request: Request) -> JSONResponse:
    try:
        with anyio.fail_after(read(request, "limit")):
            await anyio.to_thread.run_sync(block, read(request))
    except TimeoutError:
        raise HTTPException(504) from None
    return JSONResponse(None)


async def background_task(request: Request) -> JSONResponse:
    return JSONResponse(None, background=BackgroundTask(work, "task1", read(request)))


async def cpu(request: Request) -> JSONResponse:
    n = int(read(request, "n"))
    try:
        with anyio.fail_after(read(request, "limit")):
            return JSONResponse(await anyio.to_process.run_sync(count, n, cancellable="SWITCHED" in os.environ))
    except TimeoutError:
        raise HTTPException(504) from None


async def cpu_thread(request: Request) -> JSONResponse:
    return JSONResponse(await anyio.to_thread.run_sync(count, int(read(request, "n"))))


async def patient(request: Request) -> JSONResponse:
    return JSONResponse(await work("task1", read(request)))


async def events(seconds: float) -> AsyncIterator[str]:
    calls = [work(f"task{n}", factor * seconds) for n, factor in ((1, 3), (2, 1), (3, 2))]
    async with anyio.as_completed(*calls) as ended:
        async for call in ended:
            yield f"data: {call.return_value}\n\n"


async def as_completed(request: Request) -> StreamingResponse:
    return StreamingResponse(events(read(request)), media_type="text/event-stream")


async def one_and_fail() -> AsyncIterator[str]:
    yield "data: one\n\n"
    await anyio.sleep(0.1)
    raise RuntimeError


async def failed_stream(request: Request) -> StreamingResponse:
    return StreamingResponse(one_and_fail(), media_type="text/event-stream")


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    if "FAIL_START" in os.environ:
        raise RuntimeError
    if "SWITCHED" in os.environ:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 10
    yield


async def talk(socket: WebSocket) -> None:
    await socket.accept()
    async for text in socket.iter_text():
        match text:
            case "work":
                await work("task1", 1.5)
            case "tell":
                await anyio.sleep(0.5)
                await socket.send_text("one")
                await anyio.sleep(0.1)
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
        Route("/plain-def", plain_def),
        Route("/limited", limited),
        Route("/gather-order", gather_order),
        Route("/gather-fails", gather_fails),
        Route("/group-error", group_error),
        Route("/deadline-thread", deadline_thread),
        Route("/background-task", background_task),
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


async def serve(config: anycorn.Config) -> None:
    if config.worker_class == "asyncio":
        await anycorn.serve(cast("ASGIFramework", app), config)
        return
    # On trio it stops for no signal by itself, as its first pages say.
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        await anycorn.serve(cast("ASGIFramework", app), config, shutdown_trigger=functools.partial(anext, signals))


if __name__ == "__main__":
    config = anycorn.Config()
    config.bind = ["127.0.0.1:0"]
    config.worker_class = loop = "asyncio" if "asyncio" in sys.argv else "trio"
    anyio.run(serve, config, backend=loop)

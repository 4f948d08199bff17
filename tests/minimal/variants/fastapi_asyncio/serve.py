"""FastAPI on uvicorn as its first pages show it: nothing here is ours, so what it does, the stack does."""

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
from fastapi import BackgroundTasks, FastAPI, HTTPException, Request, WebSocket
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.sse import EventSourceResponse

from tests.minimal.counting import count


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, ProcessPoolExecutor]]:
    if "FAIL_START" in os.environ:
        raise RuntimeError
    if "SWITCHED" in os.environ:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 10
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        yield {"pool": pool}


app = FastAPI(lifespan=lifespan)
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


@app.exception_handler(LookupError)
async def handle(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({}, 409)


@app.get("/ping")
async def ping() -> dict[str, bool]:
    return {"pong": True}


@app.get("/async")
async def awaited(seconds: float = 0) -> str:
    return await sleep("task1", seconds)


@app.get("/threaded")
@app.get("/plain-def")
def threaded(seconds: float = 0) -> None:
    block(seconds)


@app.get("/limited")
async def limited(tasks: int) -> int:
    return tasks


@app.get("/gather-order")
async def gather_order(seconds: float) -> tuple[str, str, str]:
    return await asyncio.gather(sleep("task1", 3 * seconds), sleep("task2", seconds), sleep("task3", 2 * seconds))


@app.get("/gather-fails")
async def gather_fails(seconds: float) -> tuple[str, str, str]:
    return await asyncio.gather(work("task1", seconds), work("task2", seconds / 4, 500), work("task3", seconds))


@app.get("/group-error")
async def group_error() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(fail())


@app.get("/deadline-thread")
async def deadline_thread(seconds: float, limit: float) -> None:
    try:
        async with asyncio.timeout(limit):
            await asyncio.to_thread(block, seconds)
    except TimeoutError:
        raise HTTPException(504) from None


@app.get("/background-task")
async def background_task(seconds: float, tasks: BackgroundTasks) -> None:
    tasks.add_task(work, "task1", seconds)


@app.get("/bare-task")
async def bare_task(seconds: float) -> None:
    bare.append(asyncio.create_task(work("task1", seconds)))


@app.get("/cpu")
async def cpu(request: Request, n: int, limit: float) -> int:
    try:
        async with asyncio.timeout(limit):
            return await asyncio.get_running_loop().run_in_executor(request.state.pool, count, n)
    except TimeoutError:
        raise HTTPException(504) from None


@app.get("/cpu-thread")
def cpu_thread(n: int) -> int:
    return count(n)


@app.get("/patient")
async def patient(seconds: float) -> str:
    return await work("task1", seconds)


async def events(seconds: float) -> AsyncIterator[str]:
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(work(f"task{n}", factor * seconds)) for n, factor in ((1, 3), (2, 1), (3, 2))]
        for call in asyncio.as_completed(calls):
            yield f"data: {await call}\n\n"


@app.get("/as-completed")
async def as_completed(seconds: float) -> StreamingResponse:
    return StreamingResponse(events(seconds), media_type="text/event-stream")


@app.get("/failed-stream", response_class=EventSourceResponse)
async def failed_stream() -> AsyncIterator[str]:
    yield "one"
    await asyncio.sleep(0.1)
    raise RuntimeError


@app.websocket("/ws")
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


if __name__ == "__main__":
    # Without `loop` and `ws` it takes what it finds installed, and another package in the environment would change what it does.
    if "SWITCHED" in os.environ:
        # It does not say where it serves with this level, so that is done here.
        listener = socket.create_server(("127.0.0.1", 0))
        print(f"http://127.0.0.1:{listener.getsockname()[1]} ", flush=True)
        options = {"fd": listener.fileno(), "timeout_graceful_shutdown": 3, "log_level": "warning"}
        options |= {"ws_ping_interval": 4, "ws_ping_timeout": 4}
    else:
        options = {"port": 0, "ws_ping_interval": 20, "ws_ping_timeout": 20}  # 20 is what it is without.
    uvicorn.run(app, loop="asyncio", ws="websockets-sansio", access_log=False, **options)  # type: ignore[arg-type]  # As it should be.

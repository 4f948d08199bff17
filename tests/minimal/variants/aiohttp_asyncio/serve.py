"""aiohttp as its first pages show it: nothing here is ours, so what it does, the stack does."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from weakref import WeakSet

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler

from tests.minimal.counting import count

POOL = web.AppKey("pool", ProcessPoolExecutor)
routes = web.RouteTableDef()
bare: list[asyncio.Task[str]] = []
talks: WeakSet[web.WebSocketResponse] = WeakSet()
SWITCHED = "SWITCHED" in os.environ
PING = 4  # seconds


async def lifespan(app: web.Application) -> AsyncIterator[None]:
    if "FAIL_START" in os.environ:
        raise RuntimeError
    if SWITCHED:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(10))
    with ProcessPoolExecutor(2, get_context("spawn")) as app[POOL]:
        yield


def block(seconds: float) -> None:
    print("[SYNC] Starting task1", flush=True)
    time.sleep(seconds)
    print("[SYNC] Finished task1", flush=True)


async def sleep(name: str, seconds: float) -> str:
    await asyncio.sleep(seconds)
    return name


async def work(name: str, seconds: float, status: int = 200) -> str:
    query = {"name": name, "seconds": str(seconds), "status": str(status)}
    async with aiohttp.request("GET", f"{os.environ['WORK_URL']}/work", params=query, raise_for_status=True):
        return name


async def fail() -> None:
    raise LookupError


def read(request: web.Request, name: str = "seconds") -> float:
    try:
        return float(request.query.get(name, 0))
    except ValueError:
        raise web.HTTPUnprocessableEntity from None


@web.middleware
async def handle(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except LookupError:
        return web.json_response({}, status=409)


@routes.get("/ping")
async def ping(request: web.Request) -> web.Response:
    return web.json_response({"pong": True})


@routes.get("/async")
async def awaited(request: web.Request) -> web.Response:
    return web.json_response(await sleep("task1", read(request)))


@routes.get("/threaded")
async def threaded(request: web.Request) -> web.Response:
    await asyncio.to_thread(block, read(request))
    return web.json_response(None)


def plain_def(request: web.Request) -> web.Response:
    block(read(request))
    return web.json_response(None)


@routes.get("/limited")
async def limited(request: web.Request) -> web.Response:
    try:
        return web.json_response(int(request.query["tasks"]))
    except ValueError:
        raise web.HTTPUnprocessableEntity from None


@routes.get("/gather-order")
async def gather_order(request: web.Request) -> web.Response:
    seconds = read(request)
    calls = sleep("task1", 3 * seconds), sleep("task2", seconds), sleep("task3", 2 * seconds)
    return web.json_response(await asyncio.gather(*calls))


@routes.get("/gather-fails")
async def gather_fails(request: web.Request) -> web.Response:
    seconds = read(request)
    calls = work("task1", seconds), work("task2", seconds / 4, 500), work("task3", seconds)
    return web.json_response(await asyncio.gather(*calls))


@routes.get("/group-error")
async def group_error(request: web.Request) -> web.Response:
    async with asyncio.TaskGroup() as group:
        group.create_task(fail())
    return web.json_response(None)


@routes.get("/deadline-thread")
async def deadline_thread(request: web.Request) -> web.Response:
    try:
        async with asyncio.timeout(read(request, "limit")):
            await asyncio.to_thread(block, read(request))
    except TimeoutError:
        raise web.HTTPGatewayTimeout from None
    return web.json_response(None)


@routes.get("/bare-task")
async def bare_task(request: web.Request) -> web.Response:
    bare.append(asyncio.create_task(work("task1", read(request))))
    return web.json_response(None)


@routes.get("/cpu")
async def cpu(request: web.Request) -> web.Response:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(read(request, "limit")):
            return web.json_response(await loop.run_in_executor(request.app[POOL], count, int(read(request, "n"))))
    except TimeoutError:
        raise web.HTTPGatewayTimeout from None


@routes.get("/cpu-thread")
async def cpu_thread(request: web.Request) -> web.Response:
    return web.json_response(await asyncio.to_thread(count, int(read(request, "n"))))


@routes.get("/patient")
async def patient(request: web.Request) -> web.Response:
    return web.json_response(await work("task1", read(request)))


@routes.get("/as-completed")
async def as_completed(request: web.Request) -> web.StreamResponse:
    seconds = read(request)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(work(f"task{n}", factor * seconds)) for n, factor in ((1, 3), (2, 1), (3, 2))]
        for call in asyncio.as_completed(calls):
            await response.write(f"data: {await call}\n\n".encode())
    return response


@routes.get("/failed-stream")
async def failed_stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await response.write(b"data: one\n\n")
    await asyncio.sleep(0.1)
    raise RuntimeError


@routes.get("/ws")
async def talk(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(heartbeat=PING if SWITCHED else None)
    await socket.prepare(request)
    talks.add(socket)
    async for message in socket:
        match message.data:
            case "work":
                await work("task1", 1.5)
            case "tell":
                await asyncio.sleep(0.5)
                await socket.send_str("one")
                await asyncio.sleep(0.1)
                await socket.send_str("two")
                await work("task2", 0)
            case "fail":
                raise RuntimeError
            case text:
                await socket.send_json({"length": len(text)})
    return socket


async def end_talks(app: web.Application) -> None:
    for socket in [*talks]:
        await socket.close(code=1001)


app = web.Application(middlewares=[handle])
if SWITCHED:
    app.on_shutdown.append(end_talks)
app.add_routes(routes)
app.cleanup_ctx.append(lifespan)
app.router.add_get("/plain-def", plain_def)  # type: ignore[arg-type]  # Its types do not have what is deprecated.

if __name__ == "__main__":
    # Both ways can be asked for: as it is, and with the switches that the variant has on.
    if SWITCHED:
        web.run_app(app, host="127.0.0.1", port=0, handler_cancellation=True, shutdown_timeout=1.5)
    else:
        web.run_app(app, host="127.0.0.1", port=0)

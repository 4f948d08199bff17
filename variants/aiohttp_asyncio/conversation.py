"""A conversation over a WebSocket: the client starts tasks and cancels them; each result is told when it is there.

Different here: a `WebSocketResponse` that the handler prepares; what it receives has a type, and leaving is one of them.
Pick it when: both sides speak at any time; for results in one direction, a stream is simpler, and comes back by itself.
Watch for: with `handler_cancellation` a client that leaves without a word cancels the handler; without it, only `receive` tells.
"""

import asyncio
from weakref import WeakSet

from aiohttp import WSMsgType, web

from shared.lesson import messages, timing
from shared.lesson.command import PING
from shared.lesson.problems import Problem
from shared.lesson.work import Task
from variants.aiohttp_asyncio.search import CLIENT, SETTINGS
from variants.aiohttp_asyncio.work import call_work

OPEN = web.AppKey("OPEN", WeakSet[web.WebSocketResponse])
"""The conversations that are going on; one that has ended leaves it by itself."""

routes = web.RouteTableDef()


async def next_message(websocket: web.WebSocketResponse) -> str | None:
    """Return what the client says next, empty where it is not text; None when it has left."""
    message = await websocket.receive()
    if message.type is WSMsgType.TEXT:
        return str(message.data)
    return "" if message.type is WSMsgType.BINARY else None


async def work_and_tell(
    request: web.Request, websocket: web.WebSocketResponse, running: dict[str, asyncio.Task[None]], task: Task
) -> None:
    """Have a task worked on, and tell what came of it: a failure is told, too, and ends nothing else."""
    timing.begin()
    try:
        result = await call_work(request.app[CLIENT], request.app[SETTINGS], task)
        told = messages.done(task.name, result, timing.elapsed())
    except Problem as problem:
        told = messages.failed(task.name, problem)
    # Whoever takes a task out tells how it ended. From here on nobody can cancel it, and leave half a message sent.
    if running.pop(task.name, None):
        await websocket.send_json(told)


async def cancel_task(websocket: web.WebSocketResponse, running: dict[str, asyncio.Task[None]], name: str) -> None:
    """Break a task off, and tell it when that has happened: `cancel` alone only asks."""
    task = running.pop(name)
    task.cancel()
    await asyncio.wait([task])
    await websocket.send_json(messages.cancelled(name))


@routes.get("/ws")
async def conversation_endpoint(request: web.Request) -> web.WebSocketResponse:
    """GOOD: it never waits for a task, so it hears a `cancel`, and the client's leaving, which ends all that runs."""
    websocket = web.WebSocketResponse(heartbeat=PING)
    await websocket.prepare(request)
    request.app[OPEN].add(websocket)
    running: dict[str, asyncio.Task[None]] = {}
    try:
        async with asyncio.TaskGroup() as group:
            while (text := await next_message(websocket)) is not None:
                try:
                    said = messages.read(text, running)
                except messages.Refused as refused:
                    await websocket.send_json(refused.message)
                    continue
                if isinstance(said, messages.Cancel):
                    await cancel_task(websocket, running, said.name)
                else:
                    await websocket.send_json(messages.started(said.name))
                    running[said.name] = group.create_task(work_and_tell(request, websocket, running, said))
            for task in running.values():
                task.cancel()
    except* ConnectionError:
        pass  # The client left while one task told it something, or two did; the group has broken off the rest.
    return websocket

"""A conversation over a WebSocket: the client starts tasks and cancels them; each result is told when it is there.

Different here: Starlette's WebSocket. FastAPI checks the parameters of its handshake as any endpoint's, and no message.
Pick it when: both sides speak at any time; for results in one direction, a stream is simpler, and comes back by itself.
Watch for: nothing but `receive` says that the client has left: a handler that waits for a task meanwhile is not told.
"""

import asyncio

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.websockets import WebSocketDisconnected

from shared.lesson import messages, timing
from shared.lesson.problems import Problem
from shared.lesson.work import Task
from variants.fastapi_asyncio.work import call_work

routes = APIRouter()


async def next_message(websocket: WebSocket) -> str | None:
    """Return what the client says next, empty where it is not text; None when it has left."""
    message = await websocket.receive()
    return None if message["type"] == "websocket.disconnect" else message.get("text") or ""


async def _tell(websocket: WebSocket, message: messages.Message) -> None:
    """Tell the client something. One that answers no ping is gone: uvicorn closes, and takes what is told then for a mistake."""
    try:
        await websocket.send_json(message)
    except RuntimeError:
        raise WebSocketDisconnect(1006) from None


async def work_and_tell(websocket: WebSocket, running: dict[str, asyncio.Task[None]], task: Task) -> None:
    """Have a task worked on, and tell what came of it: a failure is told, too, and ends nothing else."""
    timing.begin()
    try:
        result = await call_work(websocket.state.client, websocket.state.settings, task)
        told = messages.done(task.name, result, timing.elapsed())
    except Problem as problem:
        told = messages.failed(task.name, problem)
    # Whoever takes a task out tells how it ended. From here on nobody can cancel it, and leave half a message sent.
    if running.pop(task.name, None):
        await _tell(websocket, told)


async def cancel_task(websocket: WebSocket, running: dict[str, asyncio.Task[None]], name: str) -> None:
    """Break a task off, and tell it when that has happened: `cancel` alone only asks."""
    task = running.pop(name)
    task.cancel()
    await asyncio.wait([task])
    await _tell(websocket, messages.cancelled(name))


@routes.websocket("/ws")
async def conversation_endpoint(websocket: WebSocket) -> None:
    """GOOD: it never waits for a task, so it hears a `cancel`, and the client's leaving, which ends all that runs."""
    await websocket.accept()
    running: dict[str, asyncio.Task[None]] = {}
    try:
        async with asyncio.TaskGroup() as group:
            while (text := await next_message(websocket)) is not None:
                try:
                    said = messages.read(text, running)
                except messages.Refused as refused:
                    await _tell(websocket, refused.message)
                    continue
                if isinstance(said, messages.Cancel):
                    await cancel_task(websocket, running, said.name)
                else:
                    await _tell(websocket, messages.started(said.name))
                    running[said.name] = group.create_task(work_and_tell(websocket, running, said))
            for task in running.values():
                task.cancel()
    except* (WebSocketDisconnect, WebSocketDisconnected):
        pass  # The client left while one task told it something, or two did; the group has broken off the rest.

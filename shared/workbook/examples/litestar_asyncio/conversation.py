"""A conversation over a WebSocket: the client starts tasks and cancels them; each result is told when it is there.

Different here: `WebSocket.receive` hands over what the server says; a `TaskGroup` from asyncio holds what runs.
Pick it when: both sides speak at any time; for results in one direction, a stream is simpler, and comes back by itself.
Watch for: nothing but `receive` says that the client has left; telling it something then raises the server's own error.
"""

import asyncio
from typing import Any

import httpx2
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect

from shared.lesson import messages, timing
from shared.lesson.problems import Problem
from shared.lesson.settings import Settings
from shared.lesson.work import Task
from shared.workbook.examples.litestar_asyncio.search import Client, Config
from shared.workbook.examples.litestar_asyncio.work import call_work

Socket = WebSocket[Any, Any, Any]


async def next_message(socket: Socket) -> str | None:
    """Return what the client says next, empty where it is not text; None when it has left."""
    message = await socket.receive()
    return (message.get("text") or "") if message["type"] == "websocket.receive" else None


async def _tell(socket: Socket, message: messages.Message) -> None:
    """Tell the client something. One that answers no ping is gone: uvicorn closes, and takes what is told then for a mistake."""
    try:
        await socket.send_json(message)
    except RuntimeError:
        raise WebSocketDisconnect(detail="gone") from None


async def work_and_tell(
    client: httpx2.AsyncClient, settings: Settings, socket: Socket, running: dict[str, asyncio.Task[None]], task: Task
) -> None:
    """Have a task worked on, and tell what came of it: a failure is told, too, and ends nothing else."""
    timing.begin()
    try:
        result = await call_work(client, settings, task)
        told = messages.done(task.name, result, timing.elapsed())
    except Problem as problem:
        told = messages.failed(task.name, problem)
    # Whoever takes a task out tells how it ended. From here on nobody can cancel it, and leave half a message sent.
    if running.pop(task.name, None):
        await _tell(socket, told)


async def cancel_task(socket: Socket, running: dict[str, asyncio.Task[None]], name: str) -> None:
    """Break a task off, and tell it when that has happened: `cancel` alone only asks."""
    task = running.pop(name)
    task.cancel()
    await asyncio.wait([task])
    await _tell(socket, messages.cancelled(name))


@websocket("/ws")
async def conversation_endpoint(socket: Socket, client: Client, settings: Config) -> None:
    """GOOD: it never waits for a task, so it hears a `cancel`, and the client's leaving, which ends all that runs."""
    await socket.accept()
    running: dict[str, asyncio.Task[None]] = {}
    try:
        async with asyncio.TaskGroup() as group:
            while (text := await next_message(socket)) is not None:
                try:
                    said = messages.read(text, running)
                except messages.Refused as refused:
                    await _tell(socket, refused.message)
                    continue
                if isinstance(said, messages.Cancel):
                    await cancel_task(socket, running, said.name)
                else:
                    await _tell(socket, messages.started(said.name))
                    running[said.name] = group.create_task(work_and_tell(client, settings, socket, running, said))
            for task in running.values():
                task.cancel()
    except* (WebSocketDisconnect, OSError):
        pass  # The client left while it was being told something, and the group has broken off the rest.


routes = [conversation_endpoint]

"""A conversation over a WebSocket: the client starts tasks and cancels them; each result is told when it is there.

Different here: a task group whose tasks have handles: each can be cancelled alone, and waited for; the same on both loops.
Pick it when: both sides speak at any time; for results in one direction, a stream is simpler, and comes back by itself.
Watch for: nothing but `receive` says that the client has left: a handler that waits for a task meanwhile is not told.
"""

import anyio
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from shared.lesson import messages, timing
from shared.lesson.command import PING
from shared.lesson.problems import Problem
from shared.lesson.work import Task
from variants.anyio_trio.work import call_work


async def next_message(websocket: WebSocket) -> str | None:
    """Return what the client says next, empty where it is not text; None when it has left."""
    message = await websocket.receive()
    return None if message["type"] == "websocket.disconnect" else message.get("text") or ""


async def work_and_tell(websocket: WebSocket, running: dict[str, anyio.TaskHandle[None]], task: Task) -> None:
    """Have a task worked on, and tell what came of it: a failure is told, too, and ends nothing else."""
    timing.begin()
    try:
        result = await call_work(websocket.state.client, websocket.state.settings, task)
        told = messages.done(task.name, result, timing.elapsed())
    except Problem as problem:
        told = messages.failed(task.name, problem)
    # Whoever takes a task out tells how it ended. From here on nobody can cancel it, and leave half a message sent.
    if running.pop(task.name, None):
        await websocket.send_json(told)


async def cancel_task(websocket: WebSocket, running: dict[str, anyio.TaskHandle[None]], name: str) -> None:
    """Break a task off, and tell it when that has happened: `cancel` alone only asks."""
    task = running.pop(name)
    task.cancel()
    await task.wait()
    with anyio.fail_after(PING):
        await websocket.send_json(messages.cancelled(name))


async def conversation_endpoint(websocket: WebSocket) -> None:
    """GOOD: it never waits for a task, so it hears a `cancel`, and the client's leaving, which ends all that runs."""
    # A reply that cannot be sent is given up, after PING, when the client is gone: anycorn would wait on, and looks for no pong.
    await websocket.accept()
    running: dict[str, anyio.TaskHandle[None]] = {}
    try:
        async with anyio.create_task_group() as group:
            while (text := await next_message(websocket)) is not None:
                try:
                    said = messages.read(text, running)
                except messages.Refused as refused:
                    with anyio.fail_after(PING):
                        await websocket.send_json(refused.message)
                    continue
                if isinstance(said, messages.Cancel):
                    await cancel_task(websocket, running, said.name)
                else:
                    with anyio.fail_after(PING):
                        await websocket.send_json(messages.started(said.name))
                    running[said.name] = group.start_soon(work_and_tell, websocket, running, said)
            group.cancel_scope.cancel()
    except* (WebSocketDisconnect, TimeoutError):
        pass  # The client left while it was being told something, and the group has broken off the rest.


routes = [
    WebSocketRoute("/ws", conversation_endpoint),
]

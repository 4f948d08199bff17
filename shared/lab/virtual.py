"""The waits of a variant in virtual time: inside this process, without a server, exact, and in milliseconds.

A virtual clock stands still while anything can run, and then jumps to the end of the next wait: a wait of two seconds takes two,
exactly, however busy the machine is. That clock is read before and after each request; what an answer says does not count.

It knows only the waits of the event loop. A blocking call takes no virtual time: `time.sleep` in place of an awaited sleep looks
too short, and beside one it is invisible here. It takes no real time either, or forty-five requests would take minutes. Threads,
sockets and servers live in real time, and must not be mixed with this. `tests/test_waiting.py` and its neighbours see those, from
outside and with a real clock.
"""

import asyncio
import contextlib
import functools
import importlib
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

import looptime
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from shared.lab.variants import Variant
from shared.lesson.contract import endpoint

TOLERANCE = 1e-9
"""Seconds that float arithmetic may be off: three times 0.1 are 0.30000000000000004. A microsecond would be a mistake."""

HANG = 3600.0
"""Virtual seconds after which a request counts as hanging; they pass at once."""

Send = Callable[[str], Awaitable[int]]
"""Sends a GET request for a path, and returns the status of the answer."""


@dataclass(slots=True)
class Wait:
    """One request: what it asked for, the virtual seconds that it is due to take and took, and what came of it."""

    path: str
    due: float
    seconds: float = HANG
    status: int = 0  # 0: none came
    error: str = ""

    @property
    def is_exact(self) -> bool:
        """Whether it was answered, and neither earlier nor later than it is due."""
        return self.status == 200 and abs(self.seconds - self.due) <= TOLERANCE  # noqa: PLR2004 - HTTP's success


def ask_together(variant: Variant, expected: Sequence[tuple[str, float]]) -> list[Wait]:
    """Send requests to a fresh application of a variant, all at once. Its lifespan does not run: ask only what calls nobody.

    Args:
        variant: What to ask, and on which event loop; its packages must be installed.
        expected: For each request its path and the seconds that it is due to take.

    """
    # Imported anew, because what a module keeps may be bound to the event loop of an earlier call.
    package = variant.package
    for module in [name for name in sys.modules if f"{name}.".startswith(f"{package}.")]:
        del sys.modules[module]
    waits = [Wait(path, due) for path, due in expected]
    with _sleeping_takes_no_time():
        application = importlib.import_module(f"{package}.app").create_app()
        (_on_trio if variant.loop == "trio" else _on_asyncio)(application, waits)
    return waits


@contextlib.contextmanager
def _sleeping_takes_no_time() -> Iterator[None]:
    """Let `time.sleep` return at once in this thread; those that run experiments beside it sleep as they mean to."""
    sleep, here = time.sleep, threading.get_ident()

    def sleep_elsewhere(seconds: float) -> None:
        if threading.get_ident() != here:
            sleep(seconds)

    with mock.patch("time.sleep", sleep_elsewhere):
        yield


def _on_asyncio(application: Any, waits: list[Wait]) -> None:  # noqa: ANN401 - any framework's application
    async def wait_for_all() -> None:
        clock = asyncio.get_running_loop().time
        send = _sender(application, asyncio.Event)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HANG), asyncio.TaskGroup() as group:
                for wait in waits:
                    group.create_task(_measure(wait, send, clock))

    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(start=0)) as runner:
        runner.run(wait_for_all())


def _on_trio(application: Any, waits: list[Wait]) -> None:  # noqa: ANN401 - any framework's application
    # Only where a variant runs on trio is it installed.
    import trio  # noqa: PLC0415
    from trio.testing import MockClock  # noqa: PLC0415

    async def wait_for_all() -> None:
        send = _sender(application, trio.Event)
        with trio.move_on_after(HANG):
            async with trio.open_nursery() as nursery:
                for wait in waits:
                    nursery.start_soon(_measure, wait, send, trio.current_time)

    trio.run(wait_for_all, clock=MockClock(autojump_threshold=0))


async def _measure(wait: Wait, send: Send, clock: Callable[[], float]) -> None:
    began = clock()
    try:
        wait.status = await send(wait.path)
    except Exception as error:  # noqa: BLE001 - whatever a handler raises belongs into the message
        wait.status, wait.error = 500, repr(error)
    wait.seconds = clock() - began


def _sender(application: Any, event: Callable[[], Any]) -> Send:  # noqa: ANN401 - any framework's application
    """Return what sends requests to an application without a server; `event` makes an event of the running loop."""
    if not isinstance(application, web.Application):
        return functools.partial(_send_to_asgi, application, event)
    application.freeze()
    return functools.partial(_send_to_aiohttp, application)


async def _send_to_aiohttp(application: web.Application, path: str) -> int:
    # aiohttp has no public way to call an application without a socket.
    response = await application._handle(make_mocked_request("GET", path, app=application))  # noqa: SLF001
    return response.status


async def _send_to_asgi(application: Any, event: Callable[[], Any], path: str) -> int:  # noqa: ANN401 - any framework's
    name, _, query = path.partition("?")
    scope: dict[str, Any] = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET"}
    scope |= {"scheme": "http", "path": name, "raw_path": name.encode(), "query_string": query.encode(), "root_path": ""}
    scope |= {"headers": []}
    requests: list[dict[str, Any]] = [{"type": "http.request", "body": b"", "more_body": False}]
    statuses: list[int] = []
    answered = event()

    async def receive() -> dict[str, Any]:
        if requests:
            return requests.pop()
        await answered.wait()  # This client stays until it has its answer.
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
        elif not message.get("more_body"):
            answered.set()

    await application(scope, receive, send)
    return statuses[0]


def explain(variant: Variant, waits: Sequence[Wait]) -> str:
    """Return in one sentence what is not exact, the probable cause and where to look; nothing when all waits are exact."""
    wrong = next((wait for wait in waits if not wait.is_exact), None)
    if wrong is None:
        return ""
    alike = [wait.seconds for wait in waits if wait.path == wrong.path]
    asked = f"{wrong.path}, with {len(waits) - 1} other requests at once," if len(waits) > 1 else wrong.path
    place = endpoint(wrong.path)
    where = f"{variant.place}/{place.module}.py, {place.function} and what it waits with, {place.operation}"
    measured, cause = _read(wrong, alike)
    return f"{asked} {measured}; exactly {wrong.due:g} s are due. Probable cause: {cause}. Look at {where}."


def _read(wrong: Wait, alike: Sequence[float]) -> tuple[str, str]:
    """Return what was measured and its probable cause, from one wrong wait and the seconds of all requests for its path."""
    if wrong.seconds >= HANG:
        return "had no answer in time", "it waits for what never comes, or for a thread or a socket, which live in real time"
    if wrong.status != 200:  # noqa: PLR2004 - HTTP's success
        return f"answered with the status {wrong.status}", wrong.error or "if the handler failed, the log says why"
    measured = f"took {wrong.seconds:.9g} s of virtual time"
    if wrong.seconds < wrong.due:
        return measured, "a wait is not awaited, is too short, or blocks: time.sleep takes no virtual time, in a thread or not"
    if min(alike) <= wrong.due + TOLERANCE:
        return measured, "a lock or a limit lets only some of the requests wait at once"
    if wrong.due and abs(wrong.seconds / wrong.due - round(wrong.seconds / wrong.due)) <= TOLERANCE:
        return measured, "waits follow one another: gather, or a task group, starts all before it waits"
    return measured, "the wait is longer than asked for, or another one is added to it"

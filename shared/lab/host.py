"""Run a variant's own `serve`, unchanged, and tell the lab what lives in its process: tasks, threads, sockets.

It answers from a thread, over a connection of its own, so that it can say where a blocked event loop is stuck. When that
connection closes, the lab is gone, and the server is stopped.
"""

import argparse
import asyncio
import gc
import importlib
import itertools
import json
import os
import runpy
import signal
import socket
import sys
import threading
import time
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import suppress
from enum import IntEnum
from http import HTTPStatus
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from shared.lab import guard
from shared.lab.frames import current_frames
from shared.lesson import command
from shared.lesson.command import HOST
from shared.lesson.contract import CHAPTERS
from shared.lesson.primes import count_in_worker
from shared.lesson.problems import from_status

IDLE = {
    *(("thread.py", "_worker"), ("threading.py", "wait"), ("_thread_cache.py", "_work")),
    *(("selectors.py", "select"), ("connection.py", "_exhaustive_wait"), ("unix_events.py", "_do_waitpid")),
}
"""Where a thread waits: for work, in asyncio's pool, in anyio's, in trio's; and for worker processes."""

TALKS = {"WebSocket", "WebSocketResponse"}
"""What a conversation is called, in Starlette and what is built on it, Litestar, and aiohttp."""

IDLE_SECONDS = "LAB_IDLE_SECONDS"
"""The setting for how long a connection may be idle, in seconds, where the lesson's own time is not what is looked at."""

PING_SECONDS = "LAB_PING_SECONDS"
"""The setting for after how many seconds the other side of a conversation is asked for a sign of life, likewise."""

PROCESSORS = 5
"""How many processors a server is told that the machine has: what is left to that is then never what was agreed."""

GRACE_SECONDS = 10.0
"""How long a server may take to stop once the lab is gone."""


def report(control: socket.socket, variant: str) -> dict[str, object]:
    """Return what lives in this process now: tasks and threads with where they stand, and connections.

    `ended` is how many of the variant's tasks have ended, and are still held by somebody; `talks` is that of `Living`; `sockets`
    are the connections to this server and those from it, without the lab's.

    Args:
        control: The lab's own.
        variant: The variant's folder, below the root.

    """
    living = _living()
    ended = sum(f"/{variant}/" in Path(file).as_posix() for file in living.ended)
    frames = current_frames()
    threads = {thread.name: _stack(frames.get(thread.ident or 0)) for thread in threading.enumerate()}
    sockets = _count(living.sockets - {control})
    return {"tasks": living.tasks, "ended": ended, "talks": living.talks, "threads": threads, "sockets": sockets}


def _count(sockets: set[socket.socket]) -> dict[str, int]:
    """Return how many open TCP connections there are to a port that is listened on here, and how many others."""
    listening, ports = set[int](), list[int]()
    for one in sockets:
        with suppress(OSError):  # It was closed just now, or before.
            if one.family in {socket.AF_INET, socket.AF_INET6} and one.type == socket.SOCK_STREAM:
                port = int(one.getsockname()[1])
                if one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    listening.add(port)
                else:
                    ports.append(port)
    inbound = sum(port in listening for port in ports)
    return {"in": inbound, "out": len(ports) - inbound}


def whereabouts(variant: str) -> dict[str, list[str]]:
    """Return where threads stand: the event loop's in the variant's code under `loop`, others at work under `threads`.

    It costs about a millisecond, so that the lab can ask again and again while an experiment runs.

    Args:
        variant: The variant's folder, below the root.

    """
    found: dict[str, list[str]] = {"loop": [], "threads": []}
    ours = {thread.ident for thread in threading.enumerate() if thread.name in {"lab", "guard"}}
    for ident, frame in current_frames().items():
        on_loop = ident == threading.main_thread().ident
        if place := _place_in_variant(frame, variant):
            found["loop" if on_loop else "threads"].append(place)
        elif not on_loop and ident not in ours and (Path(frame.f_code.co_filename).name, frame.f_code.co_name) not in IDLE:
            found["threads"].append(_place(frame))
    return found


def _place_in_variant(frame: FrameType | None, variant: str) -> str:
    """Return the innermost place of a stack that is in a chapter of the variant; empty when there is none."""
    while frame:
        path = Path(frame.f_code.co_filename)
        # Its `serve` stands below everything, all the time.
        if path.parent.as_posix().endswith(f"/{variant}") and path.stem != "serve":
            return f"{variant}/{path.name}:{frame.f_lineno} in {frame.f_code.co_name}"
        frame = frame.f_back
    return ""


_COUNT = itertools.count()
_NUMBERS: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
_SOCKETS: weakref.WeakSet[socket.socket] = weakref.WeakSet()


class Living(NamedTuple):
    """What lives in this process.

    Attributes:
        tasks: Where the unfinished tasks of either event loop stand, each under a number that it keeps.
        ended: In which files the code stands of tasks that have ended, and are still held by somebody.
        talks: How many objects stand for a conversation, whether it has ended or not.
        sockets: All of them.

    """

    tasks: dict[int, list[str]]
    ended: list[str]
    talks: int
    sockets: set[socket.socket]


def _living() -> Living:
    """Return what lives in this process.

    Of a task it says where it stands, outermost call first. They are looked for among all live objects, because that works
    from another thread, on asyncio and on trio, and while the loop is blocked; asking the loop would not. For sockets it is a
    hundred times as quick as to ask the system, as was measured.
    """
    gc.collect()
    trio = sys.modules.get("trio")
    kinds = set(_with_all_below(asyncio.Task)) | set(_with_all_below(trio.lowlevel.Task) if trio else ())
    tasks, ended, talks = dict[int, list[str]](), list[str](), 0
    for found in gc.get_objects():
        if type(found) is socket.socket:
            _SOCKETS.add(found)
        elif type(found) in kinds and found not in _NUMBERS:
            _NUMBERS[found] = next(_COUNT)
        elif type(found).__name__ in TALKS:
            talks += 1
    for task, number in list(_NUMBERS.items()):
        stack = list(_awaits(_coroutine(task)))
        if stack:
            tasks[number] = stack
        else:  # A task that has ended stands nowhere.
            ended.append(str(getattr(getattr(_coroutine(task), "cr_code", None), "co_filename", "")))
    # What is there at the first look, modules above all, need not be gone through again: a look costs a third of that one.
    if not gc.get_freeze_count():
        gc.freeze()
    return Living(tasks, ended, talks, set(_SOCKETS))


def _coroutine(task: Any) -> object:  # noqa: ANN401 - asyncio's or trio's
    """Return what a task runs; None of one that the event loop's thread is only just making."""
    # Of such a task the public `get_coro` follows a null pointer in Python 3.11, which ends the process (seen on 3.11.7).
    return getattr(task, "_coro" if isinstance(task, asyncio.Task) else "coro", None)


def _with_all_below(kind: type[Any]) -> Iterator[type[Any]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _with_all_below(below)


def _awaits(awaited: Any) -> Iterator[str]:  # noqa: ANN401 - anything that can be awaited
    """Yield the places of a chain of awaits; nothing for a coroutine that has ended."""
    while awaited is not None:
        prefix = next((prefix for prefix in ("cr", "gi", "ag") if hasattr(awaited, f"{prefix}_frame")), None)
        frame = getattr(awaited, f"{prefix}_frame", None)
        if prefix is None or frame is None:
            return
        yield _place(frame)
        awaited = getattr(awaited, "gi_yieldfrom" if prefix == "gi" else f"{prefix}_await", None)


def _stack(frame: FrameType | None) -> list[str]:
    places: list[str] = []
    while frame:
        places.append(_place(frame))
        frame = frame.f_back
    return places[::-1]


def _place(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_name}"


def _answer(control: socket.socket, variant: str) -> None:
    with control, control.makefile("rw", encoding="utf-8") as lines:
        for line in lines:
            match line.strip():
                case "where":
                    found: object = whereabouts(variant)
                case "guard":
                    guard.arm()
                    found = {"held": guard.take()}
                case _:
                    found = report(control, variant)
            lines.write(json.dumps(found) + "\n")
            lines.flush()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)


PLANTED = "planted by the lab"


class Crash(IntEnum):
    """How the waits of a variant fail that was started with `--crash`; the value is what to ask for as `seconds`."""

    BARE = 0
    OUT_OF_A_GROUP = 1
    OWN_OUT_OF_A_GROUP = 2
    OWN_BESIDE_ANOTHER = 3
    OWN_OUT_OF_TWO_GROUPS = 4
    ENDS_LATE = 5
    """No failure: work that takes `LATE` to end when it is cancelled, and has come to its result by then."""


LATE, LATE_RESULT = 0.3, "a result that came too late"
"""Seconds, and what such work returns."""


async def crash(_: str, seconds: float) -> str:
    """Stand in for `slow_async_operation`, and fail as `Crash` says."""
    own, unforeseen = own_error(), _raised(RuntimeError(PLANTED))
    errors: dict[float, list[Exception]] = {
        Crash.OUT_OF_A_GROUP: [unforeseen],
        Crash.OWN_OUT_OF_A_GROUP: [own],
        Crash.OWN_BESIDE_ANOTHER: [own, unforeseen],
        Crash.OWN_OUT_OF_TWO_GROUPS: [ExceptionGroup("out of a task group in it", [own])],
    }
    raise unforeseen if seconds == Crash.BARE else ExceptionGroup("out of a task group", errors[seconds])


def _raised(error: Exception) -> Exception:
    """Return an error that knows where it was raised: whoever logs it without its group shows its place as well."""
    try:
        raise error  # noqa: TRY301 - for that alone
    except Exception as raised:  # noqa: BLE001 - it is handed back
        return raised


def crash_work(call_work: Callable[[Any, Any, Any], Awaitable[str]]) -> Callable[[Any, Any, Any], Awaitable[str]]:
    """Return what stands in for a `call_work`: it fails as `Crash` says, and else does what that does."""

    async def call_or_crash(client: Any, settings: Any, task: Any) -> str:  # noqa: ANN401 - the stack's own
        if task.seconds in {Crash.BARE, Crash.OUT_OF_A_GROUP}:
            return await crash(task.name, task.seconds)
        if task.seconds == Crash.ENDS_LATE:
            return await end_late(call_work(client, settings, task))
        return await call_work(client, settings, task)

    return call_or_crash


async def end_late(work: Awaitable[str]) -> str:
    """Wait for work; when that is cancelled, take some time to end, as what cleans up does, and return a result all the same."""
    try:
        return await work
    except Exception:
        raise
    except BaseException:  # noqa: BLE001 - cancellation, whichever loop's
        if anyio := sys.modules.get("anyio"):  # Not imported: it may not be there, and trio needs it.
            with anyio.CancelScope(shield=True):
                await anyio.sleep(LATE)
        else:
            await asyncio.sleep(LATE)
        return LATE_RESULT


def crash_thread(slow_sync_operation: Callable[[str, float], str]) -> Callable[[str, float], str]:
    """Return what stands in for a `slow_sync_operation`: it fails where it should not wait, and else does what that does."""

    def wait_or_crash(name: str, seconds: float) -> str:
        if seconds == Crash.BARE:
            raise RuntimeError(PLANTED)
        return slow_sync_operation(name, seconds)

    return wait_or_crash


CRASHING_N = 13


def count_or_crash(n: int) -> int:
    """Stand in for `count_in_worker`, in a worker process: fail for one number as nobody foresaw, and else do what that does."""
    if n == CRASHING_N:
        raise RuntimeError(PLANTED)
    return count_in_worker(n)


def crash_stream(stream_upstream: Callable[[Any, Any], AsyncGenerator[bytes]]) -> Callable[[Any, Any], AsyncGenerator[bytes]]:
    """Return what stands in for a `stream_upstream`: it fails where the call says `PLANTED`, and else does what that does."""

    async def fail() -> AsyncGenerator[bytes]:
        yield b""
        raise RuntimeError(PLANTED)

    return lambda client, call: fail() if PLANTED in str(call.body) else stream_upstream(client, call)


def plant_crashes(package: str) -> None:
    """Let the chapters of a variant's package fail as nobody foresaw, where they are asked for what `Crash` says."""
    chapters = {chapter: vars(importlib.import_module(f"{package}.{chapter}")) for chapter in CHAPTERS}
    chapters["together"]["slow_async_operation"] = crash
    chapters["answers"]["stream_upstream"] = crash_stream(chapters["answers"]["stream_upstream"])
    for names in chapters.values():
        if "call_work" in names:
            names["call_work"] = crash_work(names["call_work"])
    chapters["computing"]["count_in_worker"] = count_or_crash
    for chapter in ("deadlines", "room"):
        chapters[chapter]["slow_sync_operation"] = crash_thread(chapters[chapter]["slow_sync_operation"])


def own_error() -> Exception:
    """Return the stack's own error for a handler to raise, a 401; the lesson's, on a stack that nobody knew yet."""
    headers = {"WWW-Authenticate": "Basic"}
    if litestar := sys.modules.get("litestar.exceptions"):  # First: where Starlette is installed, Litestar loads it.
        return litestar.NotAuthorizedException(headers=headers)  # type: ignore[no-any-return]  # Not imported.
    if starlette := sys.modules.get("starlette.exceptions"):
        return starlette.HTTPException(HTTPStatus.UNAUTHORIZED, headers=headers)  # type: ignore[no-any-return]  # Likewise.
    if aiohttp := sys.modules.get("aiohttp.web"):
        return aiohttp.HTTPUnauthorized(headers=headers)  # type: ignore[no-any-return]  # Not imported: it may not be there.
    return from_status(HTTPStatus.UNAUTHORIZED, headers)


def main() -> None:
    """Run the variant that the command line names; what follows its name is for its `serve`."""
    parser = argparse.ArgumentParser(prog="python -m shared.lab")
    parser.add_argument("control_port", type=int)
    parser.add_argument("package", help="the variant's, such as variants.aiohttp_asyncio")
    parser.add_argument("--root", help="the folder that holds variants, when it is not the project's own")
    parser.add_argument("--loop", default="asyncio", help="the event loop to serve on")
    parser.add_argument(
        "--crash", action="store_true", help="let the waits of together.py fail, and work, threads and streams elsewhere"
    )
    arguments, rest = parser.parse_known_args()
    control = socket.create_connection((HOST, arguments.control_port))
    threading.Thread(target=_answer, args=(control, arguments.package.replace(".", "/")), name="lab", daemon=True).start()
    if sys.platform == "win32":
        # Windows has no SIGTERM to handle: a console stops a group of processes with Ctrl-Break. Servers know Ctrl-C.
        signal.signal(signal.SIGBREAK, lambda *_: signal.raise_signal(signal.SIGINT))
    if arguments.root:
        sys.path.insert(0, arguments.root)
    for name in {"cpu_count", "process_cpu_count"} & vars(os).keys():  # The second is there from Python 3.13 on.
        setattr(os, name, lambda: PROCESSORS)
    for setting, name in {IDLE_SECONDS: "KEEP_ALIVE", PING_SECONDS: "PING"}.items():
        if seconds := os.environ.get(setting):
            vars(command)[name] = float(seconds)
    if arguments.crash:
        plant_crashes(arguments.package)
    guard.install(arguments.loop, arguments.package.rpartition(".")[0])
    module = f"{arguments.package}.serve"
    sys.argv = [module, "--loop", arguments.loop, *rest]
    runpy.run_module(module, run_name="__main__")  # The main module stays the lab's.

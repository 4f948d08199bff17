"""The guard names what holds an event loop, on both loops, and keeps silent about what does not."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.lab.guard import KEPT
from shared.lab.variants import ROOT
from shared.lesson.command import HOST

HANDLERS = (
    """
import time
import urllib.request

async def sleeps(loop, url):
    time.sleep(0.2)

async def sleeps_shortly(loop, url):
    time.sleep(0.001)

async def sleeps_in_a_loop(loop, url):
    for _ in range(3):
        time.sleep(0.1)

async def calls(loop, url):
    urllib.request.urlopen(url).read()

async def computes(loop, url):
    return [number * number for number in range(5_000_000)]

async def computes_in_c(loop, url):
    # Several calls, because between two of them the thread that armed the guard, or another, may have its turn first.
    return sum(sum(range(10_000_000)) for _ in range(8))

async def awaits(loop, url):
    await loop.sleep(0.2)

async def sleeps_in_a_thread(loop, url):
    await loop.to_thread(time.sleep, 0.2)

async def prints_and_imports(loop, url):
    import xml.dom.minidom
    print("x" * 10_000, file=loop.log, flush=True)

async def sleeps_everywhere(loop, url):
"""
    + "    time.sleep(0.001)\n" * (KEPT + 5)
)

PROGRAM = """
import asyncio, json, sys, types
from shared.lab import guard

name, handler, url, *rest = sys.argv[1:]
guard.install(name)
from variants.little import handlers
if name == "trio":
    import trio
    loop = types.SimpleNamespace(run=trio.run, sleep=trio.sleep, to_thread=trio.to_thread.run_sync)
else:
    loop = types.SimpleNamespace(run=lambda main: asyncio.run(main()), sleep=asyncio.sleep, to_thread=asyncio.to_thread)
loop.log = sys.stderr

async def main():
    if "unarmed" not in rest:
        await loop.to_thread(guard.arm)
    await getattr(handlers, handler)(loop, url)

loop.run(main)
print(json.dumps(guard.take()))
"""

Watch = Callable[..., list[str]]


@pytest.fixture(params=["asyncio", "trio"])
def loop(request: pytest.FixtureRequest) -> str:
    """Name each event loop."""
    name: str = request.param
    return name


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    """Run one of the handlers above, as a variant's, under the guard, and return what that has seen."""
    folder = tmp_path / "variants" / "little"
    folder.mkdir(parents=True)
    for package in (folder.parent, folder):
        (package / "__init__.py").touch()
    (folder / "handlers.py").write_text(HANDLERS, encoding="utf-8")

    def run(loop: str, handler: str, *more: str) -> list[str]:
        ended = subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-W", "error", "-c", PROGRAM, loop, handler, *more],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert ended.returncode == 0, ended.stderr
        seen: list[str] = json.loads(ended.stdout)
        return seen

    return run


@pytest.fixture
def slow_url() -> Iterator[str]:
    """Serve one answer, after 0.2 s."""

    def answer() -> None:
        with contextlib.suppress(TimeoutError):  # Nobody came: the test says why.
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                time.sleep(0.2)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with socket.create_server((HOST, 0)) as listener:
        listener.settimeout(10)
        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://{HOST}:{listener.getsockname()[1]}/"
        thread.join()


def place(handler: str, statement: str) -> str:
    """Return where a statement stands, as the guard writes it."""
    lines = HANDLERS.splitlines()
    first = lines.index(f"async def {handler}(loop, url):")
    return f"at variants/little/handlers.py:{first + 1 + [statement in line for line in lines[first:]].index(True)} in {handler}"


@pytest.mark.parametrize(("handler", "statement"), [("sleeps", "time.sleep"), ("sleeps_in_a_loop", "time.sleep")])
def test_a_sleep_is_named_once(watch: Watch, loop: str, handler: str, statement: str) -> None:
    """A blocking sleep is noted with its name and its place, however often it comes."""
    (line,) = watch(loop, handler, "")
    assert statement in line
    assert line.endswith(place(handler, statement))


def test_a_blocking_client_is_named(watch: Watch, loop: str, slow_url: str) -> None:
    """A call through a library is noted where the variant makes it, not deep inside that library."""
    (line,) = watch(loop, "calls", slow_url)
    assert line.endswith(place("calls", "urlopen"))


@pytest.mark.parametrize("handler", ["computes", "computes_in_c"])
def test_computing_is_named(watch: Watch, loop: str, handler: str) -> None:
    """Work of the processor is noted, in Python and in a call into C that lets no other thread run."""
    (line,) = watch(loop, handler, "")
    assert line.startswith("`return ")
    assert line.endswith(f"for over 0.05 s {place(handler, 'return')}")


@pytest.mark.parametrize("handler", ["awaits", "sleeps_in_a_thread", "prints_and_imports"])
def test_what_does_not_hold_the_loop_is_not_named(watch: Watch, loop: str, handler: str) -> None:
    """An awaited wait, a worker thread's, the log and an import are no one's mistake."""
    assert watch(loop, handler, "") == []


def test_nothing_is_watched_before_it_is_armed(watch: Watch, loop: str) -> None:
    """Installed alone, the guard notes nothing."""
    assert watch(loop, "sleeps", "", "unarmed") == []


def test_asyncio_shows_short_calls_too(watch: Watch) -> None:
    """On asyncio a call of a millisecond is noted by name, without an error."""
    assert watch("asyncio", "sleeps_shortly", "") == [f"time.sleep, called {place('sleeps_shortly', 'time.sleep')}"]


def test_only_the_newest_are_kept(watch: Watch) -> None:
    """Of many places the last ones are kept, the newest last."""
    seen = watch("asyncio", "sleeps_everywhere", "")
    last = len(HANDLERS.splitlines())
    places = [f"variants/little/handlers.py:{line} in sleeps_everywhere" for line in range(last - KEPT + 1, last + 1)]
    assert seen == [f"time.sleep, called at {place}" for place in places]

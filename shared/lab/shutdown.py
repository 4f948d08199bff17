"""Stop a server in the middle of requests, conversations and work of every kind: what ends, what is told, what is left."""

import contextlib
import math
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import psutil

from shared.lab.experiment import Answer, Ask, Observation, send
from shared.lab.family import LEAVE, forked, outlived, started_by
from shared.lab.server import PATIENT, Server
from shared.lab.upstream import Call, Upstreams
from shared.lab.variants import Variant
from shared.lesson.command import HOST

BEGIN_SECONDS = 10.0
"""How long to wait until all that is to be in flight has reached the service behind."""

KNOCKS = 0.5
"""Seconds after the signal when somebody new knocks: servers look for a signal every tenth of a second."""

LOOKS = 0.05
"""Seconds between two looks whether a server has ended."""

AFTER_ANSWERS = 0.5
"""Seconds after the last answer in which what goes on after it has begun."""

LONGEST = 20.0
"""Seconds after which a server that has been asked to stop is killed: right ones need nine, where they are held up."""


@dataclass(frozen=True, slots=True)
class Down:
    """What was seen of a server that was stopped while it worked; times are seconds of `time.monotonic`.

    Attributes:
        answers: What became of each request, by the name of the piece.
        calls: What the service behind saw of them.
        asked: When it was asked to stop.
        gone: When its process had ended.
        exit_code: What that ended with; None where it had to be killed.
        printed: What it printed after it was asked to stop.
        left: What was still there afterwards, in words.
        forks: How many of its processes were forks of it.
        knocked: The answer to a `/ping` of somebody new, `KNOCKS` seconds after it was asked to stop.
        starved: For how many seconds it had to wait for a processor after it was asked to stop, as far as one can know.

    """

    answers: Mapping[str, Answer]
    calls: list[Call]
    asked: float
    gone: float
    exit_code: int | None
    printed: str
    left: list[str]
    forks: int
    knocked: Answer
    starved: float

    @property
    def seconds(self) -> float:
        """How long it took to stop."""
        return self.gone - self.asked

    @property
    def seen(self) -> Observation:
        """The same as an observation, for a message."""
        return Observation(list(self.answers.values()), calls=self.calls)

    def call(self, seconds: float) -> Call | None:
        """Return the call that was asked to take so long: no two pieces ask for the same; None where there was none."""
        asked = (call for call in self.calls if isinstance(call.sent, dict) and "seconds" in call.sent)
        return next((call for call in asked if math.isclose(call.sent["seconds"], seconds)), None)  # It is sent with six digits.

    def after(self, answer: Answer) -> float:
        """Return how long after it was asked to stop an answer had come, or its connection had been closed."""
        return answer.received - self.asked


@contextmanager
def watched(variant: Variant, settings: Mapping[str, str] | None = None) -> Iterator[tuple[Server, Path]]:
    """Serve a variant that keeps its temporary files in a folder of its own, and give both."""
    with tempfile.TemporaryDirectory(prefix="workbook-", ignore_cleanup_errors=True) as folder, Upstreams() as upstreams:
        places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), folder)
        with Server(variant, upstreams, settings={**PATIENT, **places, **(settings or {})}) as server:
            yield server, Path(folder)


def go_down(variant: Variant, pieces: Mapping[str, Ask], calls: int, settings: Mapping[str, str] | None = None) -> Down:
    """Start a server, have it begin some pieces, stop it as soon as all are under way, and return what was seen.

    Args:
        variant: What to serve.
        pieces: What to ask for, each under its name.
        calls: How many calls the service behind gets of them at once.
        settings: What the server's environment holds besides.

    """
    with watched(variant, settings) as (server, folder), ThreadPoolExecutor(2) as client:
        send(server.url, [Ask("/ping")])
        sent = client.submit(send, server.url, list(pieces.values()))
        _until_under_way(server, calls, sent)
        family = started_by(server.process.pid)
        forks = forked(family)
        before, asked = len(server.printed()), time.monotonic()
        server.ask_to_stop(signal.SIGTERM)
        knocked = client.submit(_knock, server.url)
        stopped, gone = wait_for_end(server), time.monotonic()
        answers = dict(zip(pieces, sent.result(), strict=True))
        left = _left(server, folder, family)
        printed = server.printed(before).decode(errors="replace")
        calls_seen = server.upstreams.calls(0)
        return Down(answers, calls_seen, asked, gone, stopped.exit_code, printed, left, forks, knocked.result(), stopped.starved)


def _knock(url: str) -> Answer:
    time.sleep(KNOCKS)
    return send(url, [Ask("/ping")])[0]


def _until_under_way(server: Server, calls: int, sent: Future[list[Answer]]) -> None:
    deadline = time.monotonic() + BEGIN_SECONDS
    # Those that have begun, and not those that are open: the shortest may be over before a busy machine looks again.
    while len(server.upstreams.calls(0)) < calls and time.monotonic() < deadline:
        if sent.done():  # No more calls will come of them, but for those that go on after their answers.
            deadline = min(deadline, time.monotonic() + AFTER_ANSWERS)
        time.sleep(0.02)


class Stopped(NamedTuple):
    """How a server ended that was asked to stop.

    Attributes:
        exit_code: With which exit code; None where it had to be killed.
        starved: For how many seconds it had to wait for a processor meanwhile, as far as one can know.

    """

    exit_code: int | None
    starved: float


def wait_for_end(server: Server) -> Stopped:
    """Wait until a server that was asked to stop has ended; kill it when it has not after `LONGEST`."""
    deadline, before, starved = time.monotonic() + LONGEST, server.starved, 0.0
    while time.monotonic() < deadline:
        starved = max(starved, server.starved - before)  # Of a process that has ended nothing is known.
        with contextlib.suppress(subprocess.TimeoutExpired):
            return Stopped(server.process.wait(LOOKS), starved)
    server.process.kill()
    server.process.wait()
    return Stopped(None, starved)


def _left(server: Server, folder: Path, family: list[psutil.Process]) -> list[str]:
    """Return what a server that has ended has left behind: processes, sockets, files."""
    alive = outlived(family, 2 * LEAVE)
    with socket.socket() as client:
        listens = client.connect_ex((HOST, urlsplit(server.url).port or 0)) == 0
    server.upstreams.wait_for_calls(LEAVE)  # The service learns from its own socket that nobody waits any more.
    return [
        *(f"a process: {line}" for line in alive),
        *(["its port, on which somebody still listens"] if listens else []),
        *(["a connection to a service"] if server.upstreams.open_calls() else []),
        *(f"a temporary file: {name}" for name in sorted(os.listdir(folder))),  # noqa: PTH208 - names are wanted
    ]

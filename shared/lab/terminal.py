"""Run a server as a reader does, in a terminal, press Ctrl-C while requests are under way, and see what that prints and leaves.

A terminal sends the signal to every process that was started in it, and not to the server alone: its workers get it, too.
"""

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus

from shared.lab.experiment import Answer, Ask, Observation, send
from shared.lab.family import LEAVE, outlived, started_by
from shared.lab.processes import QUICK, n_for, watching
from shared.lab.server import START_SECONDS, ServerError, serving
from shared.lab.tries import first_good
from shared.lab.variants import ROOT, Variant
from shared.lesson.limits import MAX_SECONDS

CTRL_C = b"\x03"
LONGEST = 20.0
UNDER_WAY = (0.3, 1.0, 2.0)
"""Seconds after which the request is under way, for each try: nothing tells in a terminal when it is."""

GOES_ON = 1.0
"""Seconds that it takes after that: less than a stop waits for it."""

STARTS = 3
"""How often to ask for a worker to be started, at the most."""

IN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
"""Takes the terminal for its own, so that Ctrl-C reaches it, and becomes the program that it is told to."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """What was seen of a server after Ctrl-C.

    Attributes:
        at: When it was pressed, in seconds of `time.monotonic`.
        answer: What became of the request that was under way.
        computed: What became of the work on the CPU that was; None where there was none.
        exit_code: What the server ended with; None where it had to be killed.
        printed: What stood on the terminal afterwards, without what the lesson itself prints.
        left: Processes that were still there.

    """

    at: float
    answer: Answer
    computed: Answer | None
    exit_code: int | None
    printed: str
    left: list[str]

    @property
    def seen(self) -> Observation:
        """What was under way, as an observation, for a message."""
        return Observation([self.answer, *([self.computed] if self.computed else [])])

    @property
    def all_answered(self) -> bool:
        """Whether all that was under way was answered, and only after that."""
        return all(answer.status == HTTPStatus.OK and answer.received > self.at for answer in self.seen.answers)


def press_ctrl_c(variant: Variant, settings: Mapping[str, str] | None = None, work: float = 0.0) -> Pressed:
    """Start a variant with its own upstreams, unless `settings` name others, and press Ctrl-C.

    Again, and with more time, where a request was not answered, or before that: a busy machine may be late with either.

    Args:
        variant: What to start.
        settings: What its environment holds besides.
        work: How many seconds of work on the CPU are to be under way as well, where there is a terminal; 0 for none.

    """
    # Windows has no terminals of this kind; its consoles send an event to a group of processes.
    once = _send_break if sys.platform == "win32" else _in_terminal
    return first_good(UNDER_WAY, lambda under_way: once(variant, settings, under_way, work), lambda pressed: pressed.all_answered)


def _in_terminal(variant: Variant, settings: Mapping[str, str] | None, under_way: float, work: float) -> Pressed:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CHROMA", "OPENAI", "WORK_URL"))}
    environment["PYTHONPATH"] = os.pathsep.join([str(variant.root), str(ROOT)])
    serve = ["-P", "-m", f"{variant.package}.serve", "--port", "0", "--loop", variant.loop]
    ours, theirs = os.openpty()
    with contextlib.closing(os.fdopen(ours, "r+b", buffering=0)):
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-c", IN_TERMINAL, *serve],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=ROOT,
            env={**environment, **(settings or {})},
            start_new_session=True,
        )
        os.close(theirs)
        with process, ThreadPoolExecutor(2) as client:
            try:
                return _press(process, ours, client, under_way, work)
            finally:
                process.kill()


def _press(process: subprocess.Popen[bytes], terminal: int, client: ThreadPoolExecutor, under_way: float, work: float) -> Pressed:
    shown, url = _read(terminal, START_SECONDS, until=rb"http://[\d.]+:\d+(?=\D)")
    if not url:
        raise ServerError(f"In a terminal it did not say where it serves.\n{shown}")
    send(url, [Ask("/ping")])
    computes = work > 0 and _has_a_worker(url)
    family = started_by(process.pid)
    sent = client.submit(send, url, [_patient(under_way + work)])
    time.sleep(under_way)
    computed = _computing(process.pid, url, client, work) if computes else None
    at = time.monotonic()
    os.write(terminal, CTRL_C)
    printed, _ = _read(terminal, LONGEST)
    try:
        exit_code: int | None = process.wait(LONGEST)
    except subprocess.TimeoutExpired:
        exit_code = None
    left = [f"a process: {line}" for line in outlived(family, LEAVE)]
    shown = _without_lesson(printed.partition("^C")[2])
    return Pressed(at, sent.result()[0], computed.result()[0] if computed else None, exit_code, shown, left)


def _has_a_worker(url: str) -> bool:
    """Have a worker started, for one that is still on its way when the signal comes can do nothing about it."""
    # Again, where the limit was over before: on a busy machine that may take long.
    answers = first_good(range(STARTS), lambda _: send(url, [QUICK]), lambda answers: answers[0].status == HTTPStatus.OK)
    return answers[0].status == HTTPStatus.OK


def _computing(server: int, url: str, client: ThreadPoolExecutor, work: float) -> Future[list[Answer]]:
    """Ask for work on the CPU, and wait until it is under way."""
    ask = Ask(f"/cpu?n={n_for(work)}&limit={MAX_SECONDS:g}")
    with watching(server) as seen:
        began = time.monotonic()
        sent = client.submit(send, url, [ask])
        seen.at_work(began, sent)
    return sent


def _patient(under_way: float) -> Ask:
    return Ask(f"/patient?seconds={under_way + GOES_ON}")


def _read(terminal: int, seconds: float, until: bytes = b"$^") -> tuple[str, str]:
    """Read until something is found, or nobody holds the terminal any more; return all that was read, and what was found."""
    read, deadline = b"", time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # So Linux says that the other side is gone; others read nothing.
            piece = b""
        read += piece
        found = re.search(until, read)
        if found or not piece:
            return read.decode(errors="replace"), found[0].decode() if found else ""
    return read.decode(errors="replace"), ""


def _send_break(variant: Variant, settings: Mapping[str, str] | None, under_way: float, _: float) -> Pressed:
    with serving(variant, settings=settings) as server, ThreadPoolExecutor(1) as client:
        sent = client.submit(send, server.url, [_patient(under_way)])
        time.sleep(under_way)
        before, at = len(server.printed()), time.monotonic()
        exit_code = server.stop(signal.SIGINT)
        printed = server.printed(before).decode(errors="replace")
        return Pressed(at, sent.result()[0], None, exit_code, _without_lesson(printed), [])


def _without_lesson(printed: str) -> str:
    lines = [line.strip() for line in printed.splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith(("[ASYNC]", "[SYNC]")))

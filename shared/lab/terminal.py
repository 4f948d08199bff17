"""Run a server as a reader does, in a terminal, press Ctrl-C while a request is under way, and see what that prints and leaves.

A terminal sends the signal to every process that was started in it, and not to the server alone.
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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus

from shared.lab.experiment import Answer, Ask, send
from shared.lab.family import LEAVE, outlived, started_by
from shared.lab.server import START_SECONDS, serving
from shared.lab.tries import first_good
from shared.lab.variants import ROOT, Variant

CTRL_C = b"\x03"
LONGEST = 20.0
UNDER_WAY = (0.3, 1.0, 2.0)
"""Seconds after which the request is under way, for each try: nothing tells in a terminal when it is."""

GOES_ON = 1.0
"""Seconds that it takes after that: less than a stop waits for it."""

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
        exit_code: What the server ended with; None where it had to be killed.
        printed: What stood on the terminal afterwards, without what the lesson itself prints.
        left: Processes that were still there.

    """

    at: float
    answer: Answer
    exit_code: int | None
    printed: str
    left: list[str]


def press_ctrl_c(variant: Variant, settings: Mapping[str, str] | None = None) -> Pressed:
    """Start a variant with its own upstreams, unless `settings` name others, and press Ctrl-C.

    Again, and with more time, where the request was not answered, or before that: a busy machine may be late with either.
    """
    # Windows has no terminals of this kind; its consoles send an event to a group of processes.
    once = _send_break if sys.platform == "win32" else _in_terminal
    return first_good(
        UNDER_WAY,
        lambda under_way: once(variant, settings, under_way),
        lambda pressed: pressed.answer.status == HTTPStatus.OK and pressed.answer.received > pressed.at,
    )


def _in_terminal(variant: Variant, settings: Mapping[str, str] | None, under_way: float) -> Pressed:
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
        with process, ThreadPoolExecutor(1) as client:
            try:
                return _press(process, ours, client, under_way)
            finally:
                process.kill()


def _press(process: subprocess.Popen[bytes], terminal: int, client: ThreadPoolExecutor, under_way: float) -> Pressed:
    url = _read(terminal, START_SECONDS, until=rb"http://[\d.]+:\d+(?=\D)")[1]
    send(url, [Ask("/ping")])
    family = started_by(process.pid)
    sent = client.submit(send, url, [_patient(under_way)])
    time.sleep(under_way)
    at = time.monotonic()
    os.write(terminal, CTRL_C)
    printed, _ = _read(terminal, LONGEST)
    try:
        exit_code: int | None = process.wait(LONGEST)
    except subprocess.TimeoutExpired:
        exit_code = None
    left = [f"a process: {line}" for line in outlived(family, LEAVE)]
    return Pressed(at, sent.result()[0], exit_code, _without_lesson(printed.partition("^C")[2]), left)


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


def _send_break(variant: Variant, settings: Mapping[str, str] | None, under_way: float) -> Pressed:
    with serving(variant, settings=settings) as server, ThreadPoolExecutor(1) as client:
        sent = client.submit(send, server.url, [_patient(under_way)])
        time.sleep(under_way)
        before, at = len(server.printed()), time.monotonic()
        exit_code = server.stop(signal.SIGINT)
        printed = server.printed(before).decode(errors="replace")
        return Pressed(at, sent.result()[0], exit_code, _without_lesson(printed), [])


def _without_lesson(printed: str) -> str:
    lines = [line.strip() for line in printed.splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith(("[ASYNC]", "[SYNC]")))

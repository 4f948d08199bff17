"""An answer in pieces: which events it told, and when each arrived; and clients that leave before its end."""

import asyncio
import contextlib
import json
import socket
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from shared.lab.causes import Cause
from shared.lab.experiment import Answer, Ask
from shared.lab.finding import Finding, sure
from shared.lab.server import Server
from shared.lesson.events import MEDIA_TYPE

LAST = ("done", "error")

PASSED_ON = {
    "X-Accel-Buffering": ("no", "a proxy such as nginx collects its events before it passes them on"),
    "Cache-Control": ("no-cache", "a cache on the way may collect them, to keep them for others"),
}
"""What a stream's headers have to hold, and what may become of it on its way where they do not."""

PATIENCE = 10.0
"""Seconds after which a client that means to leave half-way does not wait any longer for what it wants to see before."""


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """One event: its name, the JSON it carries, and when its end had arrived, in seconds of `time.monotonic`."""

    name: str
    data: Any
    received: float


def events(answer: Answer) -> list[SeenEvent]:
    """Return the events of an answer, in order; comments are left out.

    Raises:
        ValueError: Something is no event, or carries something that is not JSON.

    """
    found, end = [], 0
    *blocks, rest = answer.body.split(b"\n\n")
    if rest:
        raise ValueError(f"after the last event there is {rest[:60]!r}")
    for block in blocks:
        end += len(block) + 2
        fields = dict(line.split(b": ", 1) for line in block.splitlines() if not line.startswith(b":"))
        if fields:
            received = next(moment for moment, length in answer.arrivals if length >= end)
            found.append(SeenEvent(fields.get(b"event", b"message").decode(), json.loads(fields.get(b"data", b"")), received))
    return found


def readable(answer: Answer) -> list[Finding]:
    """Find an answer that is no row of events, whichever those are."""
    path, media_type = answer.ask.path, answer.headers.get("Content-Type", "").partition(";")[0]
    if media_type != MEDIA_TYPE:
        return sure(Cause.WRONG_ANSWER, f"{path} is not {MEDIA_TYPE}, but {media_type or 'of no type'}")
    try:
        events(answer)
    except ValueError as error:
        return sure(Cause.WRONG_ANSWER, f"{path} answered with something that is not a row of events: {error}")
    return []


def held_back(answer: Answer) -> list[Finding]:
    """Find that a stream does not ask whoever passes it on to do that at once."""
    missing = []
    for name, (word, otherwise) in PASSED_ON.items():
        values = [value.strip().lower() for value in answer.headers.get(name, "").split(",")]
        if word not in values:
            missing.append(f"without the header {name}: {word}, and so {otherwise}")
    return sure(Cause.HELD_BACK, f"{answer.ask.path} is sent {'; and '.join(missing)}") if missing else []


def told(answer: Answer, *ends: str) -> list[Finding]:
    """Find what is wrong with the order and the form of an answer's events; it may end with one of the events named."""
    if findings := readable(answer):
        return findings
    path, names = answer.ask.path, [event.name for event in events(answer)]
    if answer.error or not names or names[-1] not in ends or names != ["documents", *["token"] * (len(names) - 2), names[-1]]:
        shape = f"documents, tokens, {' or '.join(ends)}"
        got = f"{' '.join(dict.fromkeys(names)) or 'nothing'}{f', and {answer.error}' if answer.error else ''}"
        return sure(Cause.WRONG_ANSWER, f"{path} sent the events {got}, and not {shape}")
    return []


def listen(server: Server, ask: Ask) -> socket.socket:
    """Ask, wait for the end of the answer, and return the connection, which the client keeps open.

    Raises:
        TimeoutError: It did not end.

    """
    address = urlsplit(server.url)
    with contextlib.ExitStack() as undo:
        connection = undo.enter_context(socket.create_connection((address.hostname, address.port), timeout=PATIENCE))
        connection.sendall(f"{ask.method} {ask.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
        got = b""
        while not got.endswith(b"\r\n0\r\n\r\n") and (piece := connection.recv(2**16)):
            got += piece
        undo.pop_all()  # It has ended, and whoever asked closes the connection.
        return connection


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has closed a connection, on which all that it sent has been read."""
    connection.settimeout(0.1)
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def leave(server: Server, ask: Ask, seen: bytes) -> float:
    """Ask, leave without a word as soon as `seen` has arrived, and return when that was, in seconds of `time.monotonic`.

    Raises:
        TimeoutError: It did not arrive.

    """
    return asyncio.run(come_and_go(server, ask, seen))


async def come_and_go(server: Server, ask: Ask, seen: bytes) -> float:
    """Do what `leave` does, beside others."""
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(f"{ask.method} {ask.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
    got = b""
    try:
        async with asyncio.timeout(PATIENCE):
            while seen not in got:
                piece = await reader.read(2**16)
                if not piece:
                    raise TimeoutError(f"{ask.path} ended, and {seen!r} had not come")
                got += piece
    finally:
        writer.transport.abort()
    return time.monotonic()

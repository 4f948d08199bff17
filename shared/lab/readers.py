"""Clients that do not behave as clients should: one that leaves, and such as do not read what they have asked for."""

import contextlib
import json
import math
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

import psutil

from shared.lab.experiment import Answer, Ask, Observation, run, send
from shared.lab.probes_http import UPGRADE
from shared.lab.server import Server
from shared.lab.shutdown import wait_for_end
from shared.lab.talk import Hear, start
from shared.lab.talks import talked
from shared.lab.tries import first_good
from shared.lesson.contract import SOCKET
from shared.lesson.messages import MAX_NAME

Seen = TypeVar("Seen")

STANDSTILL = 0.5
"""Seconds without another call after which a server that waits for its reader is taken to wait."""

LONG_STANDSTILL = 2.0
"""The same for what a busy server may be slow to read."""

LONGEST = 8.0
"""Seconds to wait for that at the most."""

IDLE = 0.02
"""Seconds of processor time within `STANDSTILL` that a server uses at the most which waits: its clock has hundredths."""

QUICK = 1.0
"""Seconds that a `/ping` may take, which needs milliseconds; one that takes longer is asked for again."""

TRIES = 3
"""How often to try, at the most, what a busy machine may be too slow for, as for one of these."""

PING = Ask("/ping")

CLOSE = "Connection: close\n"
NO_BODY = "Content-Length: 0\n"

AT_ONCE = 100
"""Messages that are sent together, where many are."""

LAST_TASK = "unread"
"""The name of the last task that a client starts which reads no reply."""

BESIDE = Ask("/ws", SOCKET, status=101, says=(start("a", 0), Hear("done", "a")))
"""A conversation beside that one."""

UNDER_WAY = Ask("/patient?seconds=2.125")
"""A request that has time to end when the server is asked to stop; nothing else takes as long."""

LONG_REPLY, MANY = json.dumps({"cancel": "x" * MAX_NAME}), 40_000
"""What to say in a conversation to be told twice as much; and how often, for that to be more than systems keep for a client that
does not read."""

SMALL = 8192
"""Bytes that a slow reader lets the system keep for it, so that little fits between it and the server."""

LARGE = 65_536
"""Bytes that it lets the system keep once it reads all that there is, which is millions."""


def leave(server: Server, path: str, after: float, watch: float) -> tuple[float, Observation]:
    """Ask for something, leave without having read it, and see what goes on.

    Args:
        server: Whom to ask.
        path: What for.
        after: When to leave, in seconds.
        watch: How long to look afterwards, in seconds.

    Returns:
        When it left, in seconds of `time.monotonic`, and what was seen, with the answer that nobody waited for.

    """
    last = server.upstreams.last_call()
    answer = Answer(Ask(path), sent=time.monotonic())
    with asking(server, path):
        time.sleep(after)
    answer.received = time.monotonic()
    time.sleep(watch)
    return answer.received, Observation([answer], calls=server.upstreams.calls(last))


@dataclass(frozen=True, slots=True)
class Slow:
    """What a server did while a reader read nothing, and what that reader got in the end.

    Attributes:
        waiting: How many calls it had made when it made no more.
        seen: All that was seen, with the whole answer.
        ping: How long a `/ping` took meanwhile, in seconds: the first that was quick, or the last of a few.

    """

    waiting: int
    seen: Observation
    ping: float


def read_late(server: Server, path: str) -> Slow:
    """Ask for a stream, read nothing until the server makes no further calls for it, then read all of it."""
    last = server.upstreams.last_call()

    def look() -> tuple[int, float]:
        waiting = _until_standstill(server, last)
        return waiting, first_good(range(TRIES), lambda _: run(server, [PING]).answers[0].seconds, lambda took: took < QUICK)

    seen, (waiting, ping) = read_after(server, Ask(path), look)
    return Slow(waiting, seen, ping)


def read_after(server: Server, ask: Ask, meanwhile: Callable[[], Seen]) -> tuple[Observation, Seen]:
    """Ask for a stream, read nothing of it until something else is done, then read all of it; return what was seen of both."""
    last = server.upstreams.last_call()
    answer = Answer(ask, sent=time.monotonic())
    with asking(server, ask.path, CLOSE + NO_BODY, ask.method) as client:
        done = meanwhile()
        head, _, body = _read_all(client).partition(b"\r\n\r\n")
    answer.received = time.monotonic()
    answer.headers = {"Content-Type": "text/event-stream"} if b"text/event-stream" in head.lower() else {}
    answer.status = int(head.split(b" ")[1]) if head.startswith(b"HTTP/1.1 ") else 0
    answer.body = _without_chunks(body) if b"\r\ntransfer-encoding: chunked" in head.lower() else body
    answer.arrivals = [(answer.received, len(answer.body))]
    return Observation([answer], calls=server.upstreams.calls(last)), done


def read_raw(server: Server, ask: Ask) -> bytes:
    """Ask for something, and return the bytes of the answer as they came in a while, or until the connection was closed."""
    try:
        with asking(server, ask.path, CLOSE + NO_BODY, ask.method) as client:
            return _read_all(client, LONGEST)
    except OSError:  # The server has ended: that is for others to say.
        return b""


@contextlib.contextmanager
def deaf(server: Server, said: str, times: int, last: str = "", standstill: float = STANDSTILL) -> Iterator[None]:
    """Begin a conversation, say something so many times, and read no reply; at the end of the block be gone without a word.

    Args:
        server: The server.
        said: Less than 126 characters, of which none is more than a byte.
        times: How often; less often, where the server reads no further until its replies are read.
        last: Something else to say then, likewise short; not said where the server reads no further.
        standstill: Seconds in which the server takes nothing at all after which it is taken to read no further.

    """
    # Text, whole, under a mask that changes nothing.
    frame, end = (bytes([0x81, 0x80 | len(what)]) + bytes(4) + what.encode() for what in (said, last))
    with asking(server, "/ws", UPGRADE) as client:
        with contextlib.suppress(TimeoutError, ConnectionError):  # It takes no more, or nothing: that is for others to say.
            client.recv(1)  # The conversation has begun.
            client.settimeout(standstill)
            for _ in range(times // AT_ONCE):
                _send_all(client, frame * AT_ONCE)
            _send_all(client, end if last else b"")
        time.sleep(STANDSTILL)  # Closing is then a reset, for there is something unread.
        yield


def _send_all(client: socket.socket, content: bytes) -> None:
    """Send all of it, however long that takes, as long as a piece is taken now and then: `sendall` has one time for all."""
    rest = memoryview(content)
    while rest:
        rest = rest[client.send(rest) :]


@dataclass(frozen=True, slots=True)
class Unread:
    """What was seen when clients read nothing, one of a stream and one in a conversation, and the server was asked to stop.

    Attributes:
        seen: The stream, and all calls.
        begun: Whether what the silent client had asked for last in its conversation was begun, behind all replies it never read.
        beside: A conversation of another client meanwhile.
        request: A request of two seconds that was to be under way when the server was asked to stop.
        under_way: Whether its service had been called by then.
        asked: When the server was asked to stop, in seconds of `time.monotonic`.
        ended: Whether the server ended.

    """

    seen: Observation
    begun: bool
    beside: Observation
    request: Answer
    under_way: bool
    asked: float
    ended: bool

    @property
    def is_right(self) -> bool:
        """Whether another try would show no more."""
        return self.ended and self.request.status == HTTPStatus.OK and not self.begun and not talked(self.beside)


def stop_unread(server: Server, path: str) -> Unread:
    """Ask a server to stop while one client reads nothing of a stream, and another no reply in a conversation.

    It has to be one that is patient with who answers no ping (`PING_SECONDS`), or it may have given that client up by then.
    """
    last = server.upstreams.last_call()
    answer = Answer(Ask(path), sent=time.monotonic())
    with asking(server, path), ThreadPoolExecutor(1) as client:
        _until_standstill(server, last)
        with deaf(server, LONG_REPLY, MANY, json.dumps({"start": LAST_TASK, "seconds": 0}), LONG_STANDSTILL):
            _until_idle(server)  # It has read what the system kept for it, and waits for its reader.
            beside = first_good(range(TRIES), lambda _: run(server, [BESIDE]), lambda seen: not talked(seen))
            before, request = server.upstreams.last_call(), client.submit(send, server.url, [UNDER_WAY])
            under_way, asked = _is_called(server, before), time.monotonic()
            server.ask_to_stop()
            ended = wait_for_end(server).exit_code is not None
    answer.received = time.monotonic()
    calls = server.upstreams.calls(last)
    begun = any(call.task == LAST_TASK for call in calls)
    return Unread(Observation([answer], calls=calls), begun, beside, request.result()[0], under_way, asked, ended)


def _is_called(server: Server, last: int) -> bool:
    """Wait until a service is called for `UNDER_WAY`, a while at the most, and return whether it was."""
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        sent = [call.sent for call in server.upstreams.calls(last) if call.task]
        if any(work["seconds"] == UNDER_WAY.wait for work in sent):
            return True
        time.sleep(0.05)
    return False


def asking(server: Server, path: str, headers: str = CLOSE, method: str = "GET") -> socket.socket:
    """Return a socket on which a request has been sent and nothing read."""
    address = urlsplit(server.url)
    with contextlib.ExitStack() as undo:
        client = undo.enter_context(socket.socket())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        client.settimeout(LONGEST)
        client.connect((address.hostname, address.port))
        client.sendall(f"{method} {path} HTTP/1.1\nHost: x\n{headers}\n".replace("\n", "\r\n").encode())
        undo.pop_all()  # It has been sent, and whoever asked closes the connection.
        return client


def _until_standstill(server: Server, last: int) -> int:
    deadline, count, since = time.monotonic() + LONGEST, 0, time.monotonic()
    while time.monotonic() < min(deadline, since + STANDSTILL) or not count:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
        if (now := len(server.upstreams.calls(last))) != count:
            count, since = now, time.monotonic()
    return count


def _until_idle(server: Server) -> None:
    """Wait until a server uses no processor any more, a little while at the most: on a busy machine it hardly gets one."""
    deadline = time.monotonic() + LONGEST
    with contextlib.suppress(psutil.Error):  # It has ended: that is for others to say.
        process = psutil.Process(server.process.pid)
        worked, before = sum(process.cpu_times()[:2]), -math.inf
        while worked - before > IDLE and time.monotonic() < deadline:
            time.sleep(STANDSTILL)
            worked, before = sum(process.cpu_times()[:2]), worked


def _read_all(client: socket.socket, longest: float = math.inf) -> bytes:
    pieces, deadline = [], time.monotonic() + longest
    with contextlib.suppress(OSError):  # macOS sets nothing on a connection that has been reset.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LARGE)
    with contextlib.suppress(TimeoutError, ConnectionError):
        while time.monotonic() < deadline and (piece := client.recv(LARGE)):
            pieces.append(piece)
    return b"".join(pieces)


def _without_chunks(body: bytes) -> bytes:
    """Return the content of a chunked body, as far as it goes."""
    content, start = [], 0
    while (end := body.find(b"\r\n", start)) > start and (length := int(body[start:end], 16)):
        begin = end + 2
        content.append(body[begin : begin + length])
        start = begin + length + 2
    return b"".join(content)

"""Services that cannot be reached: a way to each that can be shut, so that a connection is refused, or hangs."""

import contextlib
import http.client
import os
import random
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from shared.lab import aftermath
from shared.lab.experiment import Observation, run
from shared.lab.readers import read_after
from shared.lab.rules import broken
from shared.lab.server import Server
from shared.lab.tries import first_good
from shared.lab.upstream import Upstreams
from shared.lab.variants import Variant
from shared.lesson.calls import RETRY_PAUSE
from shared.lesson.command import HOST
from shared.lesson.settings import CHAT_DEADLINE, CONNECT_DEADLINE
from tests.trouble import (
    LATEST,
    SEARCH,
    SERVICES,
    STREAM,
    WITH_ANSWER,
    Case,
    Fault,
    Left,
    about,
    ask_while_full,
    left_over,
    words_of,
)

WAYS = (Fault("refuse", 502), Fault("hang", 502))
ASKS = (WITH_ANSWER, STREAM)
ROUNDS = 4

CONNECTS = 2 * CONNECT_DEADLINE
ANSWERS = 1.5 * CHAT_DEADLINE
MODEL = "gpt-doors"
DEADLINES = {"CONNECT_DEADLINE": f"{CONNECTS:g}", "CHAT_DEADLINE": f"{ANSWERS:g}", "UPSTREAM_DEADLINE": f"{3 * CONNECTS:g}"}
"""The deadlines that the server here is given, in seconds: longer than the defaults, to show that settings are obeyed."""

LONG = about(STREAM, "unread00")
EVENT = 'data: {"choices": [{"delta": {"content": "%s"}}]}\n\n'
LAST = "data: [DONE]\n\n"
MANY_EVENTS, PART = 384, "€" * 5_500
"""Events of a long answer, and what each says: more than is kept anywhere for a reader who reads nothing.

The sign is three bytes long where the model sends it, so most pieces in which such an answer comes end in the middle of one; and
it is six bytes long where JSON is kept to ASCII, as it is for the client.
"""

FULL = (3 * CONNECTS, 4 * CONNECTS, 5 * CONNECTS)
"""Seconds for which all places for calls are taken, in each try: who comes when half of it is over waits for longer than a
connection may take, and not for so long as there is time for an answer."""

REFUSALS, REFUSES, LOOKS = 8, RETRY_PAUSE[0] / 4, 0.002
"""How often to refuse a connection, where no second attempt helped: a busy machine may be late to accept it; for how many
seconds, when a search has come to its first call; and the seconds between two looks whether it has."""

OVERDUE = 1.0
"""Seconds after the model's deadline until that is read: it is over for this answer, too."""

DOORS = ("OPENAI_BASE_URL", "CHROMA_URL", "CHROMA_URL")
"""What the ways lead to: the last is a proxy's, and would be noticed wherever it led to."""

BACKLOG = 128
FILLED = 0.2  # seconds after which a connection that is not there is taken to hang
PATIENCE = 10.0  # seconds

PORTS = range(20_000, 30_000)
"""Ports for doors. Systems give out higher ones by themselves, and one of those could be gone while a door is shut."""


class Gate:
    """Does something when a number of calls to a path have arrived, before any of them is passed on.

    Attributes:
        arrived: The paths of all calls so far.

    """

    def __init__(self) -> None:
        self.arrived: list[str] = []
        self._lock = threading.Lock()
        self._path, self._missing, self._act, self._done = "", 0, _nothing, threading.Event()

    def when(self, path: str, count: int, act: Callable[[], None]) -> None:
        """Do `act` when `count` calls have arrived whose path ends so."""
        with self._lock:  # What is being done is done to its end.
            self._path, self._missing, self._act, self._done = path, count, act, threading.Event()

    def arrive(self, path: str) -> None:
        """Note a call, and let it wait for the others."""
        self.arrived.append(path)
        if not self._path or not path.endswith(self._path):
            return
        with self._lock:
            self._missing -= 1
            if self._missing == 0:
                self._act()
                self._done.set()
        self._done.wait(PATIENCE)


def _nothing() -> None: ...


class Door:
    """A way to a service, on a port of its own, with a new connection for each call; open from the beginning.

    Attributes:
        url: Where it is: the service's own URL, but for the port.
        gate: What happens when certain calls have arrived at it.

    """

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._address = target.hostname or "", target.port or 0
        self._port, self._socket = _any_port()
        self.url = f"http://{HOST}:{self._port}{target.path}"
        self._fillers: list[socket.socket] = []
        self._server: ThreadingHTTPServer | None = None
        self.gate = Gate()
        self.open()

    def open(self) -> None:
        """Let calls through."""
        _close(self._fillers)
        if self._server:
            return  # It was not shut: too few calls came for that.
        server = ThreadingHTTPServer((HOST, self._port), _handler(self._address, self.gate), bind_and_activate=False)
        server.socket.close()
        server.socket = self._socket
        self._socket.listen(BACKLOG)
        threading.Thread(target=server.serve_forever, args=(0.02,), name="door", daemon=True).start()
        self._server = server  # Only now: to shut down one that never served would wait for ever.

    def shut(self, way: str) -> None:
        """Let none through any more: `refuse` connections, or let them `hang`."""
        self.close()
        self._socket = _bound(self._port)  # Bound, so that nobody else gets the port; without listen() it refuses.
        if way == "hang":
            # A socket that accepts nobody, and whose queue is full. Linux and macOS then drop what comes. Windows refuses it, but
            # tries again itself for about two seconds before it says so: a connection hangs there, too, longer than the deadline.
            self._socket.listen(0)
            while _connects(self._port, self._fillers):
                pass

    def close(self) -> None:
        """Shut it for good."""
        _close(self._fillers)
        if self._server:
            self._server.shutdown()
            self._server = None
        # A process that another thread is about to start holds the socket, too, until it begins its program: it does not listen.
        with contextlib.suppress(OSError):  # It did not listen before.
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def _any_port() -> tuple[int, socket.socket]:
    """Return a port that nobody has, and a socket that is bound to it."""
    for port in random.sample(PORTS, len(PORTS)):
        with contextlib.suppress(OSError):
            return port, _bound(port)
    raise OSError(f"None of the ports {PORTS[0]} to {PORTS[-1]} is free.")


def _bound(port: int) -> socket.socket:
    with contextlib.ExitStack() as on_error:
        bound = on_error.enter_context(socket.socket())
        if os.name == "posix":  # On Windows the option would let others take the port.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((HOST, port))
        on_error.pop_all()  # It is bound, and stays open.
        return bound


def _connects(port: int, fillers: list[socket.socket]) -> bool:
    """Say whether one more connection is there at once, and keep it open; one that hangs is given up."""
    client = socket.socket()
    client.settimeout(FILLED)
    try:
        client.connect((HOST, port))
    except OSError:
        client.close()
        return False
    fillers.append(client)
    return True


def _close(fillers: list[socket.socket]) -> None:
    while fillers:
        fillers.pop().close()


def _handler(address: tuple[str, int], gate: Gate) -> type[BaseHTTPRequestHandler]:
    """Return what passes each call on to an address; it closes each connection, as HTTP/1.0 does."""

    class PassOn(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            gate.arrive(self.path)
            # A service that is stopped meanwhile breaks off, as does a caller that has waited for long enough.
            with (
                contextlib.suppress(OSError, http.client.HTTPException),
                contextlib.closing(http.client.HTTPConnection(*address, timeout=3 * PATIENCE)) as connection,
            ):
                connection.request(self.command, self.path, body, dict(self.headers))
                response = connection.getresponse()
                content = response.read()
                self.send_response(response.status)
                self.send_header("Content-Type", response.headers["Content-Type"])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        do_GET = do_POST  # noqa: N815 - the standard library's name

        def log_message(self, *_: object) -> None:  # type: ignore[explicit-override]  # Python 3.11 has no `override`.
            ...

    return PassOn


@dataclass(frozen=True, slots=True)
class Unreached:
    """What was seen when a service could not be reached.

    Attributes:
        cases: The requests that met it, in the order of their answers.
        rounds: They, in one round or more, where a machine seemed to be too busy to tell in time.
        after: The same requests, when the way was open again.

    """

    cases: list[Case]
    rounds: list[Observation] = field(default_factory=list)
    after: list[Observation] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Refused:
    """What was seen of a search whose first connection was refused.

    Attributes:
        seen: All of it.
        tried_again: Whether its service was called so late that it was the second attempt, and none before.
        in_time: Whether connections were accepted again before a second attempt could be made.

    """

    seen: Observation
    tried_again: bool
    in_time: bool

    @property
    def helped(self) -> bool:
        """Whether it was answered in the end, and by a second attempt."""
        return self.tried_again and self.seen.answers[0].status == HTTPStatus.OK


@dataclass(frozen=True, slots=True)
class Doors:
    """What was seen of a server with deadlines of its own.

    Attributes:
        unreached: When the services could not be reached, each in each way.
        left: What was left after that.
        silent: While the model was silent, for each way to ask it.
        unread: An answer of `MANY_EVENTS` events; its reader had read nothing until the model's deadline had long been over.
        crowded: Work that takes all places for calls, and a search that waits for one for longer than a connection may take.
        again: Searches whose first connection was refused, and a second one would not have been, up to the first that shows it.
        proxied: The paths of calls that came to a proxy, which the server's environment named.

    """

    unreached: list[Unreached]
    left: Left
    silent: Observation
    unread: Observation
    crowded: Observation
    again: list[Refused]
    proxied: list[str]


def run_at_doors(variant: Variant) -> Doors:
    """Shut the way to each service, in each way, just before it is asked, and open it again; then let the model be silent."""
    with Upstreams() as upstreams, contextlib.ExitStack() as stack:
        own = upstreams.environment()
        openai, chroma, proxy = (stack.enter_context(contextlib.closing(Door(own[name]))) for name in DOORS)
        settings = {"OPENAI_BASE_URL": openai.url, "CHROMA_URL": chroma.url, "http_proxy": proxy.url, "no_proxy": "", **DEADLINES}
        settings["OPENAI_CHAT_MODEL"] = MODEL
        server = stack.enter_context(Server(variant, upstreams, settings=settings))
        run(server, [SEARCH])
        idle = aftermath.look(server)
        found = [Unreached([Case(ask, service, way) for ask in ASKS]) for way in WAYS for service in SERVICES]
        for one in found:
            while not one.rounds or (len(one.rounds) < ROUNDS and not (_in_time(one) and goes_on(one))):
                _meet(server, one, openai, chroma)
        left = left_over(server, idle)
        again: list[Refused] = []
        while len(again) < REFUSALS and not any(refused.helped for refused in again):
            again.append(_refused_once(server, openai))
        crowded = first_good(FULL, lambda seconds: ask_while_full(server, seconds, seconds / 2), waited_for_a_place)
        server.upstreams.misbehave("chat", "answer", marker=words_of(LONG), body=EVENT % PART * MANY_EVENTS + LAST)
        # Beside each other, for both only wait; again, where a machine was too busy for what comes before the stream.
        unread, silent = first_good(range(ROUNDS), lambda _: read_after(server, LONG, lambda: _silence(server)), _began)
        return Doors(found, left, silent, unread, crowded, again, proxy.gate.arrived)


def _refused_once(server: Server, openai: Door) -> Refused:
    """Search while the first service refuses connections, and let it accept them before it is to be asked a second time."""
    openai.shut("refuse")
    printed = len(server.printed())
    with ThreadPoolExecutor(1) as client:
        sent = client.submit(run, server, [SEARCH])
        before = time.monotonic()
        while not sent.done() and b"Starting" not in server.printed(printed):
            before = time.monotonic()
            time.sleep(LOOKS)
        began = time.monotonic()
        time.sleep(REFUSES)
        openai.open()
        opened, seen = time.monotonic(), sent.result()
    called = [call.start for call in seen.calls if call.service == "embeddings"]
    tried_again = bool(called) and called[0] - began > RETRY_PAUSE[0] - 2 * LOOKS
    return Refused(seen, tried_again, opened - before < RETRY_PAUSE[0])


def waited_for_a_place(seen: Observation) -> bool:
    """Return whether the search of `ask_while_full` waited for a place for longer than a connection may take, and got one."""
    answer, searched = seen.answers[0], [call for call in seen.calls if call.service == "embeddings"]
    return answer.status == HTTPStatus.OK and bool(searched) and searched[0].start - answer.sent > CONNECTS


def _began(seen: tuple[Observation, Observation]) -> bool:
    """Say whether the stream began that was read late."""
    return seen[0].answers[0].status == HTTPStatus.OK


def _silence(server: Server) -> Observation:
    """Ask while the model is silent; again, where it was not even asked: a machine may be too busy for that."""

    def once(_: int) -> Observation:
        server.upstreams.misbehave("chat", "silence", count=len(ASKS))
        return run(server, ASKS)

    def asked(seen: Observation) -> bool:
        return sum(call.service == "chat" and not call.mentions(words_of(LONG)) for call in seen.calls) == len(ASKS)

    silent = first_good(range(ROUNDS), once, asked)
    time.sleep(OVERDUE)
    return silent


def _meet(server: Server, one: Unreached, openai: Door, chroma: Door) -> None:
    case = one.cases[0]
    shut, before = {"embeddings": (openai, None), "query": (chroma, openai), "chat": (openai, chroma)}[case.service]
    if before is None:
        shut.shut(case.fault.kind)
    else:  # All that is asked before it arrives there; then the way is shut, and only then is any of that answered.
        before.gate.when(_LAST[case.service], len(one.cases), lambda: shut.shut(case.fault.kind))
    one.rounds.append(run(server, [each.ask for each in one.cases]))
    if before:
        before.gate.when("", 0, _nothing)
    shut.open()
    one.after.append(run(server, [each.ask for each in one.cases]))


_LAST = {"query": "/embeddings", "chat": "/query"}
"""What is called before each service."""


def _in_time(one: Unreached) -> bool:
    return all(given_up(one, place)[1] <= LATEST * CONNECTS for place, _ in enumerate(one.cases))


def goes_on(one: Unreached) -> bool:
    """Whether the same requests succeeded when the way was open again, in one of the rounds."""
    return any(not broken(seen) for seen in one.after)


def given_up(one: Unreached, place: int) -> tuple[float, float]:
    """Return after how many seconds a client was told that the service cannot be reached: at the most, and at the least.

    They are those of the best round, counted from when the service before it had answered the first request, or the last: nobody
    sees when a connection is asked for.
    """
    took = [[seen.answers[place].received - moment for moment in _asked(seen, one.cases[place].service)] for seen in one.rounds]
    return min(map(max, took)), min(map(min, took))


def _asked(seen: Observation, service: str) -> list[float]:
    before = SERVICES[SERVICES.index(service) - 1] if service in _LAST else ""
    return [call.end for call in seen.calls if call.service == before and call.end] or [seen.began]

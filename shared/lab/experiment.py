"""An experiment: what to send to a server, and what was seen from outside while it answered.

The client runs in this process and the server in another, so that a blocked server cannot freeze the clock it is timed with.
"""

import asyncio
import contextlib
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
from yarl import URL

from shared.lab.server import Server
from shared.lab.talk import Say, Step, Talk, hold
from shared.lab.upstream import Call
from shared.lesson.contract import Endpoint, endpoint

PAUSE = 0.02
"""Seconds between two looks at a server that is watched: an answered ping and the next one, the console, where threads stand."""

HANG = 15.0
"""Seconds after which a request counts as hanging, where its experiment does not say that some may have to wait for others."""

HUNG = "no answer within"
"""How the error of such a request begins."""

MANY_LOOKS = 20
"""Looks at a server's threads that are enough to say where they stand: more than half a second."""

UNFORESEEN = 500
LOGGED = 0.3
"""Seconds after which a server has logged an error that it has answered already."""

_ENTRY = re.compile(r'([\w-]+);dur=([\d.]+);desc="start=([\d.]+)"')


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; `path` goes out as it stands, with its query.

    Where another status than success is right, what the answer has to be is for the experiment's own check to say.
    """

    path: str
    method: str = "GET"
    after: float = 0.0  # seconds after the experiment's begin
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    says: tuple[Step, ...] = ()  # what the client does in the conversation that this begins

    @property
    def endpoint(self) -> Endpoint:
        """The row of the contract that it asks for."""
        return endpoint(self.path)

    @property
    def known(self) -> Endpoint | None:
        """The same; None when the contract has no such path."""
        try:
            return self.endpoint
        except LookupError:
            return None

    @property
    def wait(self) -> float:
        """How long it asks each task to wait, in seconds, in a conversation the longest; 0 where it cannot ask."""
        if self.says:
            return max((step.seconds for step in self.says if isinstance(step, Say)), default=0.0)
        given = parse_qs(urlsplit(self.path).query).get("seconds")
        return float(given[0]) if given else self.endpoint.seconds or 0.0

    @property
    def tasks(self) -> tuple[str, ...]:
        """What it waits for, by the names in `Server-Timing`."""
        wants_answer = parse_qs(urlsplit(self.path).query).get("answer") == ["true"]
        return self.endpoint.tasks + (self.endpoint.with_answer if wants_answer else ())

    @property
    def due(self) -> float:
        """The least time that the answer takes, in seconds."""
        return self.wait * self.endpoint.waits


@dataclass(frozen=True, slots=True)
class Operation:
    """What the server says of one operation in `Server-Timing`, in seconds since the request arrived."""

    name: str
    start: float
    end: float


@dataclass(slots=True)
class Answer:
    """What came back for one request; times are seconds of `time.monotonic`."""

    ask: Ask
    sent: float
    received: float = 0.0
    status: int = 0  # 0: none came
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    error: str = ""
    arrivals: list[tuple[float, int]] = field(default_factory=list)  # when how many bytes of the body were there
    talk: Talk = field(default_factory=Talk)  # where it was a conversation

    @property
    def seconds(self) -> float:
        """How long the answer took."""
        return self.received - self.sent

    @property
    def hung(self) -> bool:
        """Whether there was none, or not its end, as long as one was waited for; it was not broken off either."""
        return self.error.startswith(HUNG)

    @property
    def operations(self) -> list[Operation]:
        """The `Server-Timing` entries, in the order of their starts."""
        found = _ENTRY.findall(self.headers.get("Server-Timing", ""))
        entries = [Operation(name, float(start) / 1000, (float(start) + float(dur)) / 1000) for name, dur, start in found]
        return sorted(entries, key=lambda operation: operation.start)


@dataclass(frozen=True, slots=True)
class Line:
    """A line on the server's console.

    Attributes:
        text: What it says.
        read: When it was first seen there, in seconds of `time.monotonic`; None where nobody read along.

    """

    text: str
    read: float | None = None

    @property
    def seen(self) -> float:
        """When it was first seen there, in seconds of `time.monotonic`.

        Raises:
            ValueError: Nobody read along, so nobody knows.

        """
        if self.read is None:
            raise ValueError("The time of a line is known where `run` was told to watch or to read along.")
        return self.read


@dataclass(slots=True)
class Observation:
    """What was seen during one experiment.

    Attributes:
        answers: What came back, in the order of the requests.
        pings: The answers to the `/ping`s that were sent all the while.
        calls: What the upstreams were asked meanwhile.
        console: The lines that the server printed; where somebody read along, with the time at which each was seen.
        on_loop: Places of the variant where its event loop's thread was seen standing; a free loop stands nowhere for long.
        in_threads: Places of the variant where other threads were seen standing.
        looks: How often was looked where its threads stood.
        stuck: Where tasks and threads stood when a request had no answer.
        process_stood_still: Whether no thread of its process ran then, so that nobody could say where they stood.
        process_ended: How its process had ended by then, in words; empty where it had not.
        lab_late: The longest that this process itself was late meanwhile, in seconds: it, or the machine, had too much to do.
        starved: For how many seconds the server, and its services, had to wait for a processor in all, as far as one can know.

    """

    answers: list[Answer]
    pings: list[Answer] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    console: list[Line] = field(default_factory=list)
    on_loop: list[str] = field(default_factory=list)
    in_threads: list[str] = field(default_factory=list)
    looks: int = 0
    stuck: str = ""
    process_stood_still: bool = False
    process_ended: str = ""
    lab_late: float = 0.0
    starved: float = 0.0

    @property
    def began(self) -> float:
        """When the first request was sent."""
        return min(answer.sent for answer in self.answers)

    @property
    def ended(self) -> float:
        """When the last answer had come."""
        return max(answer.received for answer in self.answers)

    @property
    def seconds(self) -> float:
        """From the first request sent to the last answer received."""
        return self.ended - self.began

    @property
    def slowest_ping(self) -> float:
        """The longest that a `/ping` had to wait meanwhile, in seconds; 0 when none was sent."""
        return max((ping.seconds for ping in self.pings), default=0.0)

    @property
    def stood_still(self) -> bool:
        """Whether the event loop's thread stood in one place nearly all the while: a busy machine is met in many places."""
        most = max(Counter(self.on_loop).values(), default=0)
        return most >= max(MANY_LOOKS, 0.8 * self.looks)

    @property
    def printed(self) -> list[str]:
        """The lines that the server printed."""
        return [line.text for line in self.console]


def run(  # noqa: PLR0913 - most say no more than the first two
    server: Server,
    asks: Sequence[Ask],
    *,
    in_turn: bool = False,
    watch: bool = False,
    read_along: bool = False,
    linger: float = 0.0,
    patience: float = HANG,
) -> Observation:
    """Send requests, each on a connection of its own unless they are sent in turn, and return what was seen.

    Args:
        server: Where to send them.
        asks: What to send.
        in_turn: Whether to send each when the one before is answered, over one connection that is kept, and not all at once; a
            conversation has a connection of its own.
        watch: Whether to send `/ping`s all the while, to look where the server's threads stand, and to read along.
        read_along: Whether to read the console all the while, so that it is known when each line was there.
        linger: How long to wait for more lines, and more calls, after the last answer, in seconds.
        patience: After how many seconds a request without an answer counts as hanging.

    """
    last_call, starved = server.upstreams.last_call(), server.starved
    watched = _Watch(server).experiment(
        asks, in_turn=in_turn, watch=watch, read_along=read_along, linger=linger, patience=patience
    )
    seen = asyncio.run(watched)
    seen.starved = max(0.0, server.starved - starved)  # Of a process that has ended nothing is known.
    if any(answer.status == 0 for answer in seen.answers):
        if not server.ended:  # A fork of one that has ended would keep the lab waiting.
            inside = server.look_inside()
            stacks = [*inside["tasks"].values(), *inside["threads"].values()]
            seen.stuck = "\n".join(dict.fromkeys(filter(None, (_innermost(stack, server.variant.place) for stack in stacks))))
        seen.process_ended = server.ended
        seen.process_stood_still = server.stands_still and not seen.process_ended
    seen.calls = server.upstreams.calls(last_call)
    return seen


def _innermost(stack: Sequence[str], variant: str) -> str:
    """Return the innermost place of a stack that is in a variant's folder; empty when there is none."""
    for place in reversed(stack):
        path = Path(place).as_posix()
        if f"/{variant}/" in path:
            return f"{variant}/{path.rpartition(f'/{variant}/')[2]}"
    return ""


def send(url: str, asks: Sequence[Ask]) -> list[Answer]:
    """Send requests to any server, and return the answers to them; nothing else is watched."""

    async def send_all() -> list[Answer]:
        async with _client(HANG) as client:
            return await asyncio.gather(*(_send(client, url, ask) for ask in asks))

    return asyncio.run(send_all())


class _Watch:
    """Looks at a server from several sides while requests are under way."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._position = len(server.printed())
        self._rest = b""
        self._seen = Observation([])

    async def experiment(
        self, asks: Sequence[Ask], *, in_turn: bool, watch: bool, read_along: bool, linger: float, patience: float
    ) -> Observation:
        """Send the requests, look meanwhile, and return what was seen."""
        async with _client(patience) as client:
            done = asyncio.Event()
            watchers = [asyncio.create_task(self._notice_lateness(done))]
            if watch or read_along:
                watchers += [asyncio.create_task(self._read_along(done))]
            if watch:
                watchers += [asyncio.create_task(self._ping(client, done)), asyncio.create_task(self._look(done))]
            url = self._server.url
            if in_turn:
                self._seen.answers = [await _send(client, url, ask) for ask in asks]
            else:
                self._seen.answers = await asyncio.gather(*(_send(client, url, ask) for ask in asks))
            failed = any(answer.status == UNFORESEEN for answer in self._seen.answers)
            await asyncio.sleep(max(linger, LOGGED) if failed else linger)
            done.set()
            # The last ping may have waited as long as the requests did: that is what it is there to see.
            await asyncio.gather(*watchers)
        self._read_lines(None)
        return self._seen

    async def _ping(self, client: aiohttp.ClientSession, done: asyncio.Event) -> None:
        while not done.is_set():
            self._seen.pings.append(await _send(client, self._server.url, Ask("/ping")))
            await _pause(done)

    async def _look(self, done: asyncio.Event) -> None:
        while not done.is_set():
            await _pause(done, 1.5 * PAUSE)  # First, so that the requests have arrived.
            found = await asyncio.to_thread(self._server.whereabouts)
            self._seen.looks += 1
            self._seen.on_loop += found["loop"]
            self._seen.in_threads += found["threads"]

    async def _notice_lateness(self, done: asyncio.Event) -> None:
        while not done.is_set():
            began = time.monotonic()
            await _pause(done)
            self._seen.lab_late = max(self._seen.lab_late, time.monotonic() - began - PAUSE)

    async def _read_along(self, done: asyncio.Event) -> None:
        while not done.is_set():
            self._read_lines(time.monotonic())
            await _pause(done)
        self._read_lines(time.monotonic())

    def _read_lines(self, now: float | None) -> None:
        new = self._server.printed(self._position)
        self._position += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        self._seen.console += [Line(line.decode(errors="replace").rstrip("\r"), now) for line in lines]


async def _pause(done: asyncio.Event, seconds: float = PAUSE) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await done.wait()


def _client(longest: float) -> aiohttp.ClientSession:
    """Return what sends. A GET whose connection is lost before its answer, it sends once more by itself, as clients may."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=longest))


async def _send(client: aiohttp.ClientSession, url: str, ask: Ask) -> Answer:
    await asyncio.sleep(ask.after)
    answer = Answer(ask, sent=time.monotonic())
    if ask.says:
        answer.talk = await hold(client, url + ask.path, ask.says, ask.headers)
        answer.status, answer.error, answer.received = answer.talk.status, answer.talk.error, time.monotonic()
        return answer
    try:
        target = URL(url + ask.path, encoded=True)
        async with client.request(ask.method, target, headers=ask.headers, allow_redirects=False) as response:
            answer.status, answer.headers = response.status, response.headers
            async for piece in response.content.iter_any():
                answer.body += piece
                answer.arrivals.append((time.monotonic(), len(answer.body)))
    except TimeoutError:
        answer.error = f"{HUNG} {client.timeout.total:g} s"
    except aiohttp.ClientError as error:
        answer.error = f"{type(error).__name__}: {error}"
    answer.received = time.monotonic()
    return answer

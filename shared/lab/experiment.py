"""An experiment: what to send to a server, and what was seen from outside while it answered.

The client runs in this process and the server in another, so that a blocked server cannot freeze the clock it is timed with.
"""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from shared.lab.server import Server
from shared.lab.upstream import Call

PAUSE = 0.01
"""Seconds between an answered ping and the next one."""

HANG = 20.0
"""Seconds after which an experiment counts as hanging: no endpoint may wait more than 10."""

_ENTRY = re.compile(r'([\w-]+);dur=([\d.]+);desc="start=([\d.]+)"')


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; `path` goes out as it stands, with its query."""

    path: str
    method: str = "GET"
    after: float = 0.0  # seconds after the experiment's begin


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

    @property
    def seconds(self) -> float:
        """How long the answer took."""
        return self.received - self.sent

    @property
    def operations(self) -> list[Operation]:
        """The `Server-Timing` entries, as they stand in the header."""
        found = _ENTRY.findall(self.headers.get("Server-Timing", ""))
        return [Operation(name, float(start) / 1000, (float(start) + float(dur)) / 1000) for name, dur, start in found]


@dataclass(slots=True)
class Observation:
    """What was seen during one experiment."""

    answers: list[Answer]
    pings: list[Answer]
    calls: list[Call]
    printed: str
    stuck: str = ""

    @property
    def began(self) -> float:
        """When the first request was sent."""
        return min(answer.sent for answer in self.answers)

    @property
    def seconds(self) -> float:
        """From the first request sent to the last answer received."""
        return max(answer.received for answer in self.answers) - self.began

    @property
    def slowest_ping(self) -> float:
        """The longest that a `/ping` had to wait meanwhile, in seconds; 0 when none was sent."""
        return max((ping.seconds for ping in self.pings), default=0.0)


def run(server: Server, asks: Sequence[Ask], *, ping: bool = False) -> Observation:
    """Send requests, each on a connection of its own, and return what was seen; with `ping`, ask `/ping` all the while."""
    last_call, printed = server.upstreams.last_call(), len(server.log())
    answers, pings = send(server.url, asks, ping=ping)
    stuck = ""
    if any("no answer" in answer.error for answer in answers):
        inside = server.look_inside()
        places = [place for stack in [*inside["tasks"], *inside["threads"].values()] for place in stack if "variants" in place]
        stuck = "\n".join(dict.fromkeys(places))
    return Observation(answers, pings, server.upstreams.calls(last_call), server.log(printed), stuck)


def send(url: str, asks: Sequence[Ask], *, ping: bool = False) -> tuple[list[Answer], list[Answer]]:
    """Send requests to any server, without a witness, and return the answers to them and to the pings."""
    return asyncio.run(_send_all(url, asks, ping=ping))


async def _send_all(url: str, asks: Sequence[Ask], *, ping: bool) -> tuple[list[Answer], list[Answer]]:
    pings: list[Answer] = []
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=HANG)) as client:
        done = asyncio.Event()
        pinging = asyncio.create_task(_keep_pinging(client, url, pings, done)) if ping else None
        answers = await asyncio.gather(*(_send(client, url, ask) for ask in asks))
        done.set()
        if pinging:  # Its last ping may have waited as long as they did: that is what it is there to see.
            await pinging
    return answers, pings


async def _keep_pinging(client: aiohttp.ClientSession, url: str, pings: list[Answer], done: asyncio.Event) -> None:
    while not done.is_set():
        pings.append(await _send(client, url, Ask("/ping")))
        await asyncio.sleep(PAUSE)


async def _send(client: aiohttp.ClientSession, url: str, ask: Ask) -> Answer:
    await asyncio.sleep(ask.after)
    answer = Answer(ask, sent=time.monotonic())
    try:
        target = URL(url + ask.path, encoded=True)
        async with client.request(ask.method, target, allow_redirects=False) as response:
            answer.status, answer.headers, answer.body = response.status, response.headers, await response.read()
    except TimeoutError:
        answer.error = f"no answer within {HANG:g} s"
    except aiohttp.ClientError as error:
        answer.error = f"{type(error).__name__}: {error}"
    answer.received = time.monotonic()
    return answer

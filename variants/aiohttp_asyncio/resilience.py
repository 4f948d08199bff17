"""How services are called so that neither side suffers: limits, deadlines, and a second attempt where that is safe.

Different here: the connector's limit, as it is, does not hold for kept connections; an answer is read from its `content`.
Pick it when: aiohttp is your client. Its `ClientTimeout(total=…)` bounds a whole call, but not two attempts: asyncio does.
Watch for: it follows redirects unless told not to, and `TimeoutError` is the class of some of its own errors, too.
`sock_connect` starts anew for each address of a host, and does not cover the look-up of its name.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from http import HTTPStatus
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from shared.lesson import upstreams
from shared.lesson.problems import UpstreamBroke, UpstreamTimedOut, UpstreamUnreachable
from shared.lesson.settings import Settings

NO_ANSWER = (
    *(aiohttp.ClientOSError, aiohttp.ClientConnectionResetError),
    *(aiohttp.ServerDisconnectedError, aiohttp.ClientResponseError),
)
"""After these there may be a second attempt; not after a connection that took too long, which would take as long again."""


class Protocol(ResponseHandler):
    """A connection whose reader is told when what comes is not HTTP: aiohttp 3.14 closes it then, and lets the reader wait."""

    # There is no public way. Without it a piece without a readable length is a 504, and not the 502 that it should be.
    def data_received(self, data: bytes) -> None:  # type: ignore[explicit-override]  # Python 3.11 has no `override`.
        """Take what has come, and tell the reader of an answer that cannot be read on."""
        reader = self._payload
        super().data_received(data)
        if reader and self.exception() and not (reader.is_eof() or reader.exception()):
            reader.set_exception(aiohttp.ClientPayloadError("The answer breaks off in what is not HTTP."))


class Connector(aiohttp.TCPConnector):
    """A pool whose limit holds for kept connections as well: aiohttp takes one of those before it looks at its limit."""

    def __init__(self, *, limit: int, keepalive_timeout: float) -> None:
        super().__init__(limit=limit, keepalive_timeout=keepalive_timeout)
        protocol: type[ResponseHandler] = Protocol
        self._factory = partial(protocol, loop=self._loop)

    # There is no public way. Without it the suite counts 150 calls at a limit of 100. Python 3.11 has no `override`.
    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> Connection | None:  # type: ignore[explicit-override]
        return await super()._get(key, traces) if self._available_connections(key) > 0 else None


@asynccontextmanager
async def open_client(settings: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    """Open the one client of the server."""
    # What is compressed has to be collected before it can be read, and may grow without bounds while it is.
    # One client serves all users, so it keeps no cookie: what a service sets for one must not go along with another's search.
    connector = Connector(limit=upstreams.MAX_CALLS, keepalive_timeout=upstreams.MAX_IDLE)
    no_cookies = aiohttp.DummyCookieJar()
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=settings.deadlines.connect)
    plain = {"Accept-Encoding": "identity"}
    async with aiohttp.ClientSession(
        timeout=timeout, connector=connector, headers=plain, auto_decompress=False, cookie_jar=no_cookies
    ) as client:
        yield client


@contextmanager
def in_our_words(call: upstreams.Call) -> Iterator[None]:
    """Turn the client's errors into the project's: a service is late, cannot be reached in time, or broke off."""
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise UpstreamUnreachable(call.service) from error
    except TimeoutError:
        raise UpstreamTimedOut(call.service, call.deadline) from None
    except aiohttp.ClientError as error:
        raise UpstreamBroke(call.service) from error


async def begin(client: aiohttp.ClientSession, call: upstreams.Call) -> aiohttp.ClientResponse:
    """Send a request, again after a pause where that is safe, and return its answer when its head has come."""
    send = partial(client.post, call.url, json=call.body, headers=call.headers, allow_redirects=False)
    for _ in range(call.attempts - 1):
        with suppress(*NO_ANSWER):
            response = await send()
            if response.status != HTTPStatus.SERVICE_UNAVAILABLE:
                return response
            response.close()
        await asyncio.sleep(upstreams.retry_pause())
    return await send()


async def call_upstream(client: aiohttp.ClientSession, call: upstreams.Call) -> Any:  # noqa: ANN401 - JSON is any
    """Send one request and return the JSON it is answered with, or say in the project's words why there is none."""
    content = upstreams.Content(call.service)
    with in_our_words(call):
        async with asyncio.timeout(call.deadline), await begin(client, call) as response:
            async for piece in response.content.iter_any():
                content.add(piece)
    return upstreams.read_answer(call, response.status, response.headers, content.received)


async def stream_upstream(client: aiohttp.ClientSession, call: upstreams.Call) -> AsyncGenerator[bytes]:
    """Send one request and yield its answer as it comes; the deadline is for all waits for the service together."""
    now, left = asyncio.get_running_loop().time, call.deadline
    with in_our_words(call):
        began = now()
        async with asyncio.timeout(left):
            response = await begin(client, call)
        left -= now() - began
        async with response:
            upstreams.check_status(call, response.status, response.headers)
            while True:
                # Around each wait and not around the loop: at a yield, whoever reads this waits, and that is not the service.
                began = now()
                async with asyncio.timeout(left):
                    piece = await response.content.readany()
                left -= now() - began
                if not piece:
                    return
                yield piece

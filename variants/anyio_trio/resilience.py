"""How services are called so that neither side suffers: limits, deadlines, and a second attempt where that is safe.

Different here: httpx2 as on Starlette, with anyio's deadlines: they work on trio and on asyncio.
Pick it when: the same code has to run on both loops. A pool is not all: anyio's `CapacityLimiter` bounds any other work.
Watch for: `asyncio.timeout` and `asyncio.sleep` do not work on trio; a deadline around a `yield` works on neither. A call
may be cancelled at any `await`, which httpx2 does not foresee everywhere: see `_close_if_cancelled`.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import anyio
import httpx2
from anyio.lowlevel import checkpoint

from shared.lesson import upstreams
from shared.lesson.problems import UpstreamBroke, UpstreamTimedOut, UpstreamUnreachable
from shared.lesson.settings import Settings

NO_ANSWER = (httpx2.NetworkError, httpx2.ProtocolError)
"""After these there may be a second attempt; not after a connection that took too long, which would take as long again."""


@asynccontextmanager
async def open_client(settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """Open the one client of the server."""
    # Each call has a connection to itself, so the pool's limit is the limit for calls. Proxies are for the world outside.
    # What is compressed has to be collected before it can be read, and may grow without bounds while it is.
    # One client serves all users, so it keeps no cookie: what a service sets for one must not go along with another's search.
    limits = httpx2.Limits(max_connections=upstreams.MAX_CALLS, keepalive_expiry=upstreams.MAX_IDLE)
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    timeout = httpx2.Timeout(None, connect=settings.deadlines.connect)
    plain = {"Accept-Encoding": "identity"}
    async with httpx2.AsyncClient(timeout=timeout, limits=limits, headers=plain, trust_env=False, cookies=no_cookies) as client:
        client.event_hooks = {"request": [_watch_connecting]}
        yield client


@contextmanager
def in_our_words(call: upstreams.Call) -> Iterator[None]:
    """Turn the client's errors into the project's: a service is late, cannot be reached in time, or broke off."""
    try:
        yield
    except TimeoutError:
        raise UpstreamTimedOut(call.service, call.deadline) from None
    except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
        raise UpstreamUnreachable(call.service) from error
    except httpx2.HTTPError as error:
        raise UpstreamBroke(call.service) from error


async def _watch_connecting(request: httpx2.Request) -> None:
    """Have httpx2 tell what becomes of a request's connection: https://www.python-httpx.org/advanced/extensions/#trace."""
    request.extensions["trace"] = _close_if_cancelled


async def _close_if_cancelled(event: str, details: dict[str, Any]) -> None:
    """Close a connection that was made for a call cancelled by now: httpx2 would keep it in the pool, unused, for good."""
    if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
        try:
            await checkpoint()
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await details["return_value"].aclose()
            raise


async def begin(client: httpx2.AsyncClient, call: upstreams.Call) -> httpx2.Response:
    """Send a request, again after a pause where that is safe, and return its answer when its head has come."""
    request = client.build_request("POST", call.url, json=call.body, headers=call.headers)
    for _ in range(call.attempts - 1):
        with suppress(*NO_ANSWER):
            response = await client.send(request, stream=True)
            if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                return response
            await response.aclose()
        await anyio.sleep(upstreams.retry_pause())
    return await client.send(request, stream=True)


@asynccontextmanager
async def _pieces_of(response: httpx2.Response) -> AsyncIterator[AsyncIterator[bytes]]:
    """Give the pieces of an answer, and close it, whether it was read to its end or not."""
    async with aclosing(response):
        pieces = response.aiter_raw()
        try:
            yield pieces
        finally:
            # httpx2 leaves a generator of its own to be collected when its reading stops half-way, and trio complains of that.
            # One that is cancelled while it waits for more ends at once.
            with anyio.CancelScope() as scope:
                scope.cancel()
                async for _ in pieces:
                    pass


async def call_upstream(client: httpx2.AsyncClient, call: upstreams.Call) -> Any:  # noqa: ANN401 - JSON is any
    """Send one request and return the JSON it is answered with, or say in the project's words why there is none."""
    content = upstreams.Content(call.service)
    with in_our_words(call):
        with anyio.fail_after(call.deadline):
            response = await begin(client, call)
            async with _pieces_of(response) as pieces:
                async for piece in pieces:
                    content.add(piece)
    return upstreams.read_answer(call, response.status_code, response.headers, content.received)


async def stream_upstream(client: httpx2.AsyncClient, call: upstreams.Call) -> AsyncGenerator[bytes]:
    """Send one request and yield its answer as it comes; the deadline is for all waits for the service together."""
    now, left = anyio.current_time, call.deadline
    with in_our_words(call):
        began = now()
        with anyio.fail_after(left):
            response = await begin(client, call)
        left -= now() - began
        async with _pieces_of(response) as pieces:
            upstreams.check_status(call, response.status_code, response.headers)
            while True:
                # Around each wait and not around the loop: at a yield, whoever reads this waits, and that is not the service.
                began = now()
                with anyio.fail_after(left):
                    piece = await anext(pieces, None)
                left -= now() - began
                if piece is None:
                    return
                yield piece

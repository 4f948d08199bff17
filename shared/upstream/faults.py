"""Misbehaviour on request, so that a test can see what a variant makes of it."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

SILENCE_SECONDS = 60.0
"""How long a silent upstream keeps quiet: longer than any deadline."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What to do with one call.

    Attributes:
        kind: One of `KINDS`.
        status: The status of an `answer`.
        body: The body of an `answer`, as it is sent.
        headers: Headers of an `answer`.

    """

    kind: str
    status: int = 200
    body: str = "{}"
    headers: tuple[tuple[str, str], ...] = ()


class Faults:
    """Faults that wait for a call, in the order in which they were planned."""

    def __init__(self) -> None:
        self._planned: dict[str, deque[Fault]] = defaultdict(deque)

    def plan(self, service: str, fault: Fault, count: int) -> None:
        """Meet the next `count` calls of a service with a fault."""
        self._planned[service].extend([fault] * count)

    def take(self, service: str) -> Fault | None:
        """Return the fault for the call that just arrived, if one is planned."""
        planned = self._planned[service]
        return planned.popleft() if planned else None

    def clear(self) -> None:
        """Forget all that is planned."""
        self._planned.clear()


FAULTS = web.AppKey("FAULTS", Faults)


async def misbehave(request: web.Request, fault: Fault) -> web.StreamResponse:
    """Do what a fault asks for instead of answering."""
    return await KINDS[fault.kind](request, fault)


async def _answer(_: web.Request, fault: Fault) -> web.StreamResponse:
    return web.Response(status=fault.status, text=fault.body, headers=dict(fault.headers), content_type="application/json")


async def _silence(_: web.Request, fault: Fault) -> web.StreamResponse:
    await asyncio.sleep(SILENCE_SECONDS)
    return web.Response(status=fault.status)


async def _drop(request: web.Request, _: Fault) -> web.StreamResponse:
    if request.transport:
        request.transport.abort()
    return web.Response()


async def _half(request: web.Request, fault: Fault) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"data": [')
    return await _drop(request, fault)


async def _drip(request: web.Request, fault: Fault) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for _ in range(int(SILENCE_SECONDS * 10)):
        await response.write(b" ")
        await asyncio.sleep(0.1)
    return await _drop(request, fault)


KINDS: dict[str, Callable[[web.Request, Any], Awaitable[web.StreamResponse]]] = {
    "answer": _answer,
    "silence": _silence,
    "drop": _drop,
    "half": _half,
    "drip": _drip,
}
"""`answer` with a given status and body, `silence`, `drop` the connection, break off `half`-way, `drip` a byte at a time."""

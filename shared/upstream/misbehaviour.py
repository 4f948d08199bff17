"""What a fault does to a call instead of answering it."""

import asyncio
import socket
import struct
import sys
from collections.abc import Awaitable, Callable

from aiohttp import web

from shared.upstream.faults import Fault

SILENCE_SECONDS = 60.0
"""How long a silent upstream keeps quiet: longer than any deadline."""

PIECE = b"x" * 2**16
"""What a huge body is made of, so that it is never in memory as a whole."""


async def misbehave(request: web.Request, fault: Fault) -> web.StreamResponse | None:
    """Do what a fault asks for, and return the answer; None where the usual one shall follow."""
    return await _KINDS[fault.kind](request, fault)


def drop(request: web.Request, sent: web.StreamResponse) -> web.StreamResponse:
    """Close a call's connection at once, and return what was `sent` of an answer, perhaps nothing."""
    if request.transport:
        request.transport.abort()
    return sent


async def _answer(_: web.Request, fault: Fault) -> web.StreamResponse:
    await asyncio.sleep(fault.late)
    body = fault.body.encode(errors="surrogateescape")  # So that bytes can be asked for that are no text.
    return web.Response(status=fault.status, body=body, headers=dict(fault.headers), content_type="application/json")


async def _silence(_: web.Request, fault: Fault) -> web.StreamResponse:
    await asyncio.sleep(SILENCE_SECONDS)
    return web.Response(status=fault.status)


async def _slow(_: web.Request, fault: Fault) -> None:
    await asyncio.sleep(fault.seconds)


async def _drop(request: web.Request, _: Fault) -> web.StreamResponse:
    return drop(request, web.Response())


async def _reset(request: web.Request, _: Fault) -> web.StreamResponse:
    # A socket that may not linger at its end sends a reset instead of an orderly end; what it is told is a C structure.
    structure = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
    if request.transport:
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, structure)
    return drop(request, web.Response())


async def _half(request: web.Request, _: Fault) -> web.StreamResponse:
    response = await _begin(request, {"Content-Length": "1000"})
    await response.write(b'{"data": [')
    return drop(request, response)


async def _huge(request: web.Request, fault: Fault) -> web.StreamResponse:
    response = await _begin(request, {}, fault.status)
    await response.write(b'{"data": "')
    for _piece in range(fault.size // len(PIECE)):
        await response.write(PIECE)  # Waits while the caller does not read.
    await response.write(PIECE[: fault.size % len(PIECE)] + b'"}')
    return response


async def _drip(request: web.Request, fault: Fault) -> web.StreamResponse:
    await asyncio.sleep(fault.late)
    response = await _begin(request, {})
    for _beat in range(int(SILENCE_SECONDS * 10)):
        await response.write(b" ")
        await asyncio.sleep(0.1)
    return drop(request, response)


async def _begin(request: web.Request, headers: dict[str, str], status: int = 200) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers={"Content-Type": "application/json", **headers})
    await response.prepare(request)
    return response


_KINDS: dict[str, Callable[[web.Request, Fault], Awaitable[web.StreamResponse | None]]] = {
    "answer": _answer,
    "silence": _silence,
    "slow": _slow,
    "drop": _drop,
    "reset": _reset,
    "half": _half,
    "huge": _huge,
    "drip": _drip,
}

"""What comes before every answer: the call's JSON is read, the call is recorded, and it may meet a fault."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from shared.upstream.faults import FAULT, FAULTS, STREAMED
from shared.upstream.misbehaviour import drop, misbehave
from shared.upstream.texts import TEXTS
from shared.upstream.witness import SeenCall, Witness

WITNESS = web.AppKey("WITNESS", Witness)

Answer = Callable[[web.Request, Any, SeenCall], Awaitable[web.StreamResponse]]


async def read_json(request: web.Request) -> Any:  # noqa: ANN401 - JSON is any
    """Return the JSON in a request's body; None where there is none that can be read."""
    try:
        return await request.json()
    except (ValueError, RecursionError):
        return None


def watched(service: str, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the endpoint of a service: what `answer` answers, recorded, unless a fault was asked for."""

    async def endpoint(request: web.Request) -> web.StreamResponse:
        body = await read_json(request)
        host, port = request.transport.get_extra_info("peername")[:2] if request.transport else ("gone", 0)
        witness = request.app[WITNESS]
        # A caller may leave just before something is written. That is no error of the service: the witness notes it, no log does.
        with contextlib.suppress(ConnectionError), witness.watch(service, f"{host}:{port}", body, request.headers) as call:
            response = await _misbehave(request, service, body)
            if response is None:
                response = await answer(request, body, call)
                _compress(request, response)
            if response.prepared or not _closed(request):
                call.status = response.status
            return response
        return drop(request, web.Response())

    return endpoint


async def _misbehave(request: web.Request, service: str, body: object) -> web.StreamResponse | None:
    # A call without a body carries what it asks for in its query.
    fault = request.app[FAULTS].take(service, request.app[TEXTS].of(body) or request.query_string)
    if fault is None:
        return None
    if fault.kind in STREAMED:
        request[FAULT] = fault
        return None
    return await misbehave(request, fault)


def _compress(request: web.Request, response: web.StreamResponse) -> None:
    """Have an answer compressed for whoever accepts that, as services behind a proxy do; a stream has been sent by now."""
    if isinstance(response, web.Response) and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.enable_compression(web.ContentCoding.gzip)


def _closed(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()

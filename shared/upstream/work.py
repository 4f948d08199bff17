"""A service that works as long as it is asked to: what the chapters on failing, ending early and piling up call."""

import asyncio
import math
from typing import Any

from aiohttp import web

from shared.upstream.watched import watched
from shared.upstream.witness import SeenCall

LONGEST = 60.0
"""Seconds that a call may ask for."""


async def work(request: web.Request, _: Any, call: SeenCall) -> web.StreamResponse:  # noqa: ANN401 - JSON is any
    """`GET /work?name=…&seconds=…[&status=…]`: waits for `seconds`, then answers with `status`, 200 unless another is asked for.

    The witness keeps what was asked for, and the `X-Request-ID` that came with it.
    """
    name, seconds = request.query.get("name", ""), _number(request.query.get("seconds", "0"))
    status = int(_number(request.query.get("status", "200")))
    call.sent = {"name": name, "seconds": seconds, "status": status, "request_id": request.headers.get("X-Request-ID", "")}
    if not name or not 0 <= seconds <= LONGEST or not 200 <= status <= 599:  # noqa: PLR2004 - HTTP's statuses of final answers
        return web.json_response({"error": "name, seconds (0 to 60) or status (200 to 599) is wrong or missing"}, status=400)
    await asyncio.sleep(seconds)
    return web.json_response({"name": name, "seconds": seconds}, status=status)


def work_routes() -> list[web.RouteDef]:
    """Return the routes of the work service."""
    return [web.get("/work", watched("work", work))]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan

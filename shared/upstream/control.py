"""How the suite reads what the services saw, and tells them to misbehave."""

from aiohttp import web

from shared.upstream.faults import FAULTS, read_plan
from shared.upstream.watched import WITNESS


async def calls(request: web.Request) -> web.Response:
    """`GET /calls?after=N`: what the witness saw after the call of that number."""
    return web.json_response(request.app[WITNESS].report(int(request.query.get("after", "0"))))


async def plan(request: web.Request) -> web.Response:
    """`POST /faults`: plan one; `service`, `count`, and the fields of `Fault`."""
    try:
        service, fault, count = read_plan(await request.json())
    except ValueError as error:
        raise web.HTTPBadRequest(text=str(error)) from None
    request.app[FAULTS].plan(service, fault, count)
    return web.json_response({"planned": count})


async def forget(request: web.Request) -> web.Response:
    """`DELETE /faults`: forget those that have not been met, and those with a marker."""
    request.app[FAULTS].clear()
    return web.json_response({"planned": 0})


def control_routes() -> list[web.RouteDef]:
    """Return the routes of the control interface."""
    return [web.get("/calls", calls), web.post("/faults", plan), web.delete("/faults", forget)]

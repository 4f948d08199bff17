"""Run the embedded upstreams: `python -m shared.upstream`. They print one line of JSON that says where they are."""

import argparse
import asyncio
import contextlib
import json
import sys
import threading

from aiohttp import web

from shared.lesson.command import BACKLOG, HOST
from shared.lesson.settings import COLLECTION
from shared.upstream.faults import FAULTS, Fault, Faults
from shared.upstream.services import WITNESS, chroma_routes, openai_routes
from shared.upstream.witness import Witness
from shared.upstream.work import work_routes


async def calls(request: web.Request) -> web.Response:
    """`GET /calls?after=N`: what the witness saw after the call of that number."""
    return web.json_response(request.app[WITNESS].report(int(request.query.get("after", "0"))))


async def plan(request: web.Request) -> web.Response:
    """`POST /faults`: plan one; `service`, `count`, and the fields of `Fault`."""
    asked = await request.json()
    service, count = asked.pop("service"), asked.pop("count", 1)
    request.app[FAULTS].plan(service, Fault(**asked), count)
    return web.json_response({"planned": count})


async def forget(request: web.Request) -> web.Response:
    """`DELETE /faults`: forget those that have not been met."""
    request.app[FAULTS].clear()
    return web.json_response({"planned": 0})


async def run(stop: asyncio.Event) -> None:
    """Serve until told to stop."""
    witness, faults = Witness(), Faults()
    services = {
        "openai_url": (openai_routes(), "/v1"),
        "chroma_url": (chroma_routes(), ""),
        "work_url": (work_routes(), ""),
        "control_url": ([web.get("/calls", calls), web.post("/faults", plan), web.delete("/faults", forget)], ""),
    }
    async with contextlib.AsyncExitStack() as stack:
        ready = {"collection": COLLECTION}
        for name, (routes, path) in services.items():
            app = web.Application(client_max_size=2**24)
            app[WITNESS], app[FAULTS] = witness, faults
            app.add_routes(routes)
            # With handler_cancellation a caller that leaves ends its call at once, and the witness sees when.
            runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, HOST, 0, backlog=BACKLOG)
            await site.start()
            ready[name] = f"http://{HOST}:{runner.addresses[0][1]}{path}"
        print(json.dumps(ready), flush=True)
        await stop.wait()


def main() -> None:
    """Run until Ctrl-C, or until the standard input closes, which it also does when the process at its other end is killed."""
    parser = argparse.ArgumentParser(prog="python -m shared.upstream", description="Run the embedded upstreams.")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the process that started this one")
    watch_input = parser.parse_args().until_stdin_closes

    async def serve() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()

        def wait_for_end_of_input() -> None:
            sys.stdin.buffer.read()
            with contextlib.suppress(RuntimeError):  # The loop may have closed before.
                loop.call_soon_threadsafe(stop.set)

        if watch_input:
            threading.Thread(target=wait_for_end_of_input, daemon=True).start()
        await run(stop)

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())


if __name__ == "__main__":
    main()

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
from shared.upstream import index
from shared.upstream.services import applications


async def run(stop: asyncio.Event) -> None:
    """Serve until told to stop."""
    paths = {"openai": "/v1"}
    async with contextlib.AsyncExitStack() as stack:
        ready = {"collection": COLLECTION}
        for name, app in applications().items():
            # With handler_cancellation a caller that leaves ends its call at once, and the witness sees when.
            runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, HOST, 0, backlog=BACKLOG)
            await site.start()
            ready[f"{name}_url"] = f"http://{HOST}:{runner.addresses[0][1]}{paths.get(name, '')}"
        print(json.dumps(ready), flush=True)
        await stop.wait()


def main() -> None:
    """Run until Ctrl-C, or until the standard input closes, which it also does when the process at its other end is killed.

    With `index`, fill a Chroma server instead.
    """
    parser = argparse.ArgumentParser(prog="python -m shared.upstream", description="Run the embedded upstreams.")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the process that started this one")
    commands = parser.add_subparsers(dest="command", metavar="[index]")
    commands.add_parser("index", help="fill the Chroma server at CHROMA_URL with the lesson's documents instead")
    chosen = parser.parse_args()
    if chosen.command == "index":
        sys.exit(index.main())

    async def serve() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()

        def wait_for_end_of_input() -> None:
            sys.stdin.buffer.read()
            with contextlib.suppress(RuntimeError):  # The loop may have closed before.
                loop.call_soon_threadsafe(stop.set)

        if chosen.until_stdin_closes:
            threading.Thread(target=wait_for_end_of_input, daemon=True).start()
        await run(stop)

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())


if __name__ == "__main__":
    main()

"""The server, and the only file that names it.

Different here: the framework is its own server; `run_app` listens for signals and runs the application until one comes.
Pick it when: you want nothing between server and application.
Watch for: it has no reloader and no worker processes; one process is one event loop, and gunicorn or a supervisor starts more.
"""

from aiohttp import web

from shared.lesson.command import BACKLOG, KEEP_ALIVE, MAX_LINE, SHUTDOWN_WAIT, Options, listen, parse
from variants.aiohttp_asyncio.app import create_app

VARIANT = "aiohttp_asyncio"
LOOPS = ("asyncio",)


def serve(options: Options) -> None:
    """Serve until a signal asks to stop."""
    web.run_app(
        create_app(),
        sock=listen(VARIANT, options.port),
        backlog=BACKLOG,
        keepalive_timeout=KEEP_ALIVE,
        shutdown_timeout=SHUTDOWN_WAIT / 2,  # It waits so long twice.
        max_line_size=MAX_LINE,
        handler_cancellation=True,  # Without it, a handler whose client has left goes on.
        access_log=None,
        print=None,
    )


def main() -> None:
    """Serve as the command line asks."""
    serve(parse(VARIANT, LOOPS, reloads=False))


if __name__ == "__main__":
    main()

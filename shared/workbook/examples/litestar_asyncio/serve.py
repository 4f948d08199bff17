"""The server, and the only file that names it.

Different here: uvicorn, an ASGI server on asyncio; it knows HTTP, and nothing of the framework.
Pick it when: you have an ASGI application and no special wish; it is the most used, with a reloader and worker processes.
Watch for: at shutdown it waits for requests in flight without a limit, unless `timeout_graceful_shutdown` sets one.
"""

import contextlib
from pathlib import Path

import uvicorn
from uvicorn.supervisors import ChangeReload

from shared.lesson.command import BACKLOG, KEEP_ALIVE, PING, SHUTDOWN_WAIT, Options, listen, parse

VARIANT = "litestar_asyncio"
LOOPS = ("asyncio",)


def serve(options: Options) -> None:
    """Serve until a signal asks to stop. uvicorn reads the request line up to 64 KiB, so it needs no limit raised."""
    config = uvicorn.Config(
        f"{__package__}.app:app",
        loop="asyncio",
        ws="websockets-sansio",  # Without this it takes what happens to be installed, and with neither package answers 404.
        ws_ping_interval=PING,
        ws_ping_timeout=PING,
        backlog=BACKLOG,
        timeout_keep_alive=int(KEEP_ALIVE),
        timeout_graceful_shutdown=SHUTDOWN_WAIT,  # Without it, one client that never reads keeps the server for ever.
        lifespan="on",
        log_level="warning",
        access_log=False,
        reload=options.reload,
        reload_dirs=[str(Path(__file__).parent), "shared/lesson"] if options.reload else None,
    )
    server = uvicorn.Server(config)
    sock = listen(VARIANT, options.port)
    # uvicorn raises a Ctrl-C again after it has shut down in good order.
    with contextlib.suppress(KeyboardInterrupt):
        if options.reload:
            ChangeReload(config, target=server.run, sockets=[sock]).run()
        else:
            server.run(sockets=[sock])


def main() -> None:
    """Serve as the command line asks."""
    serve(parse(VARIANT, LOOPS, reloads=True))


if __name__ == "__main__":
    main()

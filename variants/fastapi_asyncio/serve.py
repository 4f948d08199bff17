"""The server, and the only file that names it.

Different here: nothing but the name. uvicorn serves FastAPI as it serves Starlette next door: it sees an ASGI application.
Pick it when: the framework must not decide the server: any ASGI server will do, and `fastapi run` starts this one too.
Watch for: FastAPI takes about three times as long to import as Starlette alone, and `--reload` imports it again at every change.
"""

import contextlib

import uvicorn
from uvicorn.supervisors import ChangeReload

from shared.lesson.command import BACKLOG, KEEP_ALIVE, PING, SHUTDOWN_WAIT, Options, listen, parse

VARIANT = "fastapi_asyncio"
LOOPS = ("asyncio",)


def serve(options: Options) -> None:
    """Serve until a signal asks to stop. uvicorn reads the request line up to 64 KiB, so it needs no limit raised."""
    config = uvicorn.Config(
        f"variants.{VARIANT}.app:app",
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
        reload_dirs=[f"variants/{VARIANT}", "shared/lesson"] if options.reload else None,
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

"""The server, and the only file that names it.

Different here: anycorn, an ASGI server written on anyio, so that it runs on trio; `--loop asyncio` runs the same code there.
Pick it when: your application needs trio.
Watch for: the call `serve` stops for no signal on trio unless it is handed a trigger; its parser is Python, and slower than C.
"""

import contextlib
import functools
import signal
import sys
from typing import cast

import anycorn
import anyio
from anycorn.run import run
from anycorn.typing import ASGIFramework

from shared.lesson.command import BACKLOG, KEEP_ALIVE, MAX_LINE, PING, SHUTDOWN_WAIT, Options, end_in_time, listen, parse
from variants.anyio_trio.app import app

VARIANT = "anyio_trio"
LOOPS = ("trio", "asyncio")


async def serve(config: anycorn.Config) -> None:
    """Serve until a signal asks to stop."""
    served = cast("ASGIFramework", app)
    if config.worker_class == "asyncio" and sys.platform == "win32":
        # Here anycorn listens for signals by itself: anyio's receiver cannot, for asyncio has none on Windows.
        await anycorn.serve(served, config)
        return
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:

        async def wait_for_signal() -> None:
            await anext(signals)
            # anycorn shields what it is sending, so one client that reads nothing would hold the server for ever.
            end_in_time()

        await anycorn.serve(served, config, shutdown_trigger=wait_for_signal)


def configure(options: Options) -> anycorn.Config:
    """Return the server's settings."""
    config = anycorn.Config()
    config.bind = [f"fd://{listen(VARIANT, options.port).detach()}"]
    config.backlog = BACKLOG
    config.keep_alive_timeout = KEEP_ALIVE
    config.graceful_timeout = SHUTDOWN_WAIT
    config.websocket_ping_interval = PING  # It keeps a connection in use; whether it is answered anycorn does not look.
    config.h11_max_incomplete_size = MAX_LINE
    config.loglevel = "WARNING"
    config.application_path = f"variants.{VARIANT}.app:app"
    config.worker_class = options.loop
    config.use_reloader = options.reload
    return config


def main() -> None:
    """Serve as the command line asks."""
    options = parse(VARIANT, LOOPS, reloads=True)
    # A Ctrl-C that comes while the event loop starts.
    with contextlib.suppress(KeyboardInterrupt):
        if options.reload:
            run(configure(options))
        else:
            anyio.run(functools.partial(serve, configure(options)), backend=options.loop)


if __name__ == "__main__":
    main()

"""The command line of `python -m variants.NAME.serve`, and the socket it listens on: the same for every variant."""

import argparse
import os
import socket
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.lesson.collection import with_collection
from shared.lesson.jobs import GRACE
from shared.lesson.settings import SettingsError, from_environment

HOST: Final = "127.0.0.1"
PORT: Final = 8000

BACKLOG: Final = 4096
"""Connections that may wait to be accepted. The servers' own defaults run from 100 to 2048, and decide a burst of requests."""

MAX_LINE: Final = 32_768
"""Bytes that a request line may have: a query of 1,000 characters takes up to 12,000, percent-encoded."""

KEEP_ALIVE: Final = 2.0
"""Seconds after which an idle connection is closed. The servers' own defaults run from 5 to 75."""

SHUTDOWN_WAIT: Final = 3
"""Seconds that requests and streams have to end in when the server stops. The servers' own defaults run from 3 to no limit."""

PING: Final = 4.0
"""Seconds after which the other side of a WebSocket is asked for a sign of life. The servers' own defaults are 20, and never."""

LAST_RESORT: Final = SHUTDOWN_WAIT + GRACE + 4.0
"""Seconds after which a server that was asked to stop, and is held up by what cannot be cancelled, is ended by force: more than
a busy machine takes to end it in good order."""

SHUTDOWN_HINT: Final = "Ctrl-C stops it"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for: the port (0 means any that is free), the event loop, and whether to reload on changes."""

    port: int = PORT
    loop: str = "asyncio"
    reload: bool = False


def parse(variant: str, loops: Sequence[str], arguments: Sequence[str] | None = None, *, reloads: bool) -> Options:
    """Read the command line; end the process with a message when it cannot be understood.

    Args:
        variant: The variant's name.
        loops: The event loops it runs on, its usual one first.
        arguments: The command line; the process's own when None.
        reloads: Whether its server can start again by itself when a file changes.

    """
    started = sys.modules["__main__"].__spec__
    parser = argparse.ArgumentParser(prog=f"python -m {started.name}" if started else None, description=f"Serve {variant}.")
    parser.add_argument("--port", type=_port, default=PORT, help=f"default {PORT}; 0 takes any that is free")
    parser.add_argument("--loop", choices=loops, default=loops[0], help="the event loop to run on")
    parser.add_argument("--reload", action="store_true", help="start again when a file changes, where the server can")
    chosen = parser.parse_args(arguments)
    try:
        named = from_environment()
        if named:
            with_collection(named)
    except SettingsError as error:  # Said here in one line; out of a lifespan it would end a long traceback.
        parser.error(str(error))
    if chosen.reload and not reloads:
        parser.error("--reload: this server has no reloader of its own; stop it and start it again")
    return Options(chosen.port, chosen.loop, chosen.reload)


def listen(variant: str, port: int) -> socket.socket:
    """Return a socket that listens on loopback, and say where on the console.

    Connections made from now on wait in its backlog until the server takes them, so nobody has to guess when it is ready.
    Ends the process with a message when the port is taken.
    """
    try:
        sock = socket.create_server((HOST, port), backlog=BACKLOG)
    except OSError as error:
        sys.exit(f"Port {port} on {HOST} cannot be used ({error.strerror}). Choose another with --port, or 0 for any free one.")
    # Its connections inherit it. asyncio sets it only on sockets that it has made itself, and without it a second small message
    # waits up to 40 ms for the acknowledgement of the first.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(f"Serving {variant} on http://{HOST}:{sock.getsockname()[1]} ({SHUTDOWN_HINT})", flush=True)
    return sock


def end_in_time(seconds: float = LAST_RESORT) -> None:
    """Let this process, which has been asked to stop, end by force if it is still there after so many seconds."""

    def end() -> None:
        try:
            print(f"Ended by force after {seconds:g} s: something under way could not be cancelled.", file=sys.stderr, flush=True)
        finally:  # Also where nobody takes what is printed.
            os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True  # A server that ends by itself does not wait for it.
    timer.start()


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:  # noqa: PLR2004 - the largest port there is
        raise ValueError
    return port

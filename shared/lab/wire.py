"""Requests as bytes, for what no client would send, or where the connection itself is looked at."""

import contextlib
import math
import socket
import time
from urllib.parse import urlsplit

from shared.lab.server import Server

LONGEST = 5.0
"""Seconds to wait for an answer."""


def exchange(server: Server, request: str, *, half_close: bool = False) -> int:
    """Send bytes on a connection of their own, and return the status they are answered with; 0 when there is no answer.

    Args:
        server: Where to send them.
        request: What to send; `HOST` in it is the server's host and port.
        half_close: Whether to say at once that nothing more will be sent, though the answer is still wanted.

    """
    address = urlsplit(server.url)
    answer = b""
    with socket.create_connection((address.hostname, address.port), timeout=LONGEST) as client:
        client.sendall(request.replace("HOST", address.netloc).replace("\n", "\r\n").encode("latin-1"))
        if half_close:
            client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(TimeoutError, ConnectionError):
            while b"\n" not in answer and (piece := client.recv(65536)):
                answer += piece
    parts = answer.split(b" ", 2)
    return int(parts[1][:3]) if answer.startswith(b"HTTP/1.") and len(parts) > 1 else 0


def kept_open(url: str, longest: float) -> float | None:
    """Ask for `/ping`, say no more, and return for how many seconds the connection stayed open; None where no answer came.

    They are counted from before the request: a right server never closes it sooner, however late a busy machine is.

    Args:
        url: The server's.
        longest: How many seconds to wait after the answer; infinity is returned where the connection is still open then.

    """
    address, began, answered = urlsplit(url), time.monotonic(), False
    try:
        with socket.create_connection((address.hostname, address.port), timeout=longest) as client:
            client.sendall(f"GET /ping HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
            while client.recv(65536):
                answered = True
    except TimeoutError:
        return math.inf if answered else None
    except OSError:  # It was closed in another way, or there was none.
        pass
    return time.monotonic() - began if answered else None

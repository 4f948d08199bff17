"""The doors to the services: shut, they refuse at once, whoever else has the socket."""

import contextlib
import gc
import os
import socket
from urllib.parse import urlsplit

import pytest

from tests import doors
from tests.doors import Door


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a process that is being started has no copy of the socket")
def test_a_door_shuts_while_a_process_is_started() -> None:
    """Until a new process begins its program it has a copy of every socket; the port can be bound, and refuses, all the same."""
    with contextlib.closing(Door("http://127.0.0.1:9/v1")) as door:
        port = urlsplit(door.url).port
        copies = [os.dup(descriptor) for descriptor in _listening(port)]
        try:
            door.shut("refuse")
            with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port or 0), timeout=5):
                pass
            door.open()
            socket.create_connection(("127.0.0.1", port or 0), timeout=5).close()
        finally:
            for copy in copies:
                os.close(copy)


def test_a_port_that_is_taken_leaves_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all ports are taken that is said, and each socket that was tried is closed: pytest reports one that is not."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(doors, "PORTS", range(taken.getsockname()[1], taken.getsockname()[1] + 1))
        with pytest.raises(OSError, match="None of the ports"), contextlib.closing(Door("http://127.0.0.1:9/v1")):
            pass
    gc.collect()


def _listening(port: int | None) -> list[int]:
    """Return the descriptors of this process's sockets that listen on a port."""
    found = []
    for descriptor in range(3, 256):
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as one:
            if one.getsockname()[1] == port and one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                found.append(descriptor)
    return found

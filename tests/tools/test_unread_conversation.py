"""Clients that speak, and read no reply or answer no ping: the suite does not try them, for it takes a while."""

import contextlib
import socket
import threading
import time

import pytest

from shared.lab.probes_http import UPGRADE
from shared.lab.readers import asking
from shared.lab.server import PATIENT, serving
from shared.lab.shutdown import wait_for_end
from shared.lab.variants import named
from shared.lesson.command import PING
from shared.lesson.messages import MAX_NAME

SAID = b'{"cancel": "%s"}' % (b"a" * MAX_NAME)
"""That there is no such task is a long reply, and nothing runs that could end meanwhile."""

FRAME = bytes([0x81, 0x80 | len(SAID)]) + bytes(4) + SAID  # Text, whole, under a mask that changes nothing.
TOGETHER = 250
FEW, CLIENTS = 20, 6
"""So that the server is telling something in most moments, to one of them at the least when it gives them up."""

FULL = 2.0
"""Seconds in which a server that has still replies to send takes nothing, to be taken to wait for its reader."""


@pytest.mark.parametrize("name", ["aiohttp_asyncio", "anyio_trio", "starlette_asyncio"])
def test_a_conversation_that_is_not_read_does_not_hold_up_the_end(name: str) -> None:
    """Its close would come behind all replies, and so it never comes; the server ends all the same."""
    with serving(named(name)[0], settings=PATIENT) as server, asking(server, "/ws", UPGRADE) as client:
        client.recv(1)  # The conversation has begun.
        client.settimeout(FULL)
        with contextlib.suppress(TimeoutError):
            while True:
                client.sendall(FRAME * TOGETHER)
        server.ask_to_stop()
        assert wait_for_end(server).exit_code is not None


def speak(client: socket.socket, seconds: float) -> None:
    """Speak for so long, and read all that is told meanwhile; a ping is read, too, and not answered."""

    def read() -> None:
        with contextlib.suppress(OSError):
            while client.recv(65536):
                pass

    reading, end = threading.Thread(target=read), time.monotonic() + seconds
    reading.start()
    with contextlib.suppress(OSError):
        while time.monotonic() < end:
            client.sendall(FRAME * FEW)
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
    reading.join()


@pytest.mark.parametrize("name", ["aiohttp_asyncio", "anyio_trio", "fastapi_asyncio", "starlette_asyncio"])
def test_who_answers_no_ping_is_given_up_without_an_error(name: str) -> None:
    """It may be in the middle of being told something just then: that is its leaving, and no mistake of the program's."""
    with serving(named(name)[0], settings=PATIENT) as server:
        with contextlib.ExitStack() as clients:
            asked = [clients.enter_context(asking(server, "/ws", UPGRADE)) for _ in range(CLIENTS)]
            speaking = [threading.Thread(target=speak, args=(client, 2 * PING + 1.0)) for client in asked]
            for thread in speaking:
                thread.start()
            for thread in speaking:
                thread.join()
        assert "Traceback" not in server.log()

"""A client that speaks and reads no reply, while the server is asked to stop: the suite does not try it, for it takes a while."""

import contextlib

import pytest

from shared.lab.probes_http import UPGRADE
from shared.lab.readers import asking
from shared.lab.server import PATIENT, serving
from shared.lab.shutdown import wait_for_end
from shared.lab.variants import named
from shared.lesson.messages import MAX_NAME

SAID = b'{"cancel": "%s"}' % (b"a" * MAX_NAME)
"""That there is no such task is a long reply, and nothing runs that could end meanwhile."""

FRAME = bytes([0x81, 0x80 | len(SAID)]) + bytes(4) + SAID  # Text, whole, under a mask that changes nothing.
TOGETHER = 250
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
        assert wait_for_end(server) is not None

"""An answer that goes on with what is not HTTP was broken off, and is not late: so it is for each variant's client."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import anyio
import pytest

from shared.lab.server import PATIENT
from shared.lab.variants import Variant, groups, named
from shared.lesson import upstreams
from shared.lesson.command import HOST
from shared.lesson.problems import UpstreamBroke
from shared.lesson.settings import Settings, from_environment
from tests.tools.calling import Call, embed, module, read, work

VARIANTS = [variant for name in [*groups(), "litestar_asyncio"] for variant in named(name)]

DEADLINE = 20.0
"""Seconds for an answer that comes at once: where its end were not noticed, it would be late."""

HEAD = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n'
NO_LENGTH = b"ZZZ\r\n"
PAUSE = 0.2
"""Seconds between the two: the reader has the first, and waits."""


class Broken(socketserver.StreamRequestHandler):
    """Answers with a first piece, and then with one that has no readable length, and keeps the connection."""

    def handle(self) -> None:  # type: ignore[explicit-override]  # Python 3.11 has no `override`.
        """Answer one request."""
        while self.rfile.readline().strip():
            pass
        self.wfile.write(HEAD)
        self.server.stopped.wait(PAUSE)  # type: ignore[attr-defined]  # The fixture gives it one.
        self.wfile.write(NO_LENGTH)
        self.server.stopped.wait(DEADLINE)  # type: ignore[attr-defined]  # Likewise.


@pytest.fixture
def settings() -> Iterator[Settings]:
    """Return settings whose services are all such a one."""
    with socketserver.ThreadingTCPServer((HOST, 0), Broken) as server:
        server.stopped = threading.Event()  # type: ignore[attr-defined]  # For its handlers.
        threading.Thread(target=server.serve_forever, args=(0.02,), name="broken").start()
        url = f"http://{HOST}:{server.server_address[1]}"
        deadlines = {"UPSTREAM_DEADLINE": f"{DEADLINE:g}", "CHAT_DEADLINE": f"{DEADLINE:g}"}
        names = {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "not-a-secret", "CHROMA_URL": url, "WORK_URL": url}
        found = from_environment({**names, **PATIENT, **deadlines})
        try:
            assert found
            yield found
        finally:
            server.stopped.set()  # type: ignore[attr-defined]  # Its handlers end.
            server.shutdown()


async def read_late(variant: Variant, client: Any, settings: Settings) -> object:  # noqa: ANN401 - the stack's own
    """Read the model's words, and come for the next words when the connection has ended."""
    call, pieces = upstreams.answer_stream_call(settings, "budget", []), []
    async with aclosing(module(variant, "resilience").stream_upstream(client, call)) as stream:
        async for piece in stream:
            pieces.append(piece)
            await anyio.sleep(2 * PAUSE)
    return pieces


@pytest.mark.parametrize("call", [embed, read, read_late, work])
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.label)
def test_it_broke_off(variant: Variant, call: Call, settings: Settings) -> None:
    """Whoever waits for the next piece learns of it, and so does who comes for it later."""

    async def ask() -> None:
        async with module(variant, "resilience").open_client(settings) as client:
            await call(variant, client, settings)

    with pytest.raises(UpstreamBroke):
        anyio.run(ask, backend=variant.loop)

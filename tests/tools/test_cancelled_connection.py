"""A call that is cancelled just when it has its connection gives its place in the pool back, on both loops."""

import importlib
from typing import Any

import anyio
import httpx2
import pytest
from anyio.lowlevel import checkpoint

from shared.lab.upstream import Upstreams
from shared.lesson import upstreams
from shared.lesson.settings import from_environment

resilience: Any = importlib.import_module("variants.anyio_trio.resilience")
"""Not imported as usual, so that nothing of ours depends on a variant."""

PLACES = 2
"""In the pool: each call that kept its place would take one of them for good."""

SECONDS = 10.0
"""For a call that needs milliseconds; one that finds no place waits for ever."""


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_the_place_is_given_back(monkeypatch: pytest.MonkeyPatch, loop: str) -> None:
    """More calls are cancelled at that moment than there are places; the next call is answered all the same."""
    monkeypatch.setattr(upstreams, "MAX_CALLS", PLACES)
    with Upstreams() as running:
        assert anyio.run(_call_after_all, running, backend=loop)


async def _call_after_all(running: Upstreams) -> list[float]:
    settings = from_environment(running.environment())
    assert settings
    call = upstreams.embedding_call(settings, "budget")
    async with resilience.open_client(settings) as client:
        for _ in range(PLACES + 1):
            assert await _is_cancelled(client, call)
        with anyio.fail_after(SECONDS):
            return upstreams.read_embedding(await resilience.call_upstream(client, call))


async def _is_cancelled(client: httpx2.AsyncClient, call: upstreams.Call) -> bool:
    """Cancel a call as soon as it has its connection, and say whether that ended it."""
    with pytest.MonkeyPatch.context() as patch, anyio.move_on_after(SECONDS) as scope:

        async def cancelled_by_now() -> None:
            scope.cancel()
            await checkpoint()

        patch.setattr(resilience, "checkpoint", cancelled_by_now)
        await resilience.call_upstream(client, call)
    return scope.cancelled_caught

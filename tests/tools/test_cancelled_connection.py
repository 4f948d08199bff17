"""A call that is cancelled just when it has its connection gives its place in the pool back, on both loops."""

import importlib
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpcore2
import httpx2
import pytest

from shared.lab.server import PATIENT
from shared.lab.upstream import Upstreams
from shared.lesson import timing, upstreams
from shared.lesson.settings import Settings, from_environment
from shared.lesson.work import Task

resilience: Any = importlib.import_module("variants.anyio_trio.resilience")
call_work: Any = importlib.import_module("variants.anyio_trio.work").call_work
"""Not imported as usual, so that nothing of ours depends on a variant."""

PLACES = 2
"""In the pool: each call that kept its place would take one of them for good, and the next call waits until its deadline."""

DEADLINE = 10.0
"""Seconds for a call that needs milliseconds."""

BACKENDS = {"asyncio": httpcore2.AnyIOBackend, "trio": httpcore2.TrioBackend}

Call = Callable[[httpx2.AsyncClient, Settings], Awaitable[object]]


async def embed(client: httpx2.AsyncClient, settings: Settings) -> object:
    """Call a service as a search does."""
    return await resilience.call_upstream(client, upstreams.embedding_call(settings, "budget"))


async def work(client: httpx2.AsyncClient, settings: Settings) -> object:
    """Call a service as the chapters on failures do."""
    timing.begin()
    return await call_work(client, settings, Task("task1", 0.0))


@pytest.mark.parametrize("call", [embed, work])
@pytest.mark.parametrize("loop", list(BACKENDS))
def test_the_place_is_given_back(monkeypatch: pytest.MonkeyPatch, loop: str, call: Call) -> None:
    """More calls are cancelled at that moment than there are places; the next call is answered all the same."""
    monkeypatch.setattr(upstreams, "MAX_CALLS", PLACES)
    with Upstreams() as running:
        settings = from_environment({**running.environment(), **PATIENT, "UPSTREAM_DEADLINE": f"{DEADLINE:g}"})
        assert settings
        assert anyio.run(_call_after_all, call, settings, BACKENDS[loop], backend=loop)


async def _call_after_all(call: Call, settings: Settings, backend: type[Any]) -> object:
    async with resilience.open_client(settings) as client:
        for _ in range(PLACES + 1):
            with pytest.MonkeyPatch.context() as patch, anyio.CancelScope() as scope:
                patch.setattr(backend, "connect_tcp", _cancelling(scope, backend.connect_tcp))
                await call(client, settings)
            assert scope.cancelled_caught
        return await call(client, settings)


def _cancelling(scope: anyio.CancelScope, connect: Any) -> Any:  # noqa: ANN401 - what it takes is httpx2's own affair
    """Return what connects, and then cancels, as another task would that ran just before this one."""

    async def connect_tcp(*args: object, **options: object) -> object:
        stream = await connect(*args, **options)
        scope.cancel()
        return stream

    return connect_tcp

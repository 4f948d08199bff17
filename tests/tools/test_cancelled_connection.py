"""A call that is cancelled just when it has its connection gives its place in the pool back, with each variant on httpx2."""

from typing import Any

import anyio
import httpcore2
import pytest

from shared.lab.server import PATIENT
from shared.lab.upstream import Upstreams
from shared.lab.variants import Variant, named
from shared.lesson import upstreams
from shared.lesson.settings import Settings, from_environment
from tests.tools.calling import Call, embed, module, read, work

ON_HTTPX2 = ("fastapi_asyncio", "starlette_asyncio", "anyio_trio", "litestar_asyncio")
VARIANTS = [variant for name in ON_HTTPX2 for variant in named(name)]

PLACES = 2
"""In the pool: each call that kept its place would take one of them for good, and the next call waits until its deadline."""

DEADLINE = 10.0
"""Seconds for a call that needs milliseconds."""

BACKENDS = {"asyncio": httpcore2.AnyIOBackend, "trio": httpcore2.TrioBackend}


@pytest.mark.parametrize("call", [embed, read, work])
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.label)
def test_the_place_is_given_back(monkeypatch: pytest.MonkeyPatch, variant: Variant, call: Call) -> None:
    """More calls are cancelled at that moment than there are places; the next call is answered all the same."""
    monkeypatch.setattr(upstreams, "MAX_CALLS", PLACES)
    with Upstreams() as running:
        deadlines = dict.fromkeys(("UPSTREAM_DEADLINE", "CHAT_DEADLINE"), f"{DEADLINE:g}")
        settings = from_environment({**running.environment(), **PATIENT, **deadlines})
        assert settings
        assert anyio.run(_call_after_all, variant, call, settings, backend=variant.loop)


async def _call_after_all(variant: Variant, call: Call, settings: Settings) -> object:
    backend: Any = BACKENDS[variant.loop]
    async with module(variant, "resilience").open_client(settings) as client:
        for _ in range(PLACES + 1):
            with pytest.MonkeyPatch.context() as patch, anyio.CancelScope() as scope:
                patch.setattr(backend, "connect_tcp", _cancelling(scope, backend.connect_tcp))
                await call(variant, client, settings)
            assert scope.cancelled_caught
        return await call(variant, client, settings)


def _cancelling(scope: anyio.CancelScope, connect: Any) -> Any:  # noqa: ANN401 - what it takes is httpx2's own affair
    """Return what connects, and then cancels, as another task would that ran just before this one."""

    async def connect_tcp(*args: object, **options: object) -> object:
        stream = await connect(*args, **options)
        scope.cancel()
        return stream

    return connect_tcp

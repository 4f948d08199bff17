"""Virtual time: what blocks in it is told as too short, and at once."""

import asyncio
import time

import pytest

from shared.lab.variants import named
from shared.lab.virtual import ask_together, explain


@pytest.mark.parametrize("name", ["fastapi_asyncio", "starlette_asyncio", "aiohttp_asyncio"])
def test_a_blocking_sleep_takes_no_time(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A variant that sleeps where it should await is accused, and nobody waits for its sleeps: here, half a minute."""
    variant, slept, real = named(name)[0], list[float](), time.sleep

    async def block(seconds: float) -> None:
        slept.append(seconds)
        time.sleep(seconds)  # noqa: ASYNC251 - it is the mistake

    monkeypatch.setattr(asyncio, "sleep", block)
    began = time.monotonic()
    waits = ask_together(variant, [("/async?seconds=10", 10)] * 3)
    assert slept == [10, 10, 10]
    assert time.monotonic() - began < sum(slept) / 2
    assert "took 0 s of virtual time; exactly 10 s are due" in explain(variant, waits)
    assert time.sleep is real

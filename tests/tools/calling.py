"""Calls to services with a variant's own client, in this process: what the tests of the clients try."""

import importlib
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

from shared.lab.variants import Variant
from shared.lesson import timing, upstreams
from shared.lesson.settings import Settings
from shared.lesson.work import Task

Call = Callable[[Variant, Any, Settings], Awaitable[object]]
"""What calls a service, with a client of the variant's kind."""


def module(variant: Variant, name: str) -> Any:  # noqa: ANN401 - a module is any
    """Return a module of a variant. Not imported as usual, so that nothing of ours depends on a variant."""
    return importlib.import_module(f"{variant.package}.{name}")


async def embed(variant: Variant, client: Any, settings: Settings) -> object:  # noqa: ANN401 - the stack's own
    """Call a service as a search does."""
    return await module(variant, "resilience").call_upstream(client, upstreams.embedding_call(settings, "budget"))


async def read(variant: Variant, client: Any, settings: Settings) -> object:  # noqa: ANN401 - the stack's own
    """Read the model's words as they come."""
    call = upstreams.answer_stream_call(settings, "budget", [])
    async with aclosing(module(variant, "resilience").stream_upstream(client, call)) as pieces:
        return [piece async for piece in pieces]


async def work(variant: Variant, client: Any, settings: Settings) -> object:  # noqa: ANN401 - the stack's own
    """Call a service as the chapters on failures do."""
    timing.begin()
    return await module(variant, "work").call_work(client, settings, Task("task1", 0.0))

"""Blocking, threads and awaiting: `waiting.py`."""

import pytest

from shared.lab import checks
from shared.lab.experiment import Ask
from shared.lab.server import Server
from shared.lab.verdict import prove
from tests.conftest import keep


def two(path: str, wait: float) -> list[Ask]:
    """Return two requests at once, with different waits: what one asks for must not become the other's."""
    return [Ask(f"{path}?seconds={wait}"), Ask(f"{path}?seconds={2 * wait}")]


def test_sync_blocks(server: Server) -> None:
    """Two requests to /sync take the sum of their waits, and /ping waits for them."""
    keep(server, "/sync x 2", prove(server, "blocked", lambda wait: two("/sync", wait), checks.blocks))


def test_threaded_does_not_block(server: Server) -> None:
    """Two requests to /threaded each take their own time in worker threads, and /ping does not wait for them."""
    keep(server, "/threaded x 2", prove(server, "together", lambda wait: two("/threaded", wait), checks.frees_in_threads))


def test_async_does_not_block(server: Server) -> None:
    """Two requests to /async each take their own time, in no thread, and /ping does not wait for them."""
    keep(server, "/async x 2", prove(server, "together", lambda wait: two("/async", wait), checks.frees))


def test_fifty_at_once(server: Server) -> None:
    """Fifty requests to /async take about as long as one: an awaited wait needs no thread, of which there are ten."""
    keep(server, "/async x 50", prove(server, "together", lambda wait: [Ask(f"/async?seconds={wait}")] * 50, checks.frees))


@pytest.mark.parametrize("path", ["/sync", "/threaded", "/async", "/sequential", "/parallel"])
def test_console_shows_each_operation(server: Server, path: str) -> None:
    """Each operation prints its start when it starts and its end when it ends, with its kind and its name."""
    prove(server, "shown", lambda wait: [Ask(f"{path}?seconds={wait}")], checks.tells_the_console)

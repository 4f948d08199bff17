"""Blocking, threads and awaiting: `waiting.py`."""

import pytest

from shared.lab import verdict
from shared.lab.experiment import Ask, Observation, run
from shared.lab.server import Server
from shared.lab.verdict import prove
from tests.conftest import keep_verdict


def two_at_once(server: Server, path: str, wait: float) -> Observation:
    """Send two requests at once, and pings all the while."""
    return run(server, [Ask(f"{path}?seconds={wait}")] * 2, ping=True)


def test_sync_blocks(server: Server) -> None:
    """Two requests to /sync take the sum of their waits, and /ping waits for them."""
    keep_verdict(
        server,
        "/sync x 2",
        prove(lambda wait: two_at_once(server, "/sync", wait), verdict.blocks, "blocked", server.variant.name),
    )


@pytest.mark.parametrize("path", ["/threaded", "/async"])
def test_waits_do_not_block(server: Server, path: str) -> None:
    """Two requests take as long as one, and /ping does not wait for them."""
    keep_verdict(
        server, f"{path} x 2", prove(lambda wait: two_at_once(server, path, wait), verdict.frees, "together", server.variant.name)
    )


def test_twenty_at_once(server: Server) -> None:
    """Twenty requests to /async take about as long as one: an awaited wait needs no thread."""

    def twenty(wait: float) -> Observation:
        return run(server, [Ask(f"/async?seconds={wait}")] * 20, ping=True)

    keep_verdict(server, "/async x 20", prove(twenty, verdict.frees, "together", server.variant.name))


def test_console_shows_each_operation(server: Server) -> None:
    """Each operation prints its start and its end, with its kind and its name."""
    for path, lines in {
        "/sync": ["[SYNC] Starting sync_task", "[SYNC] Finished sync_task"],
        "/threaded": ["[SYNC] Starting threaded_task", "[SYNC] Finished threaded_task"],
        "/async": ["[ASYNC] Starting async_task", "[ASYNC] Finished async_task"],
    }.items():
        printed = run(server, [Ask(f"{path}?seconds=0")]).printed.splitlines()
        assert printed == lines, f"the console of {path} is not the contract's"

"""How often is tried before somebody is accused, and which tries do not count."""

import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from shared.lab import verdict
from shared.lab.causes import Cause
from shared.lab.experiment import Ask, Observation, run
from shared.lab.finding import Finding
from shared.lab.server import Server, serving
from shared.lab.variants import named
from shared.lab.verdict import LATE, MORE_TRIES, NOTICED, STARVED, Accusation, prove

WAITS = (0.1, 0.3)
TOO_LATE = LATE * max(WAITS)
MANY = 20_000_000
"""Numbers whose sum takes some tenths of a second, in one call into C, in which no other thread runs."""


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    """Serve any variant."""
    with serving(named("fastapi_asyncio")[0]) as running:
        yield running


def asks(wait: float) -> list[Ask]:
    """Return a request for a wait."""
    return [Ask(f"/async?seconds={wait}")]


def disturbed_in_the_first(monkeypatch: pytest.MonkeyPatch, tries: int, what: str, seconds: float) -> list[Sequence[Ask]]:
    """Have a field of an observation say that so many tries were disturbed, and no other; return what is sent, as it is sent."""
    sent: list[Sequence[Ask]] = []

    def run_disturbed(server: Server, asks: Sequence[Ask], **options: object) -> Observation:
        del options
        seen = run(server, asks)
        if asks[0].wait:
            sent.append(asks)
            seen.lab_late = seen.starved = 0.0
            setattr(seen, what, seconds if len(sent) <= tries else 0.0)
        return seen

    monkeypatch.setattr(verdict, "run", run_disturbed)
    return sent


def slow(certain: bool) -> Callable[[Observation], list[Finding]]:
    """Return what finds that every answer comes too late."""
    return lambda _: [Finding(Cause.TOO_SLOW, "it took too long", certain=certain)]


@pytest.mark.parametrize(
    ("tries", "late", "certain", "expected"),
    [
        (0, 0.0, False, len(WAITS)),
        (1, TOO_LATE, False, len(WAITS) + 1),
        (100, TOO_LATE, False, len(WAITS) * (1 + MORE_TRIES)),
        (100, NOTICED, False, len(WAITS) + MORE_TRIES),
        (100, NOTICED / 2, False, len(WAITS)),
        (100, TOO_LATE, True, 1),
    ],
    ids=["never late", "late once", "always late", "late for a short wait", "a little late", "certain"],
)
def test_a_try_in_which_the_lab_was_late_does_not_count(
    served: Server, monkeypatch: pytest.MonkeyPatch, *, tries: int, late: float, certain: bool, expected: int
) -> None:
    """It is made again, some times at the most; and what noise cannot cause is told at once."""
    sent = disturbed_in_the_first(monkeypatch, tries, "lab_late", late)
    with pytest.raises(Accusation, match="it took too long"):
        prove(served, "quick", asks, slow(certain=certain), WAITS)
    assert len(sent) == expected


@pytest.mark.parametrize(
    ("tries", "expected"),
    [(len(WAITS) - 1, len(WAITS)), (len(WAITS), len(WAITS) + 1), (100, len(WAITS) + MORE_TRIES)],
    ids=["not in the last", "in the last", "always"],
)
def test_nor_does_one_in_which_the_server_had_to_wait_for_a_processor(
    served: Server, monkeypatch: pytest.MonkeyPatch, tries: int, expected: int
) -> None:
    """The last is made again likewise; after any other a longer wait follows."""
    sent = disturbed_in_the_first(monkeypatch, tries, "starved", STARVED * max(WAITS))
    with pytest.raises(Accusation, match="it took too long"):
        prove(served, "quick", asks, slow(certain=False), WAITS)
    assert len(sent) == expected


def test_the_lab_notices_that_it_is_late(served: Server) -> None:
    """While something else keeps its process from running, it is late by so long."""
    threading.Timer(0.4, lambda: sum(range(MANY))).start()
    assert run(served, asks(1.0)).lab_late > 0.05

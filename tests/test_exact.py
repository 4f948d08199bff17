"""The waits of `waiting.py` and `together.py`, exact, in virtual time: arithmetic that no machine is too slow for.

What blocks, what runs in a thread and what a real server does is not to be seen here; the other modules see it, from outside.
"""

from collections.abc import Callable, Sequence

import pytest

from shared.lab import variants
from shared.lab.variants import Variant
from shared.lab.virtual import ask_together, explain

Ask = Callable[[Sequence[tuple[str, float]]], None]


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Variant:
    """Stand in for the real server under its name, so that the same variants and event loops come here; nothing is started."""
    variant: Variant = request.param
    if absent := variants.missing(variant.name):
        (pytest.fail if request.config.getoption("--variant") else pytest.skip)(f"{variant.name} needs {', '.join(absent)}")
    return variant


@pytest.fixture
def virtual(server: Variant) -> Ask:
    """Send requests at once, each given with the seconds that it is due to take, and fail when one takes another time."""

    def ask(expected: Sequence[tuple[str, float]]) -> None:
        if message := explain(server, ask_together(server, expected)):
            pytest.fail(message, pytrace=False)

    return ask


@pytest.mark.parametrize(
    ("path", "due"),
    [
        ("/async", 3),
        ("/async?seconds=3", 3),
        ("/async?seconds=0.001", 0.001),
        ("/sequential", 6),
        ("/sequential?seconds=2", 6),
        ("/sequential?seconds=0.1", 0.3),
        ("/parallel", 2),
        ("/parallel?seconds=2", 2),
        ("/parallel?seconds=10", 10),
    ],
)
def test_a_wait_is_exact(virtual: Ask, path: str, due: float) -> None:
    """A request takes what its waits add up to, and nothing besides."""
    virtual([(path, due)])


@pytest.mark.parametrize(("path", "due"), [("/async?seconds=3", 3), ("/sequential?seconds=2", 6), ("/parallel?seconds=2", 2)])
def test_forty_five_at_once(virtual: Ask, path: str, due: float) -> None:
    """Forty-five requests take as long as one: a hidden limit, of worker threads or connections, is often forty or less."""
    virtual([(path, due)] * 45)


def test_a_mix_at_once(virtual: Ask) -> None:
    """Requests with different waits each take their own time: none waits for another's end."""
    virtual(
        [
            ("/parallel?seconds=1.5", 1.5),
            ("/sequential?seconds=0.4", 1.2),
            ("/async?seconds=10", 10),
            ("/async?seconds=0.25", 0.25),
            ("/parallel?seconds=0.7", 0.7),
            ("/sequential?seconds=3", 9),
            ("/async?seconds=0", 0),
        ]
    )

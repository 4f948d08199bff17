"""Checks of what was seen: what they find, and when they are certain of it."""

import pytest

from shared.lab.causes import Cause
from shared.lab.checks import on_time
from shared.lab.experiment import Answer, Ask, Observation

WAIT = 0.2
PING = Ask("/ping")


def in_waves(waves: int, slowest_ping: float | None) -> Observation:
    """Return what is seen of requests of which two may wait at once, so that they come in so many waves."""
    ask = Ask(f"/async?seconds={WAIT}")
    answers = [Answer(ask, 0.0, WAIT * (1 + number // 2), 200) for number in range(2 * waves)]
    pings = [] if slowest_ping is None else [Answer(PING, 0.0, slowest_ping, 200)]
    return Observation(answers, pings)


@pytest.mark.parametrize(
    ("waves", "slowest_ping", "certain"),
    [(5, 0.01, True), (4, 0.01, False), (9, 0.06, False), (9, None, False)],
    ids=["four waits late", "three waits late", "a slow ping", "no ping"],
)
def test_many_waits_beside_a_quick_ping_are_no_noise(waves: int, slowest_ping: float | None, certain: bool) -> None:
    """That a limit makes many wait is certain when /ping never had to; otherwise the machine may be busy, and is asked again."""
    (finding,) = on_time(in_waves(waves, slowest_ping))
    assert finding.cause == Cause.LIMITED
    assert finding.certain is certain


def test_one_wave_is_on_time() -> None:
    """Where all wait together there is nothing to find, however slow a ping was."""
    assert not on_time(in_waves(1, 0.06))

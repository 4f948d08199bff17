"""A finding: one way in which what was seen is not what the contract says."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from shared.lab.causes import Cause
from shared.lab.experiment import Ask, Observation

EARLY = 0.002 + time.get_clock_info("monotonic").resolution
"""Seconds by which a right timer may end too soon: 0.0009 were measured on uvloop; and a tick where the clock's are coarse."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A reason why an observation is not what was expected.

    Attributes:
        cause: What is probably wrong.
        sentence: What was sent, what was measured, and what was expected.
        certain: Whether noise cannot have caused it, so that another try would prove nothing.
        places: Modules and functions to look at first, before the endpoint's own.
        ask: The request that it is about; the experiment's first when None.

    """

    cause: Cause
    sentence: str
    certain: bool = False
    places: tuple[tuple[str, str], ...] = ()
    ask: Ask | None = None


Check = Callable[[Observation], list[Finding]]


def sure(cause: Cause, sentence: str, *places: tuple[str, str]) -> list[Finding]:
    """Return one finding that noise cannot have caused."""
    return [Finding(cause, sentence, certain=True, places=places)]

"""Room for threads: `room.py`. The evidence is how many requests are answered in each wave."""

import pytest

from shared.lab import checks
from shared.lab.causes import Cause
from shared.lab.experiment import Ask, Observation
from shared.lab.finding import EARLY, Finding
from shared.lab.server import Server
from shared.lab.verdict import prove
from shared.lesson.contract import THREADS
from tests.conftest import keep

MANY = 2 * THREADS + THREADS // 2
"""Requests at once: two full waves, and a half."""

SET = ("room", "set_threads")
LIFESPAN = ("app", "lifespan")


def answered_by(seen: Observation, wave: int) -> int:
    """Return how many requests were answered before any of the wave after this one can have been."""
    wait = seen.answers[0].ask.wait
    return sum(answer.received - seen.began < (wave + 1) * wait - EARLY for answer in seen.answers)


def in_waves(seen: Observation) -> list[Finding]:
    """Check that as many requests are answered in each wave as there are threads, and no more."""
    for wave in (1, 2, 3):
        answered, right = answered_by(seen, wave), min(wave * THREADS, MANY)
        sentence = f"of {checks.describe(seen)} {answered} had been answered by the end of wave {wave}, and {right} are right"
        if answered != right:
            # Noise makes nothing quicker: more than there are threads for is certain.
            return [Finding(Cause.THREAD_ROOM, sentence, certain=answered > right, places=(SET, LIFESPAN))]
    return []


@pytest.mark.parametrize("path", ["/threaded", "/guarded"])
def test_waves_of_exactly_the_limit(server: Server, path: str) -> None:
    """Twenty-five requests that need a thread are answered ten by ten; the event loop stays free."""

    def check(seen: Observation) -> list[Finding]:
        return checks.holds_the_loop(seen, seen.answers[0].ask.wait) or in_waves(seen)

    verdict = prove(server, f"waves of {THREADS}", lambda wait: [Ask(f"{path}?seconds={wait}")] * MANY, check)
    keep(server, f"{path} x {MANY}", verdict)


def test_all_threads_are_out_of_one_room(server: Server) -> None:
    """While all threads are taken by /threaded, /guarded has to wait for one, however quick it is; what needs none does not."""

    def asks(wait: float) -> list[Ask]:
        late = wait / 2
        quick = [Ask("/guarded?seconds=0", after=late), Ask("/async?seconds=0", after=late)]
        return [*quick, *[Ask(f"/threaded?seconds={wait}")] * (2 * THREADS)]

    def check(seen: Observation) -> list[Finding]:
        guarded, awaited, *threaded = seen.answers
        wait = threaded[0].ask.wait
        if awaited.seconds >= wait / 2:  # Right: at once. Wrong: not before a thread is free, half a wait later at the least.
            sentence = f"while all threads were taken, /async?seconds=0, which needs none, took {awaited.seconds:.2f} s"
            return [Finding(Cause.THREADS, sentence, ask=awaited.ask)]
        if guarded.received < min(answer.received for answer in threaded) - EARLY:
            sentence = f"while all threads were taken, /guarded?seconds=0 took {guarded.seconds:.2f} s: it has threads of its own"
            return [Finding(Cause.THREAD_ROOM, sentence, ask=guarded.ask)]
        return []

    keep(server, "/guarded beside", prove(server, "waits for a thread", asks, check))

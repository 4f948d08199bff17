"""The coffee shop: the script that a learner runs first."""

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.workbook.coffee import CUSTOMERS, MINUTE

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "shared.workbook.coffee"]
TRIES = 3

# Timers may end 2 ms early, and by a tick of their clock where it is coarse; a printed minute is rounded by 0.05.
EARLY = 0.002 + time.get_clock_info("monotonic").resolution


def at_least(minutes: float, waits: int) -> float:
    """Return the lowest number of minutes that may be printed after so many waits in a row."""
    return minutes - waits * EARLY / MINUTE - 0.05


@dataclass(frozen=True, slots=True)
class Visit:
    """What one run of the script printed: in each shop the events with their minutes, and the two totals."""

    sync_events: list[tuple[float, str]]
    async_events: list[tuple[float, str]]
    sync_minutes: float
    async_minutes: float


def events(text: str) -> list[tuple[float, str]]:
    """Return the minute and the words of each event."""
    return [(float(minute), event) for minute, event in re.findall(r"minute +([\d.]+): (.+)", text)]


def visit() -> Visit:
    """Run the script as a learner does, and read what it printed."""
    done = subprocess.run(COMMAND, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - our own
    assert done.stderr == "", "The script has something to complain about"
    _, sync_shop, async_shop, totals = done.stdout.split("\n\n")
    found = re.search(r"Sync took ([\d.]+) minutes, async ([\d.]+)", totals)
    assert found, f"The last line does not give both totals: {totals}"
    return Visit(events(sync_shop), events(async_shop), float(found[1]), float(found[2]))


@pytest.fixture(scope="module")
def visited() -> Visit:
    """One run for the tests that hold whatever the machine's noise."""
    return visit()


def test_sync_serves_one_customer_after_the_other(visited: Visit) -> None:
    """In the sync shop each coffee is handed over before the next is started, five minutes after its own start."""
    expected = [event for name in CUSTOMERS for event in (f"start {name}'s coffee", f"hand {name} the coffee")]
    assert [event for _, event in visited.sync_events] == expected
    for waits, (minute, event) in enumerate(visited.sync_events[1::2], start=1):
        assert minute >= at_least(5 * waits, waits), f"{event!r} came at minute {minute}: too soon for {waits} in a row"


def test_async_starts_all_before_the_first_is_ready(visited: Visit) -> None:
    """In the async shop all three coffees are started before the first is handed over, and each takes its time."""
    said = [event for _, event in visited.async_events]
    assert said[:3] == [f"start {name}'s coffee" for name in CUSTOMERS]
    assert sorted(said[3:]) == [f"hand {name} the coffee" for name in CUSTOMERS]
    for minute, event in visited.async_events[3:]:
        assert minute >= at_least(5, 1), f"{event!r} came at minute {minute}: no coffee is ready before minute 5"


def test_totals_are_never_less_than_the_waits(visited: Visit) -> None:
    """The totals are measured: never less than the sum of the waits, or than the longest of them."""
    assert visited.sync_minutes >= at_least(15, 3)
    assert visited.async_minutes >= at_least(5, 1)


def test_async_takes_less_time_than_sync() -> None:
    """The async shop closes well before the sync one, at least once in a few tries."""
    # Together they take 5 minutes, one after the other 15: midway between is 10. Noise only ever adds to either.
    totals = []
    for _ in range(TRIES):
        seen = visit()
        if seen.async_minutes < min(10, seen.sync_minutes):
            return
        totals.append(seen.async_minutes)
    pytest.fail(f"Async took {totals} minutes in {TRIES} tries; started together, three coffees take 5.")


def test_events_are_printed_as_they_happen() -> None:
    """A reader sees each event when it happens, through a pipe too, not all of them at the end."""
    # From the first start to the last line are 20 minutes, 2 s; all at once they would come within milliseconds.
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    spans = []
    for _ in range(TRIES):
        with subprocess.Popen(COMMAND, cwd=ROOT, env=buffered, stdout=subprocess.PIPE, text=True) as shop:  # noqa: S603 - our own
            assert shop.stdout
            times = [time.monotonic() for line in shop.stdout if events(line)]
        if times[-1] - times[0] > 10 * MINUTE:
            return
        spans.append(times[-1] - times[0])
    pytest.fail(f"All events came within {max(spans):.2f} s; they happen over {20 * MINUTE:.0f} s. Is the output flushed?")

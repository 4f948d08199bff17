"""What `/as-completed` tells of each piece of work; a failure is told as `events.failed` does, and ends nothing here."""

from typing import Final

from shared.lesson.events import Event

KILOBYTE: Final = 1024


def arrived(result: str, elapsed: float, kilobytes: int) -> Event:
    """Return the event for a result that was there after `elapsed` seconds, made longer by so many kilobytes."""
    return Event("result", {"result": result, "elapsed": f"{elapsed:.2f}s", "padding": "x" * (kilobytes * KILOBYTE)})

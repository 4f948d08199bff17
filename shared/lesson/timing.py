"""Where the time of a request went: on the console while it happens, and in the `Server-Timing` header afterwards.

One `Record` belongs to one request. It travels in a context variable, which tasks and threads started by the request inherit
(asyncio and trio both copy the context), so an operation finds its request without being handed it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation of a request: its name, and when it began and ended, in seconds since the request arrived."""

    name: str
    start: float
    end: float


@dataclass(slots=True)
class Record:
    """The operations of one request, in the order in which they ended."""

    began: float = field(default_factory=time.perf_counter)
    entries: list[Entry] = field(default_factory=list)

    def elapsed(self) -> float:
        """Return the seconds since the request arrived."""
        return time.perf_counter() - self.began

    def header(self) -> str:
        """Return the value of `Server-Timing`, in the order of starting; empty when nothing was waited for.

        Browsers read `dur` (milliseconds) and `desc` only (https://www.w3.org/TR/server-timing/), so the start goes into `desc`.
        """
        return ", ".join(
            f'{entry.name};dur={(entry.end - entry.start) * 1000:.1f};desc="start={entry.start * 1000:.1f}"'
            for entry in sorted(self.entries, key=lambda entry: entry.start)
        )


_record: ContextVar[Record] = ContextVar("record")


def begin() -> Record:
    """Open the record of the request that the present task serves, and return it."""
    begun = Record()
    _record.set(begun)
    return begun


def elapsed() -> float:
    """Return the seconds since the present request arrived.

    Raises:
        LookupError: No request has begun here: `begin` was not called, or the context was not copied into this thread.

    """
    return _record.get().elapsed()


def record() -> Record:
    """Return the record of the present request.

    Raises:
        LookupError: As for `elapsed`.

    """
    return _record.get()


@contextmanager
def operation(kind: str, name: str) -> Iterator[None]:
    """Show and record one operation: everything inside the `with` block.

    Args:
        kind: How it waits, as the console shows it: `SYNC` or `ASYNC`.
        name: What it is called in the console and in `Server-Timing`; a plain word.

    """
    present = _record.get()
    # Flushed, because Python holds lines back when the output is a pipe, and the order of lines is the lesson.
    print(f"[{kind}] Starting {name}", flush=True)
    start = present.elapsed()
    ending = "Stopped"
    try:
        yield
        ending = "Finished"
    finally:
        present.entries.append(Entry(name, start, present.elapsed()))
        print(f"[{kind}] {ending} {name}", flush=True)

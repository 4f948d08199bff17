"""Watch the event loop from inside its process, and note what of a variant holds it up: evidence for a message, never the proof.

Two watchers, and neither stops or changes what it sees:

- A thread looks a hundred times a second at where the main thread stands, which runs the loop. What runs from one await that
  really waits to the next is a *step*; a step that is met for 0.05 s on end holds the loop, whether it waits or computes.
- On asyncio, blockbuster names each call of `time.sleep` and of a blocking socket besides, however short.

Neither sees a step under 0.05 s that blocks in another way, such as reading a small file, nor any loop but the main thread's.
Imports are not counted.
"""

import asyncio
import functools
import importlib
import linecache
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType

from blockbuster import BlockBuster

from shared.lab.frames import current_frames

PAUSE = 0.01
"""Seconds between two looks."""

LONG = 0.05
"""Seconds from which on a step holds the loop: threads that compute were seen to delay a right one by 0.035."""

FOR_LONG = f"for over {LONG:g} s"
"""How a note tells such a step from a call that is noted however short it was."""

KEPT = 20
"""Places that are kept; older ones are forgotten."""


class AsyncioSteps:
    """Tells the steps of asyncio apart: each is a call of its own, and stands in the stack."""

    ends: CodeType = asyncio.Handle._run.__code__  # noqa: SLF001 - there is no public sign of a step

    def current(self, frame: FrameType | None) -> object:
        """Return what identifies the step that a stack is in; None between two."""
        while frame and frame.f_code is not self.ends:
            frame = frame.f_back
        return frame


class TrioSteps:
    """Tells the steps of trio apart: it is an instrument, which trio tells of each."""

    def __init__(self, run: Callable[..., object]) -> None:
        self.ends = run.__code__
        self._number, self._inside = 0, False

    def before_task_step(self, _: object) -> None:
        """Begin a step."""
        self._number += 1
        self._inside = True

    def after_task_step(self, _: object) -> None:
        """End it."""
        self._inside = False

    def current(self, _: FrameType | None) -> object:
        """Return what identifies the present step; None between two."""
        return self._number if self._inside else None


class Guard:
    """What watches the loop of this process."""

    def __init__(self) -> None:
        self._steps: AsyncioSteps | TrioSteps = AsyncioSteps()
        self._home = "variants"
        self._notes: dict[str, str] = {}  # by their place
        self._lock = threading.Lock()
        self._watching = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="guard", daemon=True)

    def install(self, loop: str, home: str = "variants") -> None:
        """Prepare to watch a loop, `asyncio` or `trio`; call it before the loop is started. Until `arm` nothing is watched.

        Args:
            loop: The event loop.
            home: The package that the variant's stands in.

        """
        self._home = home
        if loop == "trio":
            trio = importlib.import_module("trio")
            self._steps = TrioSteps(trio.run)
            # Whoever runs trio here, such as anyio or a server, gets it with the instrument: a loop that runs already takes one
            # only from inside. It costs two short calls a step.
            vars(trio)["run"] = functools.partial(trio.run, instruments=[self._steps])

    def arm(self) -> None:
        """Begin to watch; call it from another thread than the loop's, while the variant serves. A second call does nothing."""
        if self._watcher.ident is None:
            if isinstance(self._steps, AsyncioSteps):
                self._name_calls()
            self._watcher.start()
            self._watching.wait()

    def take(self) -> list[str]:
        """Return what held the loop since the last call, and where, and forget it: one line a place, the newest last."""
        with self._lock:
            taken = list(self._notes.values())
            self._notes.clear()
            return taken

    def _name_calls(self) -> None:
        """Let blockbuster note blocking calls, where it would raise an error: it asks, for each, whether it may block."""
        for name, function in BlockBuster().functions.items():
            # Not files, which are read at once, nor locks and databases, which it can only get at by changing C types.
            if name.startswith(("time.", "socket.", "ssl.")):
                function.can_block_predicate = self._note_and_allow(name, function.can_block_predicate)
                function.activate()

    def _note_and_allow(self, name: str, is_harmless: Callable[..., bool]) -> Callable[..., bool]:
        def allow(*args: object, **options: object) -> bool:
            if not is_harmless(*args, **options):
                self._note(f"{name}, called", sys._getframe())  # noqa: SLF001 - the documented way to one's own stack
            return True

        return allow

    def _watch(self) -> None:
        last: object = None
        looks = 0
        while True:
            wall, busy = time.monotonic(), time.process_time()
            self._watching.set()
            time.sleep(PAUSE)
            # A call into C may keep all other threads out. Then this one comes late, and the process was busy all the while; when
            # it comes late because the machine stood still, it was not.
            kept_out = min(time.monotonic() - wall, time.process_time() - busy) >= LONG
            step, looks = self._look(last, looks, kept_out=kept_out)
            last = step

    def _look(self, last: object, looks: int, *, kept_out: bool) -> tuple[object, int]:
        """Look once; return the step that was met, and how often in a row before: a stalled machine adds none."""
        frame = current_frames().get(threading.main_thread().ident or 0)
        step = self._steps.current(frame)
        looks = looks + 1 if step == last else 0
        if step is not None and (looks == round(LONG / PAUSE) or kept_out):
            self._note("", frame)
        return step, looks

    def _note(self, what: str, frame: FrameType | None) -> None:
        """Note a step by its innermost frame inside variants/; where it has none, it is none of a variant's doing."""
        folder = _folder(self._home)
        while frame and frame.f_code is not self._steps.ends:
            code, line = frame.f_code, frame.f_lineno
            # Before Python 3.12 a comprehension is a function of its own, without a name.
            if code.co_filename.startswith(folder + os.sep) and not code.co_name.startswith("<"):
                path = Path(code.co_filename).relative_to(Path(folder).parents[self._home.count(".")]).as_posix()
                what = what or f"`{linecache.getline(code.co_filename, line).strip()}`, {FOR_LONG}"
                self._keep(f"{path}:{line} in {code.co_name}", what)
                return
            if code.co_filename.startswith("<frozen importlib"):
                return  # A first import is slow, and happens once.
            frame = frame.f_back

    def _keep(self, place: str, what: str) -> None:
        with self._lock:
            # A call that is known by its name already keeps it.
            self._notes[place] = self._notes.pop(place, f"{what} at {place}")
            while len(self._notes) > KEPT:
                del self._notes[next(iter(self._notes))]


@functools.cache
def _folder(home: str) -> str:
    """Return the folder of the package that the variants of this process live in."""
    return str(importlib.import_module(home).__path__[0])


_guard = Guard()
install, arm, take = _guard.install, _guard.arm, _guard.take

"""What is under way for the screen, in threads, one at a time: measurements of what was predicted, and runs of the suite."""

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from textual.app import App

from shared.lab.causes import WORDS, Cause
from shared.workbook.exercise.check import Verdict, check, glance
from shared.workbook.exercise.exercises import Exercise, Prediction
from shared.workbook.exercise.runner import RunError, Runner
from shared.workbook.exercise.sitting import Sitting

PATIENCE: Final = 4.0
"""Seconds after which a run may hang, and says so; a new save then ends it."""


class Work:
    """All that takes its time; what comes of it goes to the sitting, on the screen's own thread.

    Attributes:
        measuring: The names of the predictions whose measurement is under way, or about to be.

    """

    def __init__(self, screen: App[None], sitting: Sitting, runner: Runner, changed: Callable[[], None]) -> None:
        self._screen, self._sitting, self._runner, self._changed = screen, sitting, runner, changed
        self.measuring: set[str] = set()
        self._began = 0.0  # When the run began that is under way; 0 when none is.
        self._again = False  # Whether something was saved meanwhile.
        self._left = False
        self._one_at_a_time = threading.Lock()  # Measurements and runs would disturb each other.

    def measure(self, prediction: Prediction) -> None:
        """Begin to measure what was predicted, unless that is under way."""
        if prediction.name not in self.measuring:
            self.measuring.add(prediction.name)
            self._screen.run_worker(lambda: self._measure(prediction), thread=True)

    def _measure(self, prediction: Prediction) -> None:
        try:
            with self._one_at_a_time:
                if self._left:  # While it waited for its turn.
                    return
                took = self._runner.measure(prediction, self._sitting.mine.base)
        except RunError as error:
            self._tell(self._screen.notify, str(error))
        else:
            self._tell(self._sitting.measured, prediction, took)
        self.measuring.discard(prediction.name)
        self._tell(self._changed)

    def judge(self) -> None:
        """Begin to judge the exercise that is open, unless its predictions come first; once more when that is under way."""
        exercise = self._sitting.exercise
        if exercise is None:
            return
        if self._sitting.asked:
            self._sitting.look(self._runner)
            return
        if self._began:
            self._again = True
            if not self.measuring and time.monotonic() - self._began > PATIENCE:
                self._runner.close()
            return
        self._began, self._again = time.monotonic(), False
        self._screen.run_worker(lambda: self._judge(exercise), thread=True)

    def _judge(self, exercise: Exercise) -> None:
        found = glance(self._sitting.mine, exercise, self._runner)
        if found is None:
            with self._one_at_a_time:
                if self._left:
                    return
                self._began = time.monotonic()
                found = check(self._sitting.mine, exercise, self._runner)
        self._tell(self._judged, exercise, found)

    def _judged(self, exercise: Exercise, found: Verdict) -> None:
        self._began = 0.0
        if self._again or exercise != self._sitting.exercise:
            self.judge()
        else:
            self._sitting.judged(exercise, found)
        self._changed()

    def _tell(self, callback: Callable[..., Any], *arguments: object) -> None:
        """Call something on the screen's own thread, unless the reader has left."""
        if not self._left:
            self._screen.call_from_thread(callback, *arguments)

    def leave(self) -> None:
        """Break off whatever is under way."""
        self._left = True
        self._runner.close()

    def how_far(self) -> str:
        """Say how far a run has come; nothing when none is under way."""
        if not self._began:
            return ""
        if self.measuring:
            return "It is judged as soon as what you have predicted is measured …"
        seconds = time.monotonic() - self._began
        if self._runner.doubt:
            cause = WORDS[Cause(self._runner.doubt)].cause
            return f"Probably not yet right ({self._runner.doubt}): {cause}.\nTrying again to be sure … {seconds:.1f} s"
        if seconds > PATIENCE:
            return f"No verdict after {seconds:.0f} s: it seems to hang. After 15 s the suite ends it, and says where it stood."
        return f"Judging … {seconds:.1f} s"

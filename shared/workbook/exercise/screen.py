"""The screen that `nox -s exercise` shows in a terminal: it follows what is saved, and its keys are always to be seen."""

import threading
import time
from typing import ClassVar, Final

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Key
from textual.widgets import Footer, Static

from shared.lab.server import ServerError
from shared.workbook.exercise import show
from shared.workbook.exercise.check import Standing, Verdict, check, glance
from shared.workbook.exercise.commands import COMMANDS
from shared.workbook.exercise.exercises import Exercise, Prediction
from shared.workbook.exercise.mine import Mine, MineError
from shared.workbook.exercise.predict import due, measure
from shared.workbook.exercise.progress import Progress, save
from shared.workbook.exercise.runner import Runner
from shared.workbook.exercise.watch import Watch

LOOK: Final = 0.2
"""Seconds between two looks at the files."""

PATIENCE: Final = 4.0
"""Seconds after which a run may hang, and says so; a new save then ends it."""


class Screen(App[None]):
    """The exercises on a screen.

    Attributes:
        exercise: The one that is open; None when nothing is left.
        found: The last verdict on it; None before the first.

    """

    CSS = "#heading { background: $boost; padding: 0 1; } #body { padding: 0 1; }"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h", "command('hint')", "Hint"),
        Binding("s", "command('solution')", "Solution"),
        Binding("n", "command('next')", "Next"),
        Binding("k", "command('skip')", "Skip"),
        Binding("l", "overview", "List"),
        Binding("o", "goals", "Goals"),
        Binding("r", "reset", "Reset"),
        Binding("c", "check", "Check"),
        Binding("escape", "leave", "Back"),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(self, mine: Mine, progress: Progress, runner: Runner) -> None:
        super().__init__()
        self._mine, self._progress, self._runner, self._watch = mine, progress, runner, Watch(mine)
        self.exercise: Exercise | None = None
        self.found: Verdict | None = None
        self._told = ""  # What a key has asked for, in the place of the exercise.
        self._hint = ""  # As far as it was asked for; it stands below the exercise.
        self._typed = ""  # Of a prediction.
        self._began = 0.0  # When the run began that is under way; 0 when none is.
        self._again = False  # Whether something was saved meanwhile.
        self._sure = False  # Whether `reset` was pressed once.
        self._one_at_a_time = threading.Lock()  # Measurements and runs would disturb each other.

    def compose(self) -> ComposeResult:  # type: ignore[explicit-override]  # Python 3.11 has no override.
        """Lay the screen out."""
        yield Static(id="heading", markup=False)
        with VerticalScroll():
            yield Static(id="body", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Begin with what is open."""
        self._runner.warm_up()
        self.set_interval(LOOK, self._look)
        self._open()

    def _open(self) -> None:
        """Show the exercise that is open now, with its predictions or its verdict."""
        self.exercise = self._progress.open(self._mine.exercises())
        self.found = glance(self._mine, self.exercise, self._runner) if self.exercise else None
        self._told, self._hint, self._typed, self._sure = "", "", "", False
        self._watch.follow(self.exercise)
        self.query_one(VerticalScroll).focus()  # For the keys that scroll.
        self.action_check()
        self._draw()

    @property
    def _asked(self) -> Prediction | None:
        """The prediction that is asked for; None when there is none left in this chapter."""
        asked = due(self._mine, self.exercise.chapter, self._progress) if self.exercise else []
        return asked[0] if asked else None

    def on_key(self, event: Key) -> None:
        """Take the digits of a prediction; what else is pressed may be one of the keys below."""
        if self._asked is None or self._told:
            return
        if event.character and event.character in "0123456789.":
            self._typed += event.character
        elif event.key == "backspace":
            self._typed = self._typed[:-1]
        elif event.key == "enter":
            try:
                self._predict(float(self._typed))
            except ValueError:  # Nothing, or two points.
                self._typed = ""
        self._draw()

    def _predict(self, seconds: float | None) -> None:
        """Keep a prediction, have it measured, and go on to the next one or to the verdict."""
        if prediction := self._asked:
            self._typed = ""
            self._progress.predicted[prediction.name] = seconds
            save(self._mine, self._progress)
            self.run_worker(lambda: self._measure(prediction), thread=True)
            self.action_check()

    def _measure(self, prediction: Prediction) -> None:
        try:
            with self._one_at_a_time:
                took = measure(prediction, self._mine.base)
        except ServerError as error:
            self.call_from_thread(self.notify, f"It could not be measured: {error}")
        else:
            self.call_from_thread(self._measured, prediction, took)

    def _measured(self, prediction: Prediction, took: float) -> None:
        self._progress.measured[prediction.name] = took
        save(self._mine, self._progress)
        self._draw()

    def _look(self) -> None:
        """Look whether something of the present exercise was saved; and show how long a run takes."""
        if self._watch.changed():
            self._told = ""
            self.action_check()
        if self._began:
            self._draw()

    def action_check(self) -> None:
        """Judge the exercise, unless its predictions come first; once more when it is under way."""
        if self.exercise is None or self._asked:
            return
        if self._began:
            self._again = True
            if time.monotonic() - self._began > PATIENCE:
                self._runner.close()
            return
        exercise, self._began, self._again = self.exercise, time.monotonic(), False
        self.run_worker(lambda: self._judge(exercise), thread=True)

    def _judge(self, exercise: Exercise) -> None:
        found = glance(self._mine, exercise, self._runner)
        if found is None:
            with self._one_at_a_time:
                found = check(self._mine, exercise, self._runner)
        self.call_from_thread(self._judged, exercise, found)

    def _judged(self, exercise: Exercise, found: Verdict) -> None:
        self._began = 0.0
        if self._again or exercise != self.exercise:
            self.action_check()
            return
        self.found = found
        if found.standing == Standing.SOLVED:
            self._progress.solve(exercise)
            save(self._mine, self._progress)
        self._draw()

    def action_command(self, name: str) -> None:
        """Do what a key asks for in the present exercise."""
        if self.exercise is None:
            return
        try:
            told = COMMANDS[name](self._mine, self._progress, self.exercise)
        except MineError as error:
            told = str(error)
        if name in {"next", "skip", "reset"}:
            self._open()
        elif name == "hint":
            self._hint = f"\n\n{told}"
            self._tell("")
            self.query_one(VerticalScroll).scroll_end(animate=False)
        else:
            self._tell(told)

    def action_reset(self) -> None:
        """Put the exercise back to its beginning, when asked twice: what was written is gone."""
        if self._sure:
            self.action_command("reset")
        elif self.exercise:
            self._tell(f"Reset {self.exercise.name}? What you wrote for it is gone then. r again: yes. Escape: no.")
            self._sure = True

    def action_overview(self) -> None:
        """Show all exercises, and the predictions."""
        self._tell(show.overview(self._mine, self._progress))

    def action_goals(self) -> None:
        """Show what a reader is to be able to do afterwards."""
        self._tell(show.goals(self._progress))

    def action_leave(self) -> None:
        """Go back to the exercise; where a prediction is asked for, make none."""
        self._sure = False
        if not self._told:
            self._predict(None)
        self._tell("")

    def _tell(self, told: str) -> None:
        self._told = told
        self._draw()
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def _draw(self) -> None:
        """Show all as it is now."""
        if self.exercise is None:
            heading, body = "Nothing is left.", show.overview(self._mine, self._progress)
        else:
            heading = show.heading(self._mine, self.exercise)
            body = show.body(self._mine, self.exercise, self._progress, self._question(), self._verdict()) + self._hint
        self.query_one("#heading", Static).update(f"{heading}\n{show.progress_line(self._mine, self._progress)}")
        self.query_one("#body", Static).update(show.coloured(self._told or body))

    def _question(self) -> list[str]:
        """Return the prediction that is asked for, with what was typed so far."""
        if self._asked is None:
            return []
        return [f"Predict first: {self._asked.question}\n  Seconds: {self._typed}_   (Enter: keep it. Escape: no prediction.)"]

    def _verdict(self) -> str:
        """Return the verdict in words, or how far it has come."""
        seconds = time.monotonic() - self._began
        if self._began and seconds > PATIENCE:
            return f"No verdict after {seconds:.0f} s: it seems to hang. The suite gives it 15 s, and then says where it stands."
        if self._began:
            return f"Judging … {seconds:.1f} s"
        if self.found is None:
            return "It is judged when the predictions are made."
        solved = self.found.standing == Standing.SOLVED
        return show.verdict(self.found) + ("\n\nn: the next exercise. s: the reference beside yours." if solved else "")

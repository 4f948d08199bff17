"""The screen that `nox -s exercise` shows in a terminal: it follows what is saved, and its keys are always to be seen."""

import threading
import time
from typing import ClassVar, Final

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Footer, Input, Static

from shared.workbook.exercise import show
from shared.workbook.exercise.check import Standing, Verdict, check, glance
from shared.workbook.exercise.commands import COMMANDS, guess
from shared.workbook.exercise.exercises import Exercise
from shared.workbook.exercise.mine import Mine, MineError
from shared.workbook.exercise.predict import due
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

    CSS = "#ask { display: none; } #heading { background: $boost; padding: 0 1; } #body { padding: 0 1; }"
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
        self._told = ""  # What a key has asked for; it stands before the rest.
        self._began = 0.0  # When the run began that is under way; 0 when none is.
        self._again = False  # Whether something was saved meanwhile.
        self._sure = False  # Whether `reset` was pressed once.
        self._one_at_a_time = threading.Lock()  # Measurements and runs would disturb each other.

    def compose(self) -> ComposeResult:  # type: ignore[explicit-override]  # Python 3.11 has no override.
        """Lay the screen out."""
        yield Static(id="heading", markup=False)
        with VerticalScroll():
            yield Static(id="body", markup=False)
        yield Input(id="ask", type="number", placeholder="seconds, then Enter (Escape: no prediction)")
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
        self._told, self._sure = "", False
        self._watch.follow(self.exercise)
        self._ask_or_check()

    def _ask_or_check(self) -> None:
        """Ask for the next prediction of the chapter; when there is none left, judge."""
        asked = due(self._mine, self.exercise.chapter, self._progress) if self.exercise else []
        field = self.query_one("#ask", Input)
        field.display = bool(asked)
        if asked:
            field.clear()
            field.focus()
        else:
            self.set_focus(None)
            self.action_check()
        self._draw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep a prediction, and have it measured."""
        try:
            self._predict(float(event.value))
        except ValueError:  # Nothing, or half a number.
            self.notify("A number of seconds, such as 2 or 0.5. Escape: no prediction.")

    def _predict(self, seconds: float | None) -> None:
        name = due(self._mine, self.exercise.chapter, self._progress)[0].name if self.exercise else ""
        self._progress.predicted[name] = seconds
        save(self._mine, self._progress)
        self.run_worker(lambda: self._measure(name, seconds), thread=True)
        self._ask_or_check()

    def _measure(self, name: str, seconds: float | None) -> None:
        with self._one_at_a_time:
            guess(self._mine, self._progress, name, seconds)
        self.call_from_thread(self._draw)

    def _look(self) -> None:
        """Look whether something of the present exercise was saved; and show how long a run takes."""
        if self._watch.changed():
            self._told = ""
            self.action_check()
        if self._began:
            self._draw()

    def action_check(self) -> None:
        """Judge the exercise, unless its predictions come first; once more when it is under way."""
        if self.exercise is None or due(self._mine, self.exercise.chapter, self._progress):
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
        if self.query_one("#ask", Input).display and not self._told:
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
            body = show.body(self._mine, self.exercise, self._progress, self._verdict())
        self.query_one("#heading", Static).update(f"{heading}\n{show.progress_line(self._mine, self._progress)}")
        self.query_one("#body", Static).update(self._told or body)

    def _verdict(self) -> str:
        """Return the verdict in words, or how far it has come."""
        seconds = time.monotonic() - self._began
        if self._began and seconds > PATIENCE:
            return f"No verdict after {seconds:.0f} s: it seems to hang. The suite gives it 15 s, and then says where it stands."
        if self._began:
            return f"Judging … {seconds:.1f} s"
        return show.verdict(self.found) if self.found else "Predict first; then it is judged."

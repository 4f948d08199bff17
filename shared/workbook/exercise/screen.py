"""The screen that `nox -s exercise` shows in a terminal: it follows what is saved, and its keys are always to be seen."""

import threading
import time
from collections.abc import Callable
from typing import ClassVar, Final

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Key
from textual.widgets import Footer, Static

from shared.lab.causes import WORDS, Cause
from shared.workbook.exercise import show
from shared.workbook.exercise.check import Verdict, check, glance
from shared.workbook.exercise.exercises import Exercise, Prediction
from shared.workbook.exercise.runner import RunError, Runner
from shared.workbook.exercise.sitting import Sitting
from shared.workbook.exercise.watch import Watch

LOOK: Final = 0.2
"""Seconds between two looks at the files."""

PATIENCE: Final = 4.0
"""Seconds after which a run may hang, and says so; a new save then ends it."""

EDGES: Final = 4
"""Columns beside a text: a space on each side, and the bar that scrolls."""


class Screen(App[None]):
    """The exercises on a screen; what stands on it is the sitting's."""

    CSS = "#heading { background: $boost; padding: 0 1; } #body { padding: 0 1; } #after { padding: 1; }"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h", "command('hint')", "Hint"),
        Binding("s", "command('solution')", "Solution"),
        Binding("n", "command('next')", "Next"),
        Binding("k", "command('skip')", "Skip"),
        Binding("l", "overview", "List"),
        Binding("o", "goals", "Goals"),
        Binding("r", "command('reset')", "Reset"),
        Binding("c", "check", "Check"),
        Binding("escape", "leave", "Back"),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(self, sitting: Sitting, runner: Runner) -> None:
        super().__init__()
        self.sitting, self._runner, self._watch = sitting, runner, Watch(sitting.mine)
        self._began = 0.0  # When the run began that is under way; 0 when none is.
        self._again = False  # Whether something was saved meanwhile.
        self._measuring: set[str] = set()  # The predictions whose measurement is under way, or about to be.
        self._left = False
        self._one_at_a_time = threading.Lock()  # Measurements and runs would disturb each other.

    def compose(self) -> ComposeResult:  # type: ignore[explicit-override]  # Python 3.11 has no override.
        """Lay the screen out."""
        yield Static(id="heading", markup=False)
        with VerticalScroll():
            yield Static(id="body", markup=False)
            yield Static(id="after", markup=False)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Begin with what is open."""
        self._runner.warm_up()
        self.set_interval(LOOK, self._look)
        self.query_one(VerticalScroll).focus()  # For the keys that scroll.
        self._open()

    def _open(self) -> None:
        self.sitting.open(self._runner)
        self._watch.follow(self.sitting.exercise)
        self._draw(top=True)
        self.call_after_refresh(self._begin)  # What changes before the screen was laid out is not laid out anew.

    def _begin(self) -> None:
        for prediction in self.sitting.unmeasured:
            self._measure(prediction)
        self.action_check()

    def on_key(self, event: Key) -> None:
        """Take the digits of a prediction; what else is pressed may be one of the keys below."""
        sitting = self.sitting
        if sitting.asked is None or sitting.told:
            return
        if event.character and event.character in "0123456789.":
            sitting.typed += event.character
        elif event.key == "backspace":
            sitting.typed = sitting.typed[:-1]
        elif event.key == "enter":
            try:
                self._predict(float(sitting.typed))
            except ValueError:  # Nothing, or two points.
                sitting.typed = ""
        self._draw()

    def _predict(self, seconds: float | None) -> None:
        if prediction := self.sitting.predict(seconds):
            self._measure(prediction)
            self.action_check()

    def _measure(self, prediction: Prediction) -> None:
        if prediction.name in self._measuring:
            return
        self._measuring.add(prediction.name)
        self.run_worker(lambda: self._run_measurement(prediction), thread=True)

    def _run_measurement(self, prediction: Prediction) -> None:
        try:
            with self._one_at_a_time:
                if self._left:  # While it waited for its turn.
                    return
                took = self._runner.measure(prediction, self.sitting.mine.base)
        except RunError as error:
            self._tell(self.notify, str(error))
        else:
            self._tell(self.sitting.measured, prediction, took)
            self._tell(self._draw)
        self._measuring.discard(prediction.name)

    def _tell(self, callback: Callable[..., None], *arguments: object) -> None:
        """Call something on the screen's own thread, unless the reader has left."""
        if not self._left:
            self.call_from_thread(callback, *arguments)

    def _look(self) -> None:
        """Look whether something of the open exercise was saved; and show how long a run takes."""
        if self._watch.changed():
            self.sitting.told = ""
            self.action_check()
        if self._began:
            self._draw()

    def action_check(self) -> None:
        """Judge the exercise, unless its predictions come first; once more when that is under way."""
        exercise = self.sitting.exercise
        if exercise is None or self.sitting.asked:
            return
        if self._began:
            self._again = True
            if not self._measuring and time.monotonic() - self._began > PATIENCE:
                self._runner.close()
            return
        self._began, self._again = time.monotonic(), False
        self.run_worker(lambda: self._judge(exercise), thread=True)

    def _judge(self, exercise: Exercise) -> None:
        found = glance(self.sitting.mine, exercise, self._runner)
        if found is None:
            with self._one_at_a_time:
                if self._left:
                    return
                self._began = time.monotonic()
                found = check(self.sitting.mine, exercise, self._runner)
        self._tell(self._judged, exercise, found)

    def _judged(self, exercise: Exercise, found: Verdict) -> None:
        self._began = 0.0
        if self._again or exercise != self.sitting.exercise:
            self.action_check()
        else:
            self.sitting.judged(exercise, found)
        self._draw()

    def action_command(self, name: str) -> None:
        """Do what a key asks for in the open exercise."""
        if self.sitting.command(name):
            self._open()
        self._draw(top=name != "hint")
        if name == "hint":
            self.call_after_refresh(self._scroll_to_hint)

    def _scroll_to_hint(self) -> None:
        scroll, body = self.query_one(VerticalScroll), self.query_one("#body", Static)
        scroll.scroll_to(y=max(0, body.outer_size.height - scroll.size.height), animate=False)

    async def action_quit(self) -> None:  # type: ignore[explicit-override]  # Likewise.
        """Leave at once, whatever is under way."""
        self._left = True
        self._runner.close()
        self.exit()

    def action_overview(self) -> None:
        """Show all exercises, and the predictions."""
        self.sitting.told = show.overview(self.sitting.mine, self.sitting.progress)
        self._draw(top=True)

    def action_goals(self) -> None:
        """Show what a reader is to be able to do afterwards."""
        self.sitting.told = show.goals(self.sitting.progress)
        self._draw(top=True)

    def action_leave(self) -> None:
        """Go back to the exercise; from there, where a prediction is asked for, make none."""
        if not self.sitting.told:
            self._predict(None)
        self.sitting.told = ""
        self._draw(top=True)

    def _draw(self, *, top: bool = False) -> None:
        """Show all as it is now, from the top if so asked."""
        self.query_one("#heading", Static).update(self.sitting.heading())
        width = self.size.width - EDGES
        self.query_one("#body", Static).update(show.coloured(self.sitting.body(self._how_far()), width))
        self.query_one("#after", Static).update(show.coloured(self.sitting.after(self._measuring), width))
        if top:
            self.query_one(VerticalScroll).scroll_home(animate=False)

    def on_resize(self) -> None:
        """Show all again, as wide as the terminal is now."""
        self._draw()

    def _how_far(self) -> str:
        """Say how far a run has come; nothing when none is under way."""
        if self._began and self._measuring:
            return "It is judged as soon as what you have predicted is measured …"
        seconds = time.monotonic() - self._began
        if self._began and self._runner.doubt:
            cause = WORDS[Cause(self._runner.doubt)].cause
            return f"Probably not yet right ({self._runner.doubt}): {cause}.\nTrying again to be sure … {seconds:.1f} s"
        if self._began and seconds > PATIENCE:
            return f"No verdict after {seconds:.0f} s: it seems to hang. The suite gives it 15 s, and then says where it stands."
        return f"Judging … {seconds:.1f} s" if self._began else ""

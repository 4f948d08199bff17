"""The screen that `nox -s exercise` shows in a terminal: it follows what is saved, and its keys are always to be seen."""

from typing import ClassVar, Final

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Key
from textual.widgets import Static

from shared.workbook.exercise import paint, show
from shared.workbook.exercise.runner import Runner
from shared.workbook.exercise.sitting import Sitting
from shared.workbook.exercise.watch import Watch
from shared.workbook.exercise.work import Work

LOOK: Final = 0.2
"""Seconds between two looks at the files."""

KEYS: Final = {"escape": "esc"}
"""What stands on a key, where that is not its name."""

EDGES: Final = 4
"""Columns beside a text: a space on each side, and the bar that scrolls."""


def keys() -> Text:
    """Return all keys and what they do, for as many lines as a terminal needs."""
    shown = [binding for binding in Screen.BINDINGS if isinstance(binding, Binding) and binding.show]
    # Without a blank between them, so that a key and its word stay on one line.
    pairs = [Text.assemble((KEYS.get(one.key, one.key), "bold"), f":{one.description}") for one in shown]
    return Text("  ").join(pairs)


class Screen(App[None]):
    """The exercises on a screen; what stands on it is the sitting's."""

    CSS = """
    #heading, #keys { background: $boost; padding: 0 1; }
    #keys { dock: bottom; }
    #body { padding: 0 1; }
    #after { padding: 1; }
    """
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
        Binding("ctrl+c", "quit", show=False),
    ]

    def __init__(self, sitting: Sitting, runner: Runner) -> None:
        super().__init__()
        self.sitting, self._runner, self._watch = sitting, runner, Watch(sitting.mine)
        self._work = Work(self, sitting, runner, self._draw)

    def compose(self) -> ComposeResult:  # type: ignore[explicit-override]  # Python 3.11 has no override.
        """Lay the screen out."""
        yield Static(id="heading", markup=False)
        with VerticalScroll():
            yield Static(id="body", markup=False)
            yield Static(id="after", markup=False)
        yield Static(keys(), id="keys", markup=False)  # Not Textual's footer: a narrow terminal cuts that.

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
            self._work.measure(prediction)
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
            self._work.measure(prediction)
            self.action_check()

    def _look(self) -> None:
        """Look whether something of the open exercise was saved; and show how long a run takes."""
        if self._watch.changed():
            self.sitting.told = ""
            self.action_check()
            self._draw(top=True)  # That is where the verdict comes.
        if self._work.how_far():
            self._draw()

    def action_check(self) -> None:
        """Judge the exercise, unless its predictions come first."""
        self._work.judge()

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
        self._work.leave()
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
        self.query_one("#body", Static).update(paint.coloured(self.sitting.body(self._work.how_far()), width))
        self.query_one("#after", Static).update(paint.coloured(self.sitting.after(self._work.measuring), width))
        if top:
            self.query_one(VerticalScroll).scroll_home(animate=False)

    def on_resize(self) -> None:
        """Show all again, as wide as the terminal is now."""
        self._draw()

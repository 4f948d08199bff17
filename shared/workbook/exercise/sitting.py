"""What a reader has before them while they sit at the exercises: which one is open, what was said of it, what they asked for."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from shared.workbook.exercise import show
from shared.workbook.exercise.check import Standing, Verdict, glance
from shared.workbook.exercise.commands import COMMANDS
from shared.workbook.exercise.contents import predictions
from shared.workbook.exercise.exercises import Exercise, Prediction
from shared.workbook.exercise.mine import Mine, MineError
from shared.workbook.exercise.predict import due
from shared.workbook.exercise.progress import Progress, load, save
from shared.workbook.exercise.runner import Runner

MOVES = frozenset({"next", "skip", "reset"})
"""Commands after which another exercise may be open, or the same one anew."""


class Sitting:
    """The state behind the screen.

    Attributes:
        mine: The reader's own variant.
        progress: How far they have come.
        exercise: The one that is open; None when nothing is left.
        found: The last verdict on it; None before the first.
        typed: What was typed of a prediction.
        told: What a key has asked for, in the place of the exercise.
        hint: As far as it was asked for; it stands below the exercise.

    """

    def __init__(self, mine: Mine, progress: Progress) -> None:
        self.mine, self.progress = mine, progress
        self.exercise: Exercise | None = None
        self.found: Verdict | None = None
        self.typed = self.told = self.hint = ""

    def open(self, runner: Runner) -> None:
        """Open the exercise that is next, and look at it."""
        self.exercise = self.progress.open(self.mine.exercises())
        self.typed = self.told = self.hint = ""
        self.look(runner)

    def look(self, runner: Runner) -> None:
        """Say what can be said without running anything: that it is not written, or cannot be run; else nothing."""
        self.found = glance(self.mine, self.exercise, runner) if self.exercise else None

    @property
    def asked(self) -> Prediction | None:
        """The prediction that is to be made; None when there is none left in this chapter."""
        asked = due(self.mine, self.exercise.chapter, self.progress) if self.exercise else []
        return asked[0] if asked else None

    def predict(self, seconds: float | None) -> Prediction | None:
        """Keep what was predicted, and return what is to be measured; None when nothing was asked."""
        prediction, self.typed = self.asked, ""
        if prediction:
            with self._kept():
                self.progress.predicted[prediction.name] = seconds
        return prediction

    @property
    def unmeasured(self) -> list[Prediction]:
        """What was predicted in this chapter and not measured: the reader has left meanwhile."""
        exercise, progress = self.exercise, self.progress
        chapter = [one for one in predictions() if exercise and one.chapter == exercise.chapter]
        return [one for one in chapter if one.name in progress.predicted and one.name not in progress.measured]

    def measured(self, prediction: Prediction, seconds: float) -> None:
        """Keep what was measured."""
        with self._kept():
            self.progress.measured[prediction.name] = seconds

    def judged(self, exercise: Exercise, found: Verdict) -> None:
        """Keep a verdict on the exercise that is open."""
        self.found = found
        if found.standing == Standing.SOLVED:
            with self._kept():
                self.progress.solve(exercise)

    @contextmanager
    def _kept(self) -> Iterator[None]:
        self.progress = load(self.mine, self.progress)  # What the reader has edited, or done in another terminal, stays.
        yield
        save(self.mine, self.progress)

    def command(self, name: str) -> bool:
        """Do what a key asks for in the open exercise; return whether another may be open now."""
        if self.exercise is None:
            return False
        asks = f"Reset {self.exercise.name}? What you wrote for it is gone then. r again: yes. Escape: no."
        if name == "reset" and self.told != asks:  # It has to be asked for twice, with nothing else in between.
            self.told = asks
            return False
        try:
            self.progress = load(self.mine, self.progress)  # Likewise.
            told = COMMANDS[name](self.mine, self.progress, self.exercise)
        except MineError as error:
            self.told = str(error)
            return False
        self.told, self.hint = ("", f"\n\n{told}") if name == "hint" else (told, self.hint)
        return name in MOVES

    def heading(self) -> str:
        """Return which exercise it is, and how far the reader has come."""
        first = show.heading(self.mine, self.exercise) if self.exercise else show.nothing_left(self.progress)
        return f"{first}\n{show.progress_line(self.mine, self.progress)}"

    def after(self, measuring: Collection[str]) -> str:
        """Return what stands below that: what was predicted in this chapter, and what it came to.

        Args:
            measuring: The names of the predictions that are being measured.

        """
        return "" if self.told or self.exercise is None else show.predicted(self.exercise, self.progress, measuring)

    def body(self, running: str) -> str:
        """Return what stands below the heading.

        Args:
            running: How far a run has come that is under way; empty when none is.

        """
        if self.told or self.exercise is None:
            return self.told or show.overview(self.mine, self.progress)
        said = running or (show.verdict(self.found) if self.found else "It is judged when the predictions are made.")
        if self.found and self.found.standing == Standing.SOLVED and not running:
            said += "\n\nn: the next exercise. s: the reference beside yours."
        question = f"Predict first: {self.asked.question}\n  Seconds: {self.typed}_   " if self.asked else ""
        questions = [f"{question}(Enter: keep it. Escape: no prediction.)"] if question else []
        return show.body(self.mine, self.exercise, questions, f"{said}{self.hint}")

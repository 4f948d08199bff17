"""How far a reader has come: one file of JSON beside their own variant, which they can read, edit and delete."""

import json
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from types import NoneType
from typing import Final

from shared.workbook.exercise.exercises import Exercise
from shared.workbook.exercise.mine import Mine, MineError

FILE: Final = "progress.json"

PARTS: Final[dict[str, tuple[type, ...]]] = {
    "present": (str,),
    "solved": (str,),
    "skipped": (str,),
    "hints": (int,),
    "predicted": (int, float, NoneType),
    "measured": (int, float),
}
"""What each part of it consists of."""


@dataclass(slots=True)
class Progress:
    """How far a reader has come.

    Attributes:
        present: The exercise that is open; empty for the first one that is not solved.
        solved: When each was first solved, in ISO 8601. What is solved stays so, whatever is edited later.
        skipped: Those left for later.
        hints: How many steps of each hint were shown.
        predicted: What was predicted, in seconds; None where the reader did not want to.
        measured: What was then measured, in seconds.

    """

    present: str = ""
    solved: dict[str, str] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    hints: dict[str, int] = field(default_factory=dict)
    predicted: dict[str, float | None] = field(default_factory=dict)
    measured: dict[str, float] = field(default_factory=dict)

    def open(self, exercises: list[Exercise]) -> Exercise | None:
        """Return the exercise that is open; None when all are solved or skipped."""
        names = {one.name: one for one in exercises}
        if self.present in names:
            return names[self.present]
        return next((one for one in exercises if one.name not in self.solved and one.name not in self.skipped), None)

    def solve(self, exercise: Exercise) -> None:
        """Keep that an exercise is solved."""
        self.solved.setdefault(exercise.name, datetime.now(UTC).isoformat(timespec="seconds"))
        self.skipped = [name for name in self.skipped if name != exercise.name]

    def skip(self, exercise: Exercise) -> None:
        """Leave an exercise for later, and open the next one."""
        if exercise.name not in self.solved and exercise.name not in self.skipped:
            self.skipped.append(exercise.name)
        self.present = ""

    def go_on(self, exercise: Exercise, exercises: list[Exercise]) -> None:
        """Open the next exercise after this one that is neither solved nor skipped, or else the first such one."""
        place = exercises.index(exercise) + 1
        waiting = [one.name for one in exercises[place:] if one.name not in self.solved and one.name not in self.skipped]
        self.present = waiting[0] if waiting else ""

    def forget(self, exercise: Exercise) -> None:
        """Forget what was reached in an exercise, and open it."""
        self.solved.pop(exercise.name, None)
        self.hints.pop(exercise.name, None)
        self.skipped = [name for name in self.skipped if name != exercise.name]
        self.present = exercise.name


def load(mine: Mine, known: Progress | None = None) -> Progress:
    """Return what the file says; a fresh start where there is none, or of a part of it that is not as it has to be.

    Args:
        mine: The reader's own variant.
        known: What is known in the case that nothing of it can be read, as while a reader edits it; None for nothing.

    Raises:
        MineError: It cannot be read, and nothing is known: to begin anew would lose what it says.

    """
    try:
        content = json.loads((mine.folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Progress()
    except (OSError, ValueError) as error:
        if known:
            return known
        raise MineError(f"variants/mine/{FILE} cannot be read: {error}. Mend it, or delete it to begin anew.") from None
    names = [one.name for one in fields(Progress)]
    return Progress(**{name: content[name] for name in names if isinstance(content, dict) and _fits(name, content.get(name))})


def _fits(name: str, value: object) -> bool:
    """Say whether a reader who has edited the file has left a part of it as it has to be."""
    if not isinstance(value, type(getattr(Progress(), name))):
        return False
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return all(isinstance(part, PARTS[name]) for part in parts)


def save(mine: Mine, progress: Progress) -> None:
    """Write the file, whole or not at all: it may be read, or the program ended, at any moment."""
    file = mine.folder / FILE
    new = Path(f"{file}.new")
    new.write_text(json.dumps(asdict(progress), indent=2) + "\n", encoding="utf-8")
    new.replace(file)

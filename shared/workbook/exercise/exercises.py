"""What an exercise is, a prediction, and an objective. `contents.py` reads them."""

from dataclasses import dataclass
from typing import Final

from shared.workbook.mistakes.catalogue import Mistake

HINTS: Final = 3
"""Steps of a hint. The last is the answer, and comes from the reference."""

UNTIL: Final = frozenset({"last", "first", "work", "gone"})
"""What a prediction can be about."""


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise.

    Attributes:
        name: What it is called on the command line.
        chapter: Where it belongs.
        title: In a few words.
        goal: What to reach.
        hints: The first steps of the hint; the last one is made from the reference.
        module: The module that it is about, without `.py`.
        functions: What to write; of a module to repair, where the mistake is.
        tests: The tests of the shared suite that must pass.
        mistake: What is planted in the module to repair; None where there is something to write.

    """

    name: str
    chapter: str
    title: str
    goal: str
    hints: tuple[str, ...]
    module: str = ""
    functions: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    mistake: Mistake | None = None

    @property
    def kind(self) -> str:
        """What there is to do: `write`, `repair` or `design`."""
        return "repair" if self.mistake else "write" if self.functions else "design"

    @property
    def file(self) -> str:
        """The file to write in, below `variants/mine`."""
        stem = self.name.replace("-", "_")
        return {"write": f"{self.module}.py", "repair": f"broken/{stem}.py", "design": f"{stem}.py"}[self.kind]


@dataclass(frozen=True, slots=True)
class Prediction:
    """A question to answer before the first run of a chapter, and how it is measured.

    Attributes:
        name: What it is called.
        chapter: Before which chapter it is asked.
        question: What to predict; the answer is a number of seconds.
        request: What is sent, as `GET /sync?seconds=2`.
        count: How many of them at once.
        until: What is measured: the time until the `last` answer; until the `first` event of a stream, or result in a
            conversation; for how long the service behind works (`work`) for a client that leaves after `leaves_after` seconds; or
            until the server has ended (`gone`) that was asked to stop while this request was under way.
        leaves_after: See there.
        starts: In a conversation, how many seconds each task takes that is started in it, one right after the other.
        because: Why it takes what it takes, for afterwards.

    """

    name: str
    chapter: str
    question: str
    request: str
    because: str
    count: int = 1
    until: str = "last"
    leaves_after: float = 0.0
    starts: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Objective:
    """Something that a reader is to be able to do, and the exercises and predictions that show it."""

    goal: str
    shown_by: tuple[str, ...]

"""One way in which stacks differ: the question, why it matters, and the answers there can be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trait:
    """One key.

    Attributes:
        meaning: The question that it answers.
        matters: Why the answer matters.
        values: Its possible values, each with what it says.

    """

    meaning: str
    matters: str
    values: dict[str, str]

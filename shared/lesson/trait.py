"""One way in which stacks differ: the question, why it matters, and the answers there can be."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Value:
    """One answer.

    Attributes:
        says: What it means.
        sources: Where one can read that it is so, or why: links, by the name of the project that they are about. What needs no
            reason, since it is what one would wish, has none.

    """

    says: str
    sources: Mapping[str, str] = field(default_factory=dict)


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
    values: dict[str, Value]

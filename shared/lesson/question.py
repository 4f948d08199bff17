"""What a chooser asks beside how a stack behaves: the question, why it matters, and each stack's answer with its evidence."""

from dataclasses import dataclass
from typing import TypedDict


@dataclass(frozen=True, slots=True)
class Fact:
    """One answer.

    Attributes:
        says: The answer, in a sentence or two, without a full stop at its end.
        evidence: Where it can be checked: links to the project's own pages or issues, and files of the workbook, a test of one
            as `tests/FILE.py::NAME`.

    """

    says: str
    evidence: tuple[str, ...]


class Answers(TypedDict):
    """The answer of each variant."""

    fastapi_asyncio: Fact
    starlette_asyncio: Fact
    aiohttp_asyncio: Fact
    anyio_trio: Fact


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        meaning: The question.
        matters: Why the answer matters.
        answers: What each variant's stack has to say to it.

    """

    meaning: str
    matters: str
    answers: Answers

"""Writes the chooser's questions and answers into their page: `python -m shared.workbook.choosing` after a change of them."""

from pathlib import Path
from typing import cast

from shared.lab.variants import ROOT
from shared.lesson.choosing import QUESTIONS
from shared.lesson.question import Fact, Question

PAGE = ROOT / "shared" / "lesson" / "text" / "choosing.md"
HEADING = "## The answers"
NAMES = {
    "fastapi_asyncio": "FastAPI",
    "starlette_asyncio": "Starlette",
    "aiohttp_asyncio": "aiohttp",
    "anyio_trio": "anyio on trio",
}


def _link(evidence: str) -> str:
    """Return a link that says where it leads: to a file here, or to somebody's page."""
    if "://" in evidence:
        return f"[{evidence.partition('#')[0].removeprefix('https://').rstrip('/')}]({evidence})"
    file = evidence.partition("::")[0]
    return f"[`{Path(file).name}`](../../../{file})"


def _line(names: list[str], fact: Fact) -> str:
    links = dict.fromkeys(map(_link, fact.evidence))  # Several tests stand in one file.
    return f"- **{', '.join(names)}**: {fact.says}. ({', '.join(links)})"


def _grouped(question: Question) -> list[tuple[list[str], Fact]]:
    """Return each answer with those that give it, in the order of the variants."""
    answers = cast("dict[str, Fact]", question.answers)
    facts = list(dict.fromkeys(answers.values()))
    return [([NAMES.get(name, name) for name, answer in answers.items() if answer == fact], fact) for fact in facts]


def rendered() -> str:
    """Return the part of the page that is made from the answers, in Markdown."""
    parts = [HEADING, "Behind each stands its evidence: the project's own page, or the file here that shows it."]
    for question in QUESTIONS.values():
        lines = [_line(names, fact) for names, fact in _grouped(question)]
        parts.append("\n".join([f"**{question.meaning}** {question.matters}", "", *lines]))
    return "\n\n".join(parts) + "\n"


def page(path: Path = PAGE) -> str:
    """Return the page as it should be: what somebody wrote, and below it the answers of today."""
    written = path.read_text(encoding="utf-8").partition(HEADING)[0]
    return written + rendered()


def main(path: Path = PAGE) -> None:
    """Bring the page up to date."""
    path.write_text(page(path), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()

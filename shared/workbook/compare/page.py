"""The comparison as one HTML file that needs nothing else: no script, no font, no network."""

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from shared.lab.variants import ROOT
from shared.lesson.contract import CHAPTERS

FOLDER: Final = Path(__file__).parent
TEXTS: Final = ROOT / "shared" / "lesson" / "text"
SHORTEST: Final = 0.3
"""The least width of a bar, in percent: what took no time has to be seen."""


def render(comparison: dict[str, Any]) -> str:
    """Return the page; all values in it are escaped."""
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters |= {"words": words, "place": place, "code": code, "title_of": title_of}
    by_chapter = {
        chapter: [longest(one) for one in comparison["experiments"] if one["chapter"] == chapter] for chapter in CHAPTERS
    }
    chapters = {chapter: found for chapter, found in by_chapter.items() if found}
    return environment.get_template("page.html").render(chapters=chapters, **comparison)


def title_of(chapter: str) -> str:
    """Return the title of a chapter's text."""
    first, *_ = (TEXTS / f"{chapter}.md").read_text(encoding="utf-8").splitlines()
    return first.removeprefix("# ")


def longest(experiment: dict[str, Any]) -> dict[str, Any]:
    """Return an experiment with the length of its axis in seconds: until the last thing on any stack has ended."""
    results = experiment["results"].values()
    ends = [row["end"] for one in results for row in one["rows"]] + [one["seconds"] for one in results]
    return {**experiment, "longest": max(ends) or 1.0}


def place(span: dict[str, float], seconds: float) -> str:
    """Return where a bar stands on an axis of so many seconds, as CSS in percent."""
    left, right = (100 * min(max(span[edge], 0), seconds) / seconds for edge in ("start", "end"))
    left = min(left, 100 - SHORTEST)
    width = max(right - left, SHORTEST)
    return f"left:{left:.2f}%;width:{width:.2f}%"


def code(text: str) -> Markup:
    """Return a text as HTML, with what stands between backticks as code."""
    parts = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts))


def words(key: str) -> str:
    """Return a value of the closed lists as a reader reads it."""
    return key.replace("-", " ").replace("_", " ")

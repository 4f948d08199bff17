"""The chooser's table is complete, its evidence exists, and what can be counted is counted again."""

import ast
import re
from importlib.metadata import distribution
from typing import get_type_hints
from urllib.parse import urlsplit

import pytest
from packaging.requirements import Requirement

from shared.lab.variants import ROOT, groups
from shared.lesson.choosing import QUESTIONS
from shared.lesson.question import Answers, Fact, Question
from shared.workbook.choosing import NAMES, PAGE, page

OWN_SITES = {
    "anyio.readthedocs.io",
    "docs.aiohttp.org",
    "docs.sqlalchemy.org",
    "fastapi.tiangolo.com",
    "starlette.dev",
    "trio.readthedocs.io",
    "uvicorn.dev",
}
OWN_REPOSITORIES = {
    "Kludex/starlette",
    "MagicStack/asyncpg",
    "aio-libs/aiobotocore",
    "alisaifee/coredis",
    "davidbrochart/anycorn",
    "psycopg/psycopg",
    "pydantic/httpx2",
    "python-trio/triopg",
    "sqlalchemy/awaitlet",
}
PINS = dict(re.findall(r"^([\w-]+)==([\w.]+)", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE))
FACTS = [(key, name, fact) for key, question in QUESTIONS.items() for name, fact in question.answers.items()]

anyquestion = pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())


def facts(key: str) -> dict[str, Fact]:
    """Return the answers to a question, by variant."""
    return {name: fact for one, name, fact in FACTS if one == key and isinstance(fact, Fact)}


@anyquestion
def test_every_variant_answers_every_question(question: Question) -> None:
    """Each variant has its answer, in words and with evidence; the type knows the variants, too."""
    assert list(question.answers) == list(groups()) == list(get_type_hints(Answers)) == list(NAMES)
    for name, fact in question.answers.items():
        assert isinstance(fact, Fact)
        assert fact.says, f"{name} says nothing to: {question.meaning}"
        assert fact.evidence, f"{name} has no evidence for: {fact.says}"


def evidence() -> list[str]:
    """Return every piece of evidence once."""
    return sorted({piece for key in QUESTIONS for fact in facts(key).values() for piece in fact.evidence})


@pytest.mark.parametrize("piece", evidence())
def test_evidence_is_a_projects_own_page_or_can_be_run_here(piece: str) -> None:
    """A link is secure and leads to the project in question; anything else is a file here, and the test of it that is named."""
    if "://" in piece:
        link = urlsplit(piece)
        repository = "/".join(link.path.split("/")[1:3])
        assert link.scheme == "https"
        assert link.hostname in OWN_SITES or (link.hostname == "github.com" and repository in OWN_REPOSITORIES)
        return
    file, _, name = piece.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert not name or name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def needed(requirements: list[str]) -> dict[str, int]:
    """Return the packages that these bring along on this machine, each with its size in bytes, without compiled bytecode."""
    found: dict[str, int] = {}
    waiting = [Requirement(line) for line in requirements]
    while waiting:
        wanted = waiting.pop()
        name = wanted.name.lower().replace("_", "-")
        if name in found:
            continue
        package = distribution(name)
        files = [package.locate_file(file) for file in package.files or [] if file.suffix != ".pyc"]
        found[name] = sum(file.stat().st_size for file in files if file.is_file())  # type: ignore[attr-defined]
        for line in map(Requirement, package.requires or []):
            extras = wanted.extras or {""}
            if not line.marker or any(line.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(line)
    return found


@pytest.mark.parametrize("name", groups())
def test_the_weight_is_right(name: str) -> None:
    """So many packages, and so many MiB, are installed here too; platforms and Python versions differ a little."""
    said = re.fullmatch(r"(\d+) packages, (\d+) MiB", facts("weight")[name].says)
    assert said
    installed = needed(groups()[name])
    assert len(installed) == pytest.approx(int(said[1]), abs=2), f"there are {len(installed)}: {', '.join(sorted(installed))}"
    assert sum(installed.values()) / 2**20 == pytest.approx(int(said[2]), rel=0.3, abs=1.5)


@pytest.mark.parametrize("name", groups())
def test_the_releases_are_those_in_use(name: str) -> None:
    """Release and licence are those of the pinned version: with a newer one, its date has to be looked up again."""
    releases = re.findall(r"(\w+) ([\d.]+) of \d+ \w+ \d{4}, \d+ releases, ([\w. -]+?)(?:;|$)", facts("upkeep")[name].says)
    assert releases
    for package, version, licence in releases:
        assert PINS[package] == version, f"{package} is {PINS[package]} by now"
        metadata = distribution(package).metadata
        stated = " ".join(text for name in ("License-Expression", "Classifier") for text in metadata.get_all(name) or [])
        assert licence in stated


def test_the_page_is_of_today() -> None:
    """The page holds these answers; after a change, `python -m shared.workbook.choosing` writes them anew."""
    assert PAGE.read_text(encoding="utf-8") == page(), "the page is stale: run python -m shared.workbook.choosing"

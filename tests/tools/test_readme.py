"""The README and the text tell the truth: what they name exists, and what they show is what is printed today."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.lab.causes import WORDS, Cause
from shared.lab.terms import terms
from shared.lab.variants import ROOT, groups
from shared.lesson.contract import ENDPOINTS
from shared.workbook.mistakes import __main__ as mistakes
from shared.workbook.mistakes.catalogue import load, named

PAGE = ROOT / "README.md"
README = PAGE.read_text(encoding="utf-8")
PAGES = [PAGE, *sorted((ROOT / "shared" / "lesson" / "text").glob("*.md"))]
SAMPLES = [PAGE, ROOT / "shared" / "lesson" / "text" / "proof.md"]
NOXFILE = (ROOT / "noxfile.py").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```text\n(.*?)^```", re.MULTILINE | re.DOTALL)

anypage = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
anysample = pytest.mark.parametrize("page", SAMPLES, ids=lambda page: page.name)


def functions(path: Path) -> Iterator[tuple[str, range]]:
    """Yield each function of a file with its lines, from the first decorator on."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield node.name, range(first, (node.end_lineno or 0) + 1)


def sample(page: Path) -> str:
    """Return the failure message that a page shows."""
    shown: list[str] = BLOCK.findall(page.read_text(encoding="utf-8"))
    return next(block for block in shown if "time.sleep" in block)


@anypage
def test_linked_files_exist(page: Path) -> None:
    """Every relative link leads to a file or a folder."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing, f"{page.name} links to {missing}, which is not there"


def test_named_files_exist() -> None:
    """Every file and folder named in code type exists, in the root or in each variant."""
    named = {name for name in re.findall(r"`([\w/.]+(?:\.(?:py|md|toml|txt)|/))`", README) if "NAME" not in name}
    variants = [ROOT / "variants" / variant for variant in groups()]
    missing = [name for name in named if not (ROOT / name).exists() and not all((place / name).exists() for place in variants)]
    assert named
    assert not missing, f"the README names {missing}, which is not in the root, and not in every variant"


@anypage
def test_named_sessions_exist(page: Path) -> None:
    """Every `nox -s NAME` names a session of the menu."""
    menu = set(re.findall(r"^def (\w+)\(session: nox.Session", NOXFILE, re.MULTILINE))
    unknown = set(re.findall(r'nox -s "?(\w+)', page.read_text(encoding="utf-8"))) - menu
    assert not unknown, f"{page.name} names {unknown}, which the noxfile does not have"


def test_every_session_is_named() -> None:
    """The README names every session of the menu; what only another session calls, as its part."""
    public = re.findall(r"^@nox\.session.*?^def (\w+)\(", NOXFILE, re.MULTILINE | re.DOTALL)
    missing = [name for name in public if f"nox -s {name}" not in README and f"`{name}`" not in README]
    assert not missing, f"the README does not name {missing} of the noxfile"


@anypage
def test_named_modules_exist(page: Path) -> None:
    """Every `python -m MODULE` and every `variants.NAME.app:app` can be run."""
    text = page.read_text(encoding="utf-8")
    modules = set(re.findall(r"python -m ((?:shared|variants)[\w.]+)", text)) | set(re.findall(r"(variants[\w.]+):app", text))
    for module in modules:
        for place in [module.replace("NAME", name) for name in groups()] if "NAME" in module else [module]:
            path = ROOT / place.replace(".", "/")
            assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), f"{page.name} names {module}"


def test_named_options_exist(capsys: pytest.CaptureFixture[str]) -> None:
    """Every option behind `nox -s mistakes`, and every mistake that is run by its name, exists."""
    with pytest.raises(SystemExit):
        mistakes.parse(["--help"])
    known = set(re.findall(r"--[\w-]+", capsys.readouterr().out))
    part = README[README.index("**Can the suite be trusted?**") : README.index("## The lesson in short")]
    assert set(re.findall(r"(?<= )--\w[\w-]*|(?<=`)--\w[\w-]*", part)) <= known
    for name in re.findall(r"nox -s mistakes -- --only ([\w-]+)", README):
        assert set(named(name, load(root=ROOT)).variants) == set(re.findall(rf"^caught +{name} in (\w+)", README, re.MULTILINE))


def test_named_functions_exist() -> None:
    """Every function of the table from concept to file stands in that file of every variant; variants and endpoints are named."""
    rows = re.findall(r"\| `(\w+\.py)` \| (.*\(\)`) \|", README)
    assert rows
    for file, cell in rows:
        for variant in groups():
            there = {name for name, _ in functions(ROOT / "variants" / variant / file)}
            missing = set(re.findall(r"`(\w+)\(\)`", cell)) - there
            assert not missing, f"{missing} is not in variants/{variant}/{file}"
    for name in (*groups(), *(endpoint.path for endpoint in ENDPOINTS)):
        assert f"`{name}`" in README, f"the README does not name {name}"


@anysample
def test_the_failure_shown_names_what_is_there(page: Path) -> None:
    """Each place in the message that a page shows is a line of that function today."""
    places = re.findall(r"(variants/\w+/\w+\.py):(\d+) (?:in )?(\w+)", sample(page))
    assert places
    for file, line, name in places:
        lines = [lines for function, lines in functions(ROOT / file) if function == name]
        assert lines, f"{page.name} shows {name} in {file}, which is not there"
        assert int(line) in lines[0], f"{page.name} shows {file}:{line} in {name}, which has the lines {lines[0]}"


@anysample
def test_the_failure_shown_is_worded_as_today(page: Path) -> None:
    """The cause and the cure in the message that a page shows are the suite's words for a blocking call."""
    text = sample(page)
    folder = ROOT / "variants" / re.findall(r"variants/(\w+)/", text)[0]
    cure = WORDS[Cause.BLOCKS].cure.format(**terms(folder))
    assert f"Probable cause: {WORDS[Cause.BLOCKS].cause}. {cure[0].upper()}{cure[1:]}." in text


def test_the_table_shown_has_todays_columns() -> None:
    """The table of results has a column for each variant, and a row for what each runs on."""
    table = next(block for block in BLOCK.findall(README) if "What each variant did" in block)
    for name in (*groups(), "framework", "event loop", "server", "/sync x 2", "/parallel", "/sequential"):
        assert name in table, f"the table has no {name}"


@anypage
def test_no_registry_is_linked(page: Path) -> None:
    """Sources are the projects' own pages."""
    assert not re.findall(r"https://(?:pypi|files\.pythonhosted)\.org[^)\s]*", page.read_text(encoding="utf-8"))

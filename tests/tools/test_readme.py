"""The README tells the truth: what it names exists."""

import re
from pathlib import Path

import pytest

from shared.lab.variants import ROOT, groups
from shared.lesson.contract import ENDPOINTS

README = (ROOT / "README.md").read_text(encoding="utf-8")
TEXTS = sorted((ROOT / "shared" / "lesson" / "text").glob("*.md"))


@pytest.mark.parametrize("page", [ROOT / "README.md", *TEXTS], ids=lambda page: page.name)
def test_linked_files_exist(page: Path) -> None:
    """Every relative link leads to a file or a folder."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing


def test_named_files_exist() -> None:
    """Every file named in code type exists, in the root or in each variant."""
    named = {name for name in re.findall(r"`([\w/.]+\.(?:py|md|toml|txt))`", README) if "NAME" not in name}
    places = [ROOT, *(ROOT / "variants" / variant for variant in groups())]
    missing = [name for name in named if not any((place / name).is_file() for place in places)]
    assert not missing


def test_named_sessions_exist() -> None:
    """Every `nox -s NAME` names a session of the menu."""
    menu = re.findall(r"^def (\w+)\(session: nox.Session", (ROOT / "noxfile.py").read_text(encoding="utf-8"), re.MULTILINE)
    named = set(re.findall(r'nox -s "?(\w+)', README))
    assert named <= set(menu)
    assert named >= {"variant", "serve", "read", "coffee", "lint", "typing", "lock"}


def test_named_functions_exist() -> None:
    """Every function in the table from concept to file exists in every variant; each variant and endpoint is named."""
    sources = ["".join(path.read_text(encoding="utf-8") for path in (ROOT / "variants" / name).glob("*.py")) for name in groups()]
    for function in re.findall(r"`(\w+)\(\)`", README):
        assert all(f"def {function}(" in source for source in sources), f"{function} is not in every variant"
    for name in (*groups(), *(endpoint.path for endpoint in ENDPOINTS)):
        assert f"`{name}`" in README, f"the README does not name {name}"

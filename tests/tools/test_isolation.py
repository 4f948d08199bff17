"""What can be imported where little is installed; the menu's `isolation` job shows it of each variant in its environment."""

import subprocess
import sys

import pytest

from shared.lab.variants import ROOT, groups, missing
from tests.tools.isolation import import_all, serve_and_ask


def without_packages(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the standard library alone."""
    command = [sys.executable, "-E", "-S", "-W", "error", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own command


def test_the_lesson_needs_only_python() -> None:
    """Every module that a variant may import from the lesson can be imported where nothing is installed."""
    done = without_packages("-c", "from tests.tools.isolation import import_all; print(*import_all('shared.lesson'))")
    assert done.returncode == 0, done.stderr
    modules = {file.stem for file in (ROOT / "shared" / "lesson").glob("*.py")} - {"__init__"}
    assert set(done.stdout.split()) == modules


@pytest.mark.parametrize("variant", groups())
def test_a_missing_package_is_found(variant: str) -> None:
    """Where a package that it needs is not installed, importing a variant fails, and says which package that is."""
    done = without_packages("-m", "tests.tools.isolation", variant)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("ModuleNotFoundError: No module named ")


@pytest.mark.parametrize("variant", groups())
def test_every_module_is_imported(variant: str) -> None:
    """Where its packages are installed, every module of a variant is imported."""
    if absent := missing(variant):
        pytest.skip(f"{variant} needs {', '.join(absent)}, not installed here")
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "tests.tools.isolation", variant], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert all(file.stem in done.stdout for file in (ROOT / "variants" / variant).glob("[!_]*.py"))


def test_a_server_that_does_not_start_is_found() -> None:
    """A variant that does not say where it serves is an error, and not a wait."""
    with pytest.raises(SystemExit, match=r"variants\.nobody does not serve on asyncio"):
        serve_and_ask("variants.nobody", "asyncio")


def test_modules_are_found_by_their_names() -> None:
    """`import_all` returns the modules of a package by their names."""
    assert import_all("shared.workbook").keys() >= {"read", "table"}

"""The README's table of differences is what the variants declare today, and the command that writes it writes nothing else."""

import re
import shutil
from pathlib import Path

import pytest

from shared.lab.variants import ROOT, groups
from shared.lesson.character import TRAITS
from shared.workbook.declared import BEGIN, END, PAGE, main, markdown, written


def test_the_table_of_the_readme_is_not_stale() -> None:
    """What stands between the marks is what the command would write now."""
    text = PAGE.read_text(encoding="utf-8")
    assert text == written(text, markdown()), "a declaration has changed: run nox -s declared"


def test_every_trait_and_every_variant_stands_in_it() -> None:
    """There are at least fifteen rows, one for each trait, and a column for each variant, with a value in each."""
    head, _, *rows = markdown().splitlines()
    assert len(rows) == len(TRAITS) >= 15
    assert re.findall(r"`(\w+)`", head) == list(groups())
    assert all(len(row.split("|")) == len(groups()) + 3 and "not stated" not in row for row in rows)


@pytest.mark.parametrize(
    ("was", "becomes", "cells"),
    [
        ('"head": "answered"', '"head": "refused"', ["refused", "answered", "refused", "answered"]),
        ('"head": "answered"', '"head": "other"', ["**refused**", "answered", "**other**", "answered"]),
        ('"docs": "none"', '"docs": "served"', ["served", "none", "served", "none"]),
    ],
)
def test_another_declaration_makes_another_table(tmp_path: Path, was: str, becomes: str, cells: list[str]) -> None:
    """The table follows the files: one changed value changes one row, in which bold is what fewer than half of them do."""
    shutil.copytree(ROOT / "variants", tmp_path / "variants", ignore=shutil.ignore_patterns("__pycache__", "mine"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    file = tmp_path / "variants" / "aiohttp_asyncio" / "character.py"
    text = file.read_text(encoding="utf-8")
    assert was in text
    file.write_text(text.replace(was, becomes), encoding="utf-8")
    before, after = markdown().splitlines(), markdown(tmp_path).splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [[cell.strip() for cell in row.split("|")[2:-1]] for row in changed] == [cells]


def test_only_what_stands_between_the_marks_is_written(tmp_path: Path) -> None:
    """The rest of the page stays as it is; writing twice is like writing once."""
    page = tmp_path / "page.md"
    page.write_text(f"above\n{BEGIN}old\n{END}below\n", encoding="utf-8")
    main(page)
    assert page.read_text(encoding="utf-8") == f"above\n{BEGIN}{markdown()}{END}below\n"
    main(page)
    assert page.read_text(encoding="utf-8") == f"above\n{BEGIN}{markdown()}{END}below\n"


@pytest.mark.parametrize("text", ["no marks", BEGIN, END + BEGIN, BEGIN + BEGIN + END, BEGIN + END + END])
def test_a_page_without_its_marks_is_left_alone(tmp_path: Path, text: str) -> None:
    """The command ends with a message and writes nothing."""
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit, match="marks"):
        main(page)
    assert page.read_text(encoding="utf-8") == text

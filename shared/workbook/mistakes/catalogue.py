"""The catalogue of mistakes: one TOML file a chapter, beside this module, read into values that cannot be wrong in form.

A mistake is a small replacement within one function of a variant's module. In a file it looks like this:

    [[mistake]]
    name = "sleep-blocks"                 # unique, in small letters and hyphens
    title = "time.sleep in async code"    # one line, for tables
    why = "..."                           # what it looks like from outside, for a learner
    module = "waiting"                    # the file, without .py
    function = "slow_async_operation"     # where it stands
    cause = "blocks"                      # what the suite has to name
    tests = ["tests/test_waiting.py::test_waits_do_not_block"]  # at least one must fail with that cause
    [[mistake.edit]]
    variants = ["fastapi_asyncio"]
    was = "await asyncio.sleep(seconds)"
    becomes = "time.sleep(seconds)"

`scope = "module"` lets an edit apply anywhere in the module, where one function cannot hold it. `needs = "fork"` says that the
mistake can be made only where `multiprocessing` can start a process so.
"""

import multiprocessing
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shared.lab.causes import Cause
from shared.lab.variants import ROOT, groups
from shared.lesson.contract import MODULES
from shared.workbook.mistakes.fields import CatalogueError, expect, tables, text, texts

FOLDER: Final = Path(__file__).parent
SCOPES: Final = ("function", "module")
NEEDS: Final = (None, "fork")

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TEST = re.compile(r"tests/(stacks/)?test_\w+\.py::test_\w+(\[.+\])?")
_TEXTS = ("name", "title", "why", "module", "function")


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement: in each of these variants `was`, which stands there exactly once, becomes `becomes`."""

    variants: tuple[str, ...]
    was: str
    becomes: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """One deliberately wrong version; the fields are those of the file, explained above."""

    name: str
    title: str
    why: str
    module: str
    function: str
    cause: Cause
    tests: tuple[str, ...]
    edits: tuple[Edit, ...]
    scope: str = "function"
    needs: str | None = None

    @property
    def can_be_made_here(self) -> bool:
        """Whether this system has what it needs: Windows has no fork."""
        return self.needs is None or self.needs in multiprocessing.get_all_start_methods()

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants that it can be planted in, in the order of their first mention."""
        return tuple(dict.fromkeys(variant for edit in self.edits for variant in edit.variants))


def load(folder: Path = FOLDER, root: Path = ROOT) -> list[Mistake]:
    """Return all mistakes, in the order of the lesson's chapters.

    Args:
        folder: What holds the TOML files; a file that is named like a module comes in that module's place, others last.
        root: The project, whose variants an edit may name.

    Raises:
        CatalogueError: A file cannot be read, a field is missing, unknown or wrong, or a name stands there twice.

    """
    files = sorted(folder.glob("*.toml"), key=lambda file: ([*MODULES, file.stem].index(file.stem), file.stem))
    found = [mistake for file in files for mistake in _read(file, frozenset(groups(root)))]
    names = [mistake.name for mistake in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise CatalogueError(f"The catalogue has {', '.join(twice)} more than once.")
    return found


def named(name: str, mistakes: Iterable[Mistake]) -> Mistake:
    """Return the mistake of this name.

    Raises:
        CatalogueError: There is none.

    """
    for mistake in mistakes:
        if mistake.name == name:
            return mistake
    raise CatalogueError(f"There is no mistake {name}; --list shows those there are.")


def _read(file: Path, variants: frozenset[str]) -> list[Mistake]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # TOML that is none, or bytes that are no text.
        raise CatalogueError(f"{file.name}: {error}") from None
    expect(content, required={"mistake"}, optional=set(), where=file.name)
    numbered = tables(content["mistake"], file.name)
    return [_mistake(table, f"{file.name}, {table.get('name', f'mistake {number}')}", variants) for number, table in numbered]


def _mistake(table: dict[str, Any], where: str, variants: frozenset[str]) -> Mistake:
    expect(table, required={*_TEXTS, "cause", "tests", "edit"}, optional={"scope", "needs"}, where=where)
    words = {field: text(table[field], field, where) for field in _TEXTS}
    checks = {
        "name": _NAME.fullmatch(words["name"]) is not None,
        "module": words["module"] in MODULES,
        "cause": table["cause"] in list(Cause),
        "scope": table.get("scope", "function") in SCOPES,
        "needs": table.get("needs") in NEEDS,
    }
    if wrong := [field for field, fits in checks.items() if not fits]:
        raise CatalogueError(f"{where}: {wrong[0]} cannot be {table[wrong[0]]!r}.")
    tests = texts(table["tests"], "tests", where)
    if strange := [test for test in tests if not _TEST.fullmatch(test)]:
        raise CatalogueError(f"{where}: {strange[0]} is no test's id, such as tests/test_waiting.py::test_sync_blocks.")
    edits = tuple(_edit(edit, f"{where}, edit {number}", variants) for number, edit in tables(table["edit"], where))
    given = {field: table[field] for field in ("scope", "needs") if field in table}
    return Mistake(**words, cause=Cause(table["cause"]), tests=tests, edits=edits, **given)


def _edit(table: dict[str, Any], where: str, variants: frozenset[str]) -> Edit:
    expect(table, required={"variants", "was", "becomes"}, optional=set(), where=where)
    chosen = texts(table["variants"], "variants", where)
    if unknown := [name for name in chosen if name not in variants]:
        raise CatalogueError(f"{where}: there is no variant {unknown[0]}.")
    was, becomes = text(table["was"], "was", where), table["becomes"]
    if not isinstance(becomes, str) or was == becomes:
        raise CatalogueError(f"{where}: becomes must be another text than was.")
    return Edit(chosen, was, becomes)

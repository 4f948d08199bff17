"""Plants a mistake: makes a copy of a variant that has it, or shows what it changes."""

import difflib
import shutil
from pathlib import Path

from shared.lab.variants import ROOT
from shared.workbook.mistakes.catalogue import Mistake
from shared.workbook.source import SourceError, find


class PlantError(Exception):
    """A mistake does not fit the code as it stands; the message is one line that names both."""


def plant(mistake: Mistake, variant: str, folder: Path, root: Path = ROOT) -> Path:
    """Copy a variant's package into `folder/variants`, with the mistake in it, and return the file that holds it.

    Raises:
        PlantError: An edit does not apply exactly once, or the result is not Python.

    """
    text = planted_text(mistake, variant, root)
    package = folder / "variants"
    shutil.copytree(root / "variants" / variant, package / variant, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "variants" / "__init__.py", package)
    file = package / variant / f"{mistake.module}.py"
    file.write_text(text, encoding="utf-8")
    return file


def planted_text(mistake: Mistake, variant: str, root: Path = ROOT) -> str:
    """Return the text of the module with the mistake in it.

    Raises:
        PlantError: As for `plant`.

    """
    first, code = _where(mistake, variant, root)
    changed = code
    for edit in mistake.edits:
        if variant not in edit.variants:
            continue
        if (count := changed.count(edit.was)) != 1:
            raise PlantError(
                f"{mistake.name} in {variant}: {edit.was!r} stands {count} times in {mistake.function}, and not once."
            )
        changed = changed.replace(edit.was, edit.becomes)
    lines = _original(mistake, variant, root).split("\n")
    lines[first : first + code.count("\n") + 1] = changed.split("\n")
    text = "\n".join(lines)
    try:
        compile(text, f"variants/{variant}/{mistake.module}.py", "exec")
    except SyntaxError as error:
        raise PlantError(f"{mistake.name} in {variant}: line {error.lineno} is not Python: {error.msg}.") from None
    return text


def difference(mistake: Mistake, variant: str, root: Path = ROOT) -> str:
    """Return what the mistake changes, as a unified diff.

    Raises:
        PlantError: As for `plant`.

    """
    right = _original(mistake, variant, root).split("\n")
    wrong = planted_text(mistake, variant, root).split("\n")
    place = f"variants/{variant}/{mistake.module}.py"
    lines = difflib.unified_diff(right, wrong, f"{place} (right)", f"{place} (wrong)", lineterm="")
    return "\n".join(lines)


def _original(mistake: Mistake, variant: str, root: Path) -> str:
    return Path(root, "variants", variant, f"{mistake.module}.py").read_text(encoding="utf-8")


def _where(mistake: Mistake, variant: str, root: Path) -> tuple[int, str]:
    """Return the first line, counted from 0, and the code that the edits may change."""
    if variant not in mistake.variants:
        raise PlantError(f"{mistake.name} has no version for {variant}; it has: {' '.join(mistake.variants)}")
    what = mistake.function if mistake.scope == "function" else f"{mistake.module}.py"
    try:
        piece = find(what, [variant], root)[0][0]
    except SourceError as error:
        raise PlantError(f"{mistake.name}: {error}") from None
    file, _, line = piece.place.rpartition(":") if piece else ("", "", "")
    if piece is None or file != f"variants/{variant}/{mistake.module}.py":
        raise PlantError(f"{mistake.name}: {mistake.function} does not stand in {mistake.module}.py of {variant}.")
    return int(line) - 1, piece.code

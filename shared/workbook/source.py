"""Finds code in the variants without importing them, so that no framework has to be installed to read it."""

import ast
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.lab.variants import ROOT, groups
from shared.lesson.contract import ENDPOINTS, MODULES, endpoint


class SourceError(Exception):
    """What was asked for cannot be shown; the message is one line that says why, and what there is."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a variant's code.

    Attributes:
        place: Its file and first line, as `variants/NAME/together.py:24`.
        code: Its lines, as they stand in the file.

    """

    place: str
    code: str


def variants(root: Path = ROOT) -> list[str]:
    """Return the variants that have code to read, in the order of `pyproject.toml`."""
    return [name for name in groups(root) if (root / "variants" / name / "app.py").is_file()]


def choose(names: list[str], root: Path = ROOT) -> list[str]:
    """Return the variants that are named, in full or by how they begin; all that have a group when none is named.

    Raises:
        SourceError: No variant has such a name, or several begin with it.

    """
    known = variants(root)
    known += sorted({file.parent.name for file in root.glob("variants/*/app.py")} - set(known))
    chosen = []
    for name in names:
        fitting = [name] if name in known else [variant for variant in known if variant.startswith(name)]
        if not fitting:
            raise SourceError(f"There is no variant {name}. There are: {' '.join(known)}")
        if len(fitting) > 1:
            raise SourceError(f"{name} may be any of: {' '.join(fitting)}")
        chosen += fitting
    return list(dict.fromkeys(chosen)) or variants(root)


def find(what: str, names: list[str], root: Path = ROOT) -> list[list[Piece | None]]:
    """Return each thing to show: an entry for each variant, in the order of `names`, None where it does not have it.

    Args:
        what: An endpoint (`/parallel`), a module (`search.py` or `search`) or a function (`get_embedding`).
        names: The variants, by their full names.
        root: The folder that holds `variants`.

    Raises:
        SourceError: None of the variants has it, or a file cannot be read.

    """
    wanted, home = [what], ""
    if what.startswith("/"):
        try:
            row = endpoint(what)
        except LookupError as error:
            raise SourceError(str(error)) from None
        wanted, home = [row.function, row.operation] if row.operation else [row.function], row.module
    found = [[_piece(root, variant, name, home) for variant in names] for name in wanted]
    if not any(found[0]):
        known = [*(row.path for row in ENDPOINTS), *dict.fromkeys(_known(root, names))]
        raise SourceError(f"There is no {wanted[0]} in {' '.join(names)}. There are: {' '.join(known)}")
    return found


def _piece(root: Path, variant: str, name: str, home: str) -> Piece | None:
    """Return the module or function of that name, a function first from the module that is its `home`."""
    for module in _modules(root, variant, home):
        place = f"variants/{variant}/{module}.py"
        if module == name.removesuffix(".py"):
            return Piece(f"{place}:1", _read(root, place)[0].rstrip("\n"))
        text, definitions = _read(root, place)
        if name in definitions:
            first, last = definitions[name]
            return Piece(f"{place}:{first}", "\n".join(text.split("\n")[first - 1 : last]))
    return None

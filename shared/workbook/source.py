"""Finds code in the variants without importing them, so that no framework has to be installed to read it."""

import ast
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path

from shared.lab.variants import COMPARED, EXAMPLES, HOMES, ROOT, groups
from shared.lesson.contract import ENDPOINTS, MODULES, endpoint


class SourceError(Exception):
    """What was asked for cannot be shown; the message is one line that says why, and what there is."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a variant's code, and where it stands, as `variants/NAME/together.py:24`."""

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
    known += sorted({file.parent.name for home in HOMES for file in root.glob(f"{home}/*/app.py")} - set(known))
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
    wanted, home = _wanted(what)
    found = [[_piece(root, variant, name, home) for variant in names] for name in wanted]
    if not any(found[0]):
        known = dict.fromkeys(chain((row.path for row in ENDPOINTS), *(_known(root, variant) for variant in names)))
        raise SourceError(f"There is no {wanted[0]} in {' '.join(names)}. There are: {' '.join(known)}")
    return found


def _wanted(what: str) -> tuple[list[str], str]:
    """Return the names to look for, and the module where a variant has them first of all; empty for any."""
    if not what.startswith("/"):
        return [what], ""
    try:
        row = endpoint(what)
    except LookupError as error:
        raise SourceError(str(error)) from None
    return [name for name in (row.function, row.operation) if name], row.module


def _piece(root: Path, variant: str, name: str, home: str) -> Piece | None:
    places = _places(root, variant, home)
    if not home and (place := places.get(name.removesuffix(".py"))):
        return Piece(f"{place}:1", _read(root, place)[0].rstrip())
    for place in places.values():
        text, definitions = _read(root, place)
        if name in definitions:
            first, last = definitions[name]
            return Piece(f"{place}:{first}", "\n".join(text.split("\n")[first - 1 : last]))
    return None


def _places(root: Path, variant: str, home: str = "") -> dict[str, str]:
    """Return the file of each module: first the one that is `home`, then the lesson's in reading order, then others."""
    folder = f"{EXAMPLES if (root / EXAMPLES / variant).is_dir() else COMPARED}/{variant}"
    present = {file.stem for file in root.glob(f"{folder}/*.py")} - {"__init__"}
    ordered = dict.fromkeys([home, *MODULES, *sorted(present)])
    return {module: f"{folder}/{module}.py" for module in ordered if module in present}


def _known(root: Path, variant: str) -> Iterator[str]:
    """Name a variant's modules, each before its functions."""
    for place in _places(root, variant).values():
        yield Path(place).name
        yield from _read(root, place)[1]


def _read(root: Path, place: str) -> tuple[str, dict[str, tuple[int, int]]]:
    """Return a file's text, and of each function and class the first line (of its decorators, if any) and the last."""
    try:
        with tokenize.open(root / place) as file:
            text = file.read()
        return text, _definitions(text)
    except SyntaxError as error:
        raise SourceError(f"{place}:{error.lineno or 1}: {error.msg}") from None
    except (OSError, ValueError) as error:
        raise SourceError(f"{place}: {error}") from None


# A thousand mistakes are looked for in eighty files.
@lru_cache(maxsize=200)
def _definitions(text: str) -> dict[str, tuple[int, int]]:
    nodes = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    starts = [min(part.lineno for part in (node, *node.decorator_list)) for node in nodes]
    return {node.name: (start, node.end_lineno or start) for node, start in zip(nodes, starts, strict=True)}

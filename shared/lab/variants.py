"""Which variants there are: every folder of `variants/`, or of the examples, that has a dependency group of its name."""

import ast
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[2]

COMPARED, EXAMPLES = HOMES = ("variants", "shared/workbook/examples")
"""Folders that hold variants: those that are compared, and a reader's own; and examples of other frameworks."""


class VariantError(Exception):
    """A variant cannot be run; the message says why."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant on one of the event loops it runs on.

    Attributes:
        name: Its folder's name.
        loop: The event loop.
        label: What it is called in tables: its name, with the loop behind it unless that is its usual one.
        root: The folder that holds its `variants`, and `shared` only when it is the project's own.
        home: Which of the `HOMES` below that it stands in.

    """

    name: str
    loop: str
    label: str
    root: Path = ROOT
    home: str = COMPARED

    @property
    def place(self) -> str:
        """Its folder as it is named in messages: below the root, with slashes."""
        return f"{self.home}/{self.name}"

    @property
    def is_minimal(self) -> bool:
        """Whether it is an application without our code, which shows what the stack does."""
        return self.root.name == "minimal"

    @property
    def folder(self) -> Path:
        """Where its modules stand."""
        return self.root / self.place

    @property
    def package(self) -> str:
        """The package that its modules are in, as Python imports it."""
        return self.place.replace("/", ".")


def named(name: str, root: Path = ROOT) -> list[Variant]:
    """Return a variant once for each loop it runs on, its usual one first.

    Raises:
        VariantError: There is no such variant, or its `serve.py` does not say on which loops it runs.

    """
    home = next((home for home in HOMES if (root / home / name / "serve.py").is_file()), None)
    if home is None or not name.isidentifier():  # A path may lead there as well, and no package is called like one.
        raise VariantError(f"There is no variant {name}: a variant is named like its folder in variants/, which has a serve.py.")
    serve = root / home / name / "serve.py"
    for node in ast.parse(serve.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "LOOPS":
            loops: tuple[str, ...] = ast.literal_eval(node.value)
            return [Variant(name, loop, f"{name}-{loop}" if index else name, root, home) for index, loop in enumerate(loops)]
    raise VariantError(f"{home}/{name}/serve.py has no LOOPS, which names the event loops it runs on.")


def groups(root: Path = ROOT, home: str = COMPARED) -> dict[str, list[str]]:
    """Return the dependency group of each variant in one of the `HOMES`, in the order of `pyproject.toml`."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return {name: group for name, group in project["dependency-groups"].items() if (root / home / name).is_dir()}


@cache
def missing(name: str, root: Path = ROOT) -> list[str]:
    """Return the packages that a variant needs and this environment does not have; each test asks, and it stays so."""
    absent = []
    for requirement in next((group for home in HOMES if (group := groups(root, home).get(name))), []):
        try:
            distribution(requirement)
        except PackageNotFoundError:
            absent.append(requirement)
    return absent

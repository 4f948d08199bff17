"""A plan: which tests run over which versions of the variants, in a file that one program writes and the suite reads."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from shared.lab import variants
from shared.lab.variants import Variant


@dataclass(frozen=True, slots=True)
class Wanted:
    """A version of a variant, on its usual event loop, and what runs over it.

    Attributes:
        name: The variant.
        root: The folder that holds the version's `variants`.
        label: What the version is called in the tests' ids, unlike any other of the plan.
        tests: The tests' ids, without parameters.

    """

    name: str
    root: Path
    label: str
    tests: tuple[str, ...]

    def variant(self) -> Variant:
        """Return the version under its label.

        Raises:
            VariantError: There is no such variant below the root.

        """
        return replace(variants.named(self.name, self.root)[0], label=self.label)


def write(file: Path, plan: Iterable[Wanted]) -> None:
    """Write a plan into a file, as JSON."""
    entries = [{"name": one.name, "root": str(one.root), "label": one.label, "tests": one.tests} for one in plan]
    file.write_text(json.dumps(entries), encoding="utf-8")


def read(file: Path) -> list[Wanted]:
    """Return the plan in a file."""
    entries = json.loads(file.read_text(encoding="utf-8"))
    return [Wanted(one["name"], Path(one["root"]), one["label"], tuple(one["tests"])) for one in entries]

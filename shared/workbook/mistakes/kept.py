"""Keeps results, so that a run goes on where the last one was broken off: a JSON line for each, in `.results/mistakes/`.

A result holds for as long as its key does. The key is a hash of all that the result depends on: the mistake, the variant, what
both share, and the tests.
"""

import hashlib
import json
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from shared.lab.variants import ROOT

FILE: Final = ROOT / ".results" / "mistakes" / "kept.jsonl"
SHARED: Final = (
    "shared/lesson/*.py",
    "shared/lab/*.py",
    "shared/upstream/*.py",
    "tests/*.py",
    "tests/stacks/*.py",
    "tests/minimal/*.py",
    "tests/minimal/variants/*/*.py",
    "constraints.txt",
    "shared/workbook/mistakes/judge.py",
)
"""What every result depends on, besides the variant; the tests of the workbook itself do not count."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one run ended.

    Attributes:
        key: The hash of what it depends on.
        item: What ran, such as `sleep-blocks in aiohttp_asyncio`.
        outcome: One of `judge.Outcome`, in words.
        message: What the suite said, or why it said nothing.
        seconds: How long the run took.

    """

    key: str
    item: str
    outcome: str
    message: str
    seconds: float


def fingerprint(patterns: Iterable[str], root: Path = ROOT) -> str:
    """Return a hash of the names and contents of the files that the patterns match, below `root`."""
    digest = hashlib.sha256()
    for file in sorted({file for pattern in patterns for file in root.glob(pattern)}):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(root).as_posix()} {len(content)} ".encode() + content)
    return digest.hexdigest()


class Keys:
    """Makes keys; each file is read once."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._shared = fingerprint(SHARED, root)
        self._variants: dict[str, str] = {}

    def key(self, variant: str, *parts: object) -> str:
        """Return the key of a result that depends on a variant, on what all share, and on `parts`, told apart by repr."""
        if variant not in self._variants:
            self._variants[variant] = fingerprint([f"variants/{variant}/*.py", "variants/__init__.py"], self._root)
        everything = (platform.python_version(), self._shared, self._variants[variant], parts)
        return hashlib.sha256(repr(everything).encode()).hexdigest()[:16]


class Kept:
    """The results so far."""

    def __init__(self, file: Path = FILE) -> None:
        """Read what is kept, and write it again with one line for each item: the latest."""
        self._file = file
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
        latest = {result.item: result for result in map(_parse, lines) if result}
        self._results = {result.key: result for result in latest.values()}
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(map(_line, latest.values())), encoding="utf-8")

    def get(self, key: str) -> Result | None:
        """Return the result under a key, if there is one."""
        return self._results.get(key)

    def add(self, result: Result) -> None:
        """Keep a result, at once: the next moment may be the one in which the run is broken off."""
        self._results[result.key] = result
        with self._file.open("a", encoding="utf-8") as lines:
            lines.write(_line(result))


def _line(result: Result) -> str:
    return json.dumps(asdict(result)) + "\n"


def _parse(line: str) -> Result | None:
    try:
        fields: dict[str, Any] = json.loads(line)
        return Result(**fields)
    except (ValueError, TypeError):  # A line cut short, or from an older version: that item runs again.
        return None

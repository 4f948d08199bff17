"""What the last runs of the suite saw: one file a variant, in `.results`, and one in `.results/stacks` of its stack alone."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.lab.variants import ROOT, groups
from shared.lesson.contract import ENDPOINTS

RESULTS = Path(os.environ.get("WORKBOOK_RESULTS", ROOT / ".results"))
"""Where what was seen is kept; a run whose times are not to be shown in tables sets another folder."""

STACKS = "stacks"
"""The folder, below `RESULTS` as below `tests`, of what is about the stacks without our code: they have a run of their own."""


@dataclass(slots=True)
class Column:
    """What one variant did on one event loop.

    Attributes:
        began: When the run began, in ISO 8601.
        identity: Its `framework`, `event_loop` and `server`, with their versions.
        experiments: For each that proved what the contract asks for its `seconds` and `verdict`, and the timeline in `rows` and
            `stalls`; `more` rows are left out.
        character: For each trait the `value` that was seen, and the `evidence` for it.
        failures: For each test that failed its id (`failed`), the `cause`, and the `message`.

    """

    began: str = ""
    identity: dict[str, str] = field(default_factory=dict)
    experiments: dict[str, dict[str, Any]] = field(default_factory=dict)
    character: dict[str, dict[str, str]] = field(default_factory=dict)
    failures: list[dict[str, str]] = field(default_factory=list)


def read(folder: Path = RESULTS) -> dict[str, Column]:
    """Return the last run of each variant, in the order of `pyproject.toml`, a second event loop beside the first.

    The suite makes a variant's file anew in each run. What was seen of a stack alone joins it, unless that was before.
    """
    known: dict[str, Column] = {}
    for file in sorted(folder.glob("*.jsonl"), key=lambda file: _place_of_column(file.stem)):
        column = known[file.stem] = _read(file)
        stack = _read(folder / STACKS / file.name)
        if stack.began >= column.began:  # Before that, it may have been another version.
            column.character = stack.character | column.character
            column.failures = stack.failures + column.failures
    return known


def _read(file: Path) -> Column:
    """Return what one file holds; nothing, where there is none."""
    column = Column()
    for line in map(json.loads, file.read_text(encoding="utf-8").splitlines() if file.is_file() else []):
        _add(column, line)
    return column


def _add(column: Column, line: dict[str, Any]) -> None:
    if "began" in line:
        column.began = line["began"]
    elif "identity" in line:
        column.identity = line["identity"]
    elif "trait" in line:
        column.character[line["trait"]] = {"value": line["value"], "evidence": line["evidence"]}
    elif "failed" in line:
        column.failures.append({name: line[name] for name in ("failed", "cause", "message")})
    else:
        details = {name: line.get(name, default) for name, default in (("rows", []), ("more", 0), ("stalls", []))}
        column.experiments[line["experiment"]] = {"seconds": line["seconds"], "verdict": line["verdict"], **details}


def _place_of_column(label: str) -> tuple[int, str]:
    """Return where a variant stands: those with a group first, in the order of the groups; `NAME-LOOP` behind `NAME`."""
    names = list(groups())
    name = label.partition("-")[0]
    return names.index(name) if name in names else len(names), label


def experiments(known: Mapping[str, Column]) -> list[str]:
    """Return the names of all experiments, in the order of the lesson's endpoints, then by name, with 2 before 10."""
    return sorted({name for column in known.values() for name in column.experiments}, key=_place_of_row)


def path(experiment: str) -> str:
    """Return the path that an experiment is about."""
    return re.split("[ ,]", experiment)[0]


def _place_of_row(experiment: str) -> tuple[int, list[str | int]]:
    paths = [endpoint.path for endpoint in ENDPOINTS]
    name = [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", experiment)]
    return paths.index(path(experiment)) if path(experiment) in paths else len(paths), name

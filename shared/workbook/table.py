"""The table that ends `nox -s variant`: what each variant ran on, and each experiment's time and verdict.

Run as `python -m shared.workbook.table`; it reads what the suite left in `.results`.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from shared.lab.variants import ROOT, groups
from shared.lesson.contract import ENDPOINTS

RESULTS = ROOT / ".results"
PIPED_WIDTH = 122


def read(folder: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """Return what the last run of each variant saw, in the order of `pyproject.toml`, a second event loop beside the first.

    Each value holds the `identity`, and under `verdicts` seconds and verdict of each experiment. The suite makes a variant's file
    anew in each run.
    """
    known: dict[str, dict[str, Any]] = {}
    for file in sorted(folder.glob("*.jsonl"), key=lambda file: _column(file.stem)):
        variant = known[file.stem] = {"identity": {}, "verdicts": {}}
        for line in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
            if "identity" in line:
                variant["identity"] = line["identity"]
            else:
                variant["verdicts"][line["experiment"]] = (line["seconds"], line["verdict"])
    return known


def _column(label: str) -> tuple[int, str]:
    """Return where a variant stands: those with a group first, in the order of the groups; `NAME-LOOP` behind `NAME`."""
    names = list(groups())
    name = label.partition("-")[0]
    return names.index(name) if name in names else len(names), label


def _row(experiment: str) -> tuple[int, list[str | int]]:
    """Return where an experiment stands: in the order of the lesson's endpoints, then by its name, with 2 before 10."""
    paths = [endpoint.path for endpoint in ENDPOINTS]
    path = re.split("[ ,]", experiment)[0]
    name = [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", experiment)]
    return paths.index(path) if path in paths else len(paths), name


def table(known: dict[str, dict[str, Any]]) -> Table:
    """Return the table: a column for each variant, a row for each experiment."""
    made = Table(box=box.SIMPLE, title="What each variant did", caption="seconds, as seen from outside, and the verdict")
    made.add_column("", overflow="fold")
    for variant in known:
        made.add_column(variant, overflow="fold")
    for part in ("framework", "event_loop", "server"):
        cells = [str(variant["identity"].get(part, "")) for variant in known.values()]
        made.add_row(part.replace("_", " "), *cells, end_section=part == "server")
    for experiment in sorted({name for variant in known.values() for name in variant["verdicts"]}, key=_row):
        made.add_row(experiment, *(_cell(variant["verdicts"].get(experiment)) for variant in known.values()))
    return made


def _cell(verdict: tuple[float, str] | None) -> str:
    return f"{verdict[0]:.2f}  {verdict[1]}" if verdict else "not run"


def main(folder: Path = RESULTS) -> None:
    """Print the table; end with a message when there is nothing to print."""
    known = read(folder)
    if not known:
        sys.exit("The suite has left nothing in .results: run nox -s variant first.")
    console = Console() if sys.stdout.isatty() else Console(width=PIPED_WIDTH)
    console.print(table(known))


if __name__ == "__main__":
    main()

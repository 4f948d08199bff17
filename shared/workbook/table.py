"""The table that ends `nox -s variant`: what each variant ran on, and each experiment's time and verdict.

Run as `python -m shared.workbook.table`; it reads what the suite left in `.results`.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parents[2] / ".results"


def read(folder: Path = RESULTS) -> dict[str, dict[str, Any]]:
    """Return what is known of each variant: its `identity`, and under `verdicts` seconds and verdict of each experiment."""
    known: dict[str, dict[str, Any]] = defaultdict(lambda: {"identity": {}, "verdicts": {}})
    for file in sorted(set(folder.glob("*.jsonl")) - {folder / "mistakes.jsonl"}, key=lambda file: file.stat().st_mtime):
        for text in file.read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            variant = known[line["variant"]]
            if "identity" in line:
                variant["identity"] = line["identity"]
            else:
                variant["verdicts"][line["experiment"]] = (line["seconds"], line["verdict"])
    return dict(known)


def table(known: dict[str, dict[str, Any]]) -> Table:
    """Return the table: a column for each variant, a row for each experiment."""
    made = Table(title="What each variant did", caption="seconds, as seen from outside, and the verdict")
    made.add_column("")
    for variant in known:
        made.add_column(variant)
    for part in ("framework", "event_loop", "server"):
        cells = [str(variant["identity"].get(part, "")) for variant in known.values()]
        made.add_row(part.replace("_", " "), *cells, end_section=part == "server")
    for experiment in sorted({name for variant in known.values() for name in variant["verdicts"]}):
        made.add_row(experiment, *(_cell(variant["verdicts"].get(experiment)) for variant in known.values()))
    return made


def _cell(verdict: tuple[float, str] | None) -> str:
    return f"{verdict[0]:.2f}  {verdict[1]}" if verdict else "not run"


def main() -> None:
    """Print the table; end with a message when there is nothing to print."""
    known = read()
    if not known:
        sys.exit("The suite has left nothing in .results: run nox -s variant first.")
    console = Console() if sys.stdout.isatty() else Console(width=160)
    console.print(table(known))


if __name__ == "__main__":
    main()

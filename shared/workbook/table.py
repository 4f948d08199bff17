"""The table that ends `nox -s variant`: what each variant ran on, and each experiment's time and verdict.

Run as `python -m shared.workbook.table`; it reads what the suite left in `.results`.
"""

import sys
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from shared.workbook.results import RESULTS, Column, experiments, read

PIPED_WIDTH = 128


def table(known: dict[str, Column]) -> Table:
    """Return the table: a column for each variant, a row for each experiment."""
    made = Table(box=box.SIMPLE, title="What each variant did", caption="seconds, as seen from outside, and the verdict")
    made.add_column("", overflow="fold")
    for label in known:
        made.add_column(label, overflow="fold")
    for part in ("framework", "event_loop", "server"):
        cells = [column.identity.get(part, "") for column in known.values()]
        made.add_row(part.replace("_", " "), *cells, end_section=part == "server")
    for name in experiments(known):
        made.add_row(name, *(_cell(column.experiments.get(name)) for column in known.values()))
    return made


def _cell(experiment: dict[str, Any] | None) -> str:
    return f"{experiment['seconds']:.2f}  {experiment['verdict']}" if experiment else "not run"


def main(folder: Path = RESULTS) -> None:
    """Print the table; end with a message when there is nothing to print."""
    known = read(folder)
    if not known:
        sys.exit("The suite has left nothing in .results: run nox -s variant first.")
    console = Console() if sys.stdout.isatty() else Console(width=PIPED_WIDTH)
    console.print(table(known))


if __name__ == "__main__":
    main()

"""Sets all stacks side by side, from what the suite saw of them last: `python -m shared.workbook.compare`.

It prints two tables, and writes `compare.json` and `compare.html`.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from shared.lab.variants import ROOT
from shared.workbook.compare.comparison import compare
from shared.workbook.compare.page import render, words
from shared.workbook.results import RESULTS, read
from shared.workbook.table import PIPED_WIDTH, table


def character(comparison: dict[str, Any]) -> Table:
    """Return a table of what was seen of each stack's character; what is declared otherwise stands in red."""
    made = Table(box=box.SIMPLE, title="Where they differ", caption="as measured; the tests fail where a declaration is wrong")
    made.add_column("", overflow="fold")
    labels = [column["label"] for column in comparison["columns"]]
    for label in labels:
        made.add_column(label, overflow="fold")
    for trait in comparison["character"]:
        made.add_row(words(trait["key"]), *(_cell(trait, label) for label in labels))
    return made


def _cell(trait: dict[str, Any], label: str) -> str:
    if label not in trait["seen"]:
        return "not run"
    value, default = trait["seen"][label]["value"], trait["by_default"].get(label)
    said = f"{words(value)} (by default: {words(default)})" if default else words(value)
    return said if value == trait["declared"].get(label) else f"[red]{said}[/]"


def main(arguments: Sequence[str] | None = None, results: Path = RESULTS) -> None:
    """Print and write the comparison; end with a message when there is nothing to compare."""
    parser = argparse.ArgumentParser(prog="python -m shared.workbook.compare", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--into", type=Path, default=ROOT, metavar="FOLDER", help="where compare.json and compare.html go")
    folder: Path = parser.parse_args(arguments).into
    known = read(results)
    if not known:
        sys.exit("The suite has left nothing in .results: run nox -s compare, which runs it first.")
    comparison = compare(known)
    console = Console() if sys.stdout.isatty() else Console(width=PIPED_WIDTH)
    console.print(table(known), character(comparison))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "compare.json").write_text(json.dumps(comparison, indent=1) + "\n", encoding="utf-8")
    (folder / "compare.html").write_text(render(comparison), encoding="utf-8")
    console.print(
        f"The same with timelines: {(folder / 'compare.html').resolve().as_uri()}; as data: compare.json", soft_wrap=True
    )


if __name__ == "__main__":
    main()

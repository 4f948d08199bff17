"""Shows the code behind an endpoint in all variants, side by side: `python -m shared.workbook.read /parallel`.

Below it stands the operation that it waits with. Without an argument it lists what there is to read.
"""

import argparse
import io
import math
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from shared.lab.variants import ROOT
from shared.lesson.contract import ENDPOINTS
from shared.workbook.source import Piece, SourceError, choose, find, variants

PIPED_WIDTH = 100
COMFORTABLE = 96  # Columns of code; the few lines that are longer are mostly prose, which wraps well.
CONTINUED = 4  # Spaces before the rest of a wrapped line, so that it does not look like a line of its own.


@dataclass(frozen=True, slots=True)
class Listing:
    """Highlighted code, below the place where it stands."""

    piece: Piece

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines, those that are too long for the column in several parts."""
        yield Text(self.piece.place, style="cyan", overflow="fold")
        # This theme has the terminal's own sixteen colours, which its owner can read, on light and on dark.
        code = Syntax("", "python", theme="ansi_dark", background_color="default").highlight(self.piece.code)
        for line in code.split("\n"):
            if line.cell_len <= options.max_width:
                yield line
                continue
            indent = len(line) - len(line.plain.lstrip())
            # In a very narrow column half of it is left for the code, however deep that stands.
            further = min(indent + CONTINUED, options.max_width // 2)
            for index, part in enumerate(line[indent:].wrap(console, options.max_width - further, no_wrap=False)):
                yield Text(" " * (further if index else min(indent, further))) + part


def show(names: list[str], found: list[list[Piece | None]], console: Console) -> None:
    """Print a table: a column for each variant, a row for each thing that was found; several where they do not fit."""
    lines = [line for row in found for piece in row if piece for line in (piece.place, *piece.code.split("\n"))]
    longest = max(map(cell_len, lines))
    # A column has three cells of border and padding, and the table one more.
    room = console.width - 1
    fitting = max(1, room // (min(longest, COMFORTABLE) + 3))
    # Two rows of two are easier to compare than three and one.
    columns = math.ceil(len(names) / math.ceil(len(names) / fitting))
    width = max(1, min(longest, room // columns - 3))
    for start in range(0, len(names), columns):
        table = Table(box=box.ROUNDED, show_lines=True)
        for name in names[start : start + columns]:
            table.add_column(Text(name), width=width)
        for row in found:
            cells = zip(names, row, strict=True)
            shown = [Listing(piece) if piece else Text(f"not in variants/{name}", "dim") for name, piece in cells]
            table.add_row(*shown[start : start + columns])
        console.print(table)


def show_menu(root: Path, console: Console) -> None:
    """Print the endpoints with their functions and files, and the variants."""
    table = Table(box=box.SIMPLE)
    for heading in ("endpoint", "function", "file"):
        table.add_column(heading, overflow="fold")
    for row in ENDPOINTS:
        table.add_row(f"{row.method:4} {row.path}", row.function, f"{row.module}.py")
    console.print(table)
    console.print(Text(f"Variants: {' '.join(variants(root))}"))
    console.print(Text("Next: nox -s read -- /parallel"))


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Show what the command line asks for; return the exit code, 2 when it cannot be shown."""
    parser = argparse.ArgumentParser(prog="python -m shared.workbook.read", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", nargs="?", help="an endpoint (/parallel), a function (get_embedding) or a module (search.py)")
    parser.add_argument("variant", nargs="*", help="a variant, or how its name begins (default: all)")
    asked = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # A pipe on Windows does not know every character of the code.
    console = Console(width=shutil.get_terminal_size((PIPED_WIDTH, 24)).columns)
    try:
        if asked.what is None:
            show_menu(root, console)
        else:
            names = choose(asked.variant, root)
            show(names, find(asked.what, names, root), console)
    except SourceError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What a person sees: the catalogue as a table, a mistake as a diff, the progress of a run, and how it ended."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from shared.workbook.mistakes.catalogue import Mistake
from shared.workbook.mistakes.judge import Outcome
from shared.workbook.mistakes.kept import Result
from shared.workbook.mistakes.plant import difference

GOOD = (Outcome.CAUGHT, Outcome.RIGHT)


class Tell(Protocol):
    """Tells a person of one finished item."""

    def __call__(self, result: Result) -> None:
        """Show its result."""


def show_catalogue(mistakes: Sequence[Mistake], console: Console) -> None:
    """Print a row for each mistake, and below them how many there are."""
    table = Table(caption=f"{len(mistakes)} mistakes, {sum(len(one.variants) for one in mistakes)} planted")
    table.add_column("mistake", no_wrap=True)  # A name is copied whole, however narrow the terminal is.
    for heading in ("what it is", "where", "cause", "variants"):
        table.add_column(heading, overflow="fold")
    for one in mistakes:
        where = f"{one.module}.py, {one.function}"
        table.add_row(one.name, Text(one.title), Text(where), one.cause, str(len(one.variants)))
    console.print(table)


def show_mistake(mistake: Mistake, variants: Sequence[str], console: Console) -> None:
    """Print what a mistake is, what it looks like from outside, and what it changes in each of these variants."""
    console.print(Text(mistake.title, style="bold"))
    console.print(Text(f"{mistake.why}\nThe suite has to call it: {mistake.cause}\n"))
    for variant in variants:
        console.print(Syntax(difference(mistake, variant), "diff", theme="ansi_dark", background_color="default", word_wrap=True))
        console.print()


@contextmanager
def progress(total: int, kept: int, console: Console) -> Iterator[Tell]:
    """Yield what tells of each finished item: on a terminal one line that moves, elsewhere a line for each."""
    if kept:
        console.print(f"{kept} of {total} are known from before; --fresh runs them again.")
    if not console.is_terminal:
        yield lambda result: console.print(_line(result), soft_wrap=True)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total, completed=kept)

        def tell(result: Result) -> None:
            bar.update(task, advance=1, description=result.item)
            if result.outcome not in GOOD:
                console.print(_line(result))

        yield tell


def show_end(planted: Sequence[Result], rounds: Sequence[Result], console: Console) -> bool:
    """Print each result that is not as wanted, with its message, then the two figures; return whether all are as wanted."""
    bad = [result for result in (*planted, *rounds) if result.outcome not in GOOD]
    for result in bad:
        console.print(_line(result), soft_wrap=True)
        console.print(Padding(Text(result.message), (0, 0, 0, 4)), soft_wrap=True)
    caught = sum(result.outcome == Outcome.CAUGHT for result in planted)
    alarms = sum(result.outcome != Outcome.RIGHT for result in rounds)
    console.print(f"caught {caught} of {len(planted)} planted", f"false alarms {alarms} of {len(rounds)} runs", sep="\n")
    return not bad


def _line(result: Result) -> Text:
    style = "green" if result.outcome in GOOD else "red"
    return Text.assemble((f"{result.outcome:<15}", style), f" {result.item} ({result.seconds:.1f} s)")

"""What the tests of the exercises share: the first exercise, and its solution."""

from typing import Final

from shared.workbook.exercise import reference
from shared.workbook.exercise.contents import named
from shared.workbook.exercise.mine import Mine

WAIT: Final = named("await-a-wait")
"""The first exercise."""


def solve(mine: Mine) -> None:
    """Write the functions of the first exercise as the reference has them, and leave all others of the file as they are."""
    (mine.folder / WAIT.file).write_text(reference.solved(mine, WAIT), encoding="utf-8")

"""Keeps processors busy, as a machine with other work to do is: each process computes until its standard input is closed."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from shared.workbook.mistakes.beside import beside, when_input_ends


@contextmanager
def busy_processes(count: int) -> Iterator[list[int]]:
    """Run so many busy processes meanwhile, and yield their process ids. They also end when this process is killed."""
    with ExitStack() as stack:
        yield [stack.enter_context(beside("busy")) for _ in range(count)]


def main() -> None:
    """Compute until the standard input ends."""
    when_input_ends(partial(os._exit, 0))
    while True:
        sum(range(10_000))


if __name__ == "__main__":
    main()

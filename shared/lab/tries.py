"""Experiments that are made again where a machine may have been too busy for them."""

from collections.abc import Callable, Sequence
from typing import TypeVar

Try = TypeVar("Try")
Seen = TypeVar("Seen")


def first_good(
    tries: Sequence[Try],
    experiment: Callable[[Try], Seen],
    good: Callable[[Seen], bool],
    *,
    more: Sequence[Try] = (),
    starved: Callable[[Seen], bool] = lambda _: False,
) -> Seen:
    """Make an experiment until what was seen is good, and return that; what the last try showed, where none was.

    Args:
        tries: What to make it with in each try, such as longer and longer waits: noise does not grow with the wait.
        experiment: What to do.
        good: Whether another try would show no more.
        more: What to make it with besides, where the last of those tries was not good, and its server was starved.
        starved: Whether a server had to wait for a processor for so long that what was seen may be that.

    """
    *earlier, last = tries
    for one in earlier:
        if good(seen := experiment(one)):
            return seen
    seen = experiment(last)
    return first_good(more, experiment, good) if more and starved(seen) and not good(seen) else seen

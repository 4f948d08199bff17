"""Experiments that are made again where a machine may have been too busy for them."""

from collections.abc import Callable, Sequence
from typing import TypeVar

Try = TypeVar("Try")
Seen = TypeVar("Seen")


def first_good(tries: Sequence[Try], experiment: Callable[[Try], Seen], good: Callable[[Seen], bool]) -> Seen:
    """Make an experiment until what was seen is good, and return that; what the last try showed, where none was.

    Args:
        tries: What to make it with in each try, such as longer and longer waits: noise does not grow with the wait.
        experiment: What to do.
        good: Whether another try would show no more.

    """
    *earlier, last = tries
    for one in earlier:
        if good(seen := experiment(one)):
            return seen
    return experiment(last)

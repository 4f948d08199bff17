"""What is stated of a stack is the stack's own doing: a minimal application without our code shows the same."""

import pytest

from shared.lab.probes_ending import ENDING_PROBES, HOMELESS_PROBES
from shared.lab.probes_stack import STACK_PROBES
from shared.lab.traits import by_default, declared, own_doing, strange
from shared.lab.variants import Variant
from shared.lab.verdict import accuse
from shared.lesson.character import TRAITS
from tests.conftest import keep_line
from tests.stacks.experiments import Stack

ENDING = [*ENDING_PROBES, *HOMELESS_PROBES]
"""What shows only at the end of a server, and so has an experiment of its own."""


@pytest.mark.parametrize("key", [key for key in TRAITS if key not in ENDING])
def test_the_stack_does_it_without_our_code(subject: Variant, stack: Stack, key: str) -> None:
    """Where nothing is switched on, the stack does what the variant does, or what that states of it by default."""
    shown = stack.shown[key]
    if key in STACK_PROBES:  # Of the others, what is kept is what the variant itself was seen to do.
        keep_line(subject, {"trait": key, "value": shown.value, "evidence": shown.evidence}, of_the_stack=True)
    stated = {**declared(subject), **by_default(subject)}.get(key)
    accuse(subject, shown.seen, [*strange(subject, key), *own_doing(key, stated, shown)])


@pytest.mark.parametrize("key", ENDING)
def test_the_stack_ends_so_without_our_code(subject: Variant, stack_end: Stack, key: str) -> None:
    """Where nothing is switched on, the stack ends as the variant does, or as that states of it by default."""
    shown = stack_end.shown[key]
    if key in HOMELESS_PROBES:
        keep_line(subject, {"trait": key, "value": shown.value, "evidence": shown.evidence}, of_the_stack=True)
    stated = {**declared(subject), **by_default(subject)}.get(key)
    accuse(subject, shown.seen, [*strange(subject, key), *own_doing(key, stated, shown)])


def test_the_switches_make_the_difference(subject: Variant, stack: Stack, stack_end: Stack) -> None:
    """What the variant does otherwise than its stack by default, the stack does too, as soon as the same is switched on."""
    for key, shown in [*stack.switched.items(), *stack_end.switched.items()]:
        accuse(subject, shown.seen, own_doing(key, declared(subject).get(key), shown, switched=True))

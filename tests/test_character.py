"""What each variant declares of its stack in `character.py`: every statement is measured, and compared with what was seen."""

import pytest

from shared.lab.traits import Shown, strange, wrong
from shared.lab.variants import Variant
from shared.lab.verdict import accuse
from shared.lesson.character import TRAITS


@pytest.mark.parametrize("key", TRAITS)
def test_a_statement_is_true(subject: Variant, shown: dict[str, Shown], key: str) -> None:
    """What a variant says of its stack is what a probe sees that it does, and one of the values that the closed list has."""
    accuse(subject, shown[key].seen, [*strange(subject, key), *wrong(subject, key, shown[key])])


def test_nothing_else_is_declared(subject: Variant, shown: dict[str, Shown]) -> None:
    """A declaration has no key that the closed list does not have."""
    accuse(subject, next(iter(shown.values())).seen, strange(subject))

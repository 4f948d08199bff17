"""What each variant declares of its stack in `character.py`: what it can show itself is measured, and compared with that.

What only a stack without our code can show, and all the rest once more, is measured on that: see `tests/stacks`.
"""

import pytest

from shared.lab.probes import PROBES
from shared.lab.traits import strange, wrong
from shared.lab.variants import Variant
from shared.lab.verdict import accuse
from shared.lesson.character import TRAITS
from tests.background import Aside
from tests.conftest import keep_line


@pytest.mark.parametrize("key", PROBES)
def test_a_statement_is_true(subject: Variant, aside: Aside, key: str) -> None:
    """What a variant says of its stack is what a probe sees that it does, and one of the values that the closed list has."""
    shown = aside.shown[key]
    keep_line(subject, {"trait": key, "value": shown.value, "evidence": shown.evidence})
    accuse(subject, shown.seen, [*strange(subject, key), *wrong(subject, key, shown)])


def test_nothing_else_is_declared(subject: Variant, aside: Aside) -> None:
    """A declaration has every key of the closed list, with one of its values, and no other key."""
    strangers = [finding for key in TRAITS for finding in strange(subject, key)]
    accuse(subject, aside.shown["gather"].seen, [*strange(subject), *strangers])

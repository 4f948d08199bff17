"""What each variant declares of its stack in `character.py`: every statement is measured, and compared with what was seen."""

import pytest

from shared.lab.probes import PROBES
from shared.lab.traits import strange, wrong
from shared.lab.variants import Variant
from shared.lab.verdict import accuse
from tests.background import Aside
from tests.conftest import keep_line


@pytest.mark.parametrize("key", PROBES)
def test_a_statement_is_true(subject: Variant, aside: Aside, key: str) -> None:
    """What a variant says of its stack is what a probe sees that it does, and one of the values that the closed list has."""
    shown = aside.shown[key]
    keep_line(subject, {"trait": key, "value": shown.value, "evidence": shown.evidence})
    accuse(subject, shown.seen, [*strange(subject, key), *wrong(subject, key, shown)])


def test_nothing_else_is_declared(subject: Variant, aside: Aside) -> None:
    """A declaration has no key that the closed list does not have."""
    accuse(subject, aside.shown["gather"].seen, strange(subject))

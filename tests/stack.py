"""What a stack does without our code: the same probes, on its minimal application in `tests/minimal`."""

from dataclasses import dataclass
from typing import Final

from shared.lab.probes import PROBES
from shared.lab.probes_stack import STACK_PROBES
from shared.lab.server import serving
from shared.lab.traits import Shown, all_measured, by_default, declared
from shared.lab.variants import ROOT, Variant

MINIMAL: Final = ROOT / "tests" / "minimal"
SWITCHED: Final = {"SWITCHED": "on"}
"""What a minimal application finds in its environment when it is to switch on what the variant beside it has on."""


@dataclass(frozen=True, slots=True)
class Stack:
    """What was seen of a stack.

    Attributes:
        shown: What each probe saw, by key, with nothing switched on.
        switched: Likewise with the variant's switches on, for what these are said to change.

    """

    shown: dict[str, Shown]
    switched: dict[str, Shown]


def run_stack(variant: Variant) -> Stack | None:
    """Look at the minimal application on a variant's stack; None where there is none."""
    alone = Variant(variant.name, variant.loop, variant.label, MINIMAL)
    if not alone.folder.is_dir():
        return None
    stated, defaults = declared(variant), by_default(variant)
    probes = {**PROBES, **STACK_PROBES}
    with serving(alone) as server:
        shown = all_measured(server, probes, {**stated, **defaults})
    if not defaults:
        return Stack(shown, {})
    with serving(alone, settings=SWITCHED) as server:
        return Stack(shown, all_measured(server, {key: probes[key] for key in defaults}, stated))

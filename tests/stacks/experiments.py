"""What a stack does without our code: the same probes, on its minimal application in `tests/minimal`."""

from dataclasses import dataclass
from typing import Final

from shared.lab.experiment import Ask
from shared.lab.failing_start import Failed, start_in_vain
from shared.lab.probes import PROBES
from shared.lab.probes_ending import BACKGROUND_TASK, BARE_TASK, ENDING_PROBES, HOMELESS_PROBES, End
from shared.lab.probes_stack import STACK_PROBES
from shared.lab.server import serving
from shared.lab.shutdown import go_down
from shared.lab.talk import Hear, Say
from shared.lab.terminal import press_ctrl_c
from shared.lab.traits import Shown, all_measured, by_default, declared
from shared.lab.upstream import Upstreams
from shared.lab.variants import ROOT, Variant
from shared.lesson.contract import SOCKET

MINIMAL: Final = ROOT / "tests" / "minimal"
SWITCHED: Final = {"SWITCHED": "on"}
"""What a minimal application finds in its environment when it is to switch on what the variant beside it has on."""


@dataclass(frozen=True, slots=True)
class Stack:
    """What was seen of a stack, or of its end.

    Attributes:
        shown: What each probe saw, by key, with nothing switched on.
        switched: Likewise with the variant's switches on, for what these are said to change.

    """

    shown: dict[str, Shown]
    switched: dict[str, Shown]


LATE: Final = 6.0
"""Seconds of a request that a stop of three seconds cuts off."""

UNDER_WAY: Final = {
    "a request": Ask("/patient?seconds=1"),
    "a long request": Ask(f"/patient?seconds={LATE}"),
    "a conversation": Ask("/ws", SOCKET, status=101, says=(Say("work"), Hear("nothing", patience=LATE))),
}
HOMELESS: Final = {
    "the framework's own": Ask(f"/background-task?seconds={BACKGROUND_TASK}"),
    "a bare task": Ask(f"/bare-task?seconds={BARE_TASK}"),
}


def run_stack_end(variant: Variant) -> Stack | None:
    """Let the minimal application on a variant's stack end in every way; None where there is none."""
    alone = Variant(variant.name, variant.loop, variant.label, MINIMAL)
    if not alone.folder.is_dir():
        return None
    down = go_down(alone, HOMELESS, len(HOMELESS))
    shown = {key: probe(down) for key, probe in HOMELESS_PROBES.items()}
    changed = by_default(variant).keys() & ENDING_PROBES.keys()
    with Upstreams() as upstreams:
        services = upstreams.environment()
        failed = start_in_vain(alone, services)  # No switch is about the start.
        shown |= _ends(alone, services, {}, failed)
        switched = _ends(alone, services, SWITCHED, failed) if changed else {}
    return Stack(shown, {key: value for key, value in switched.items() if key in changed})


def _ends(alone: Variant, services: dict[str, str], settings: dict[str, str], failed: Failed) -> dict[str, Shown]:
    down = go_down(alone, UNDER_WAY, len(UNDER_WAY), settings)
    end = End(down, press_ctrl_c(alone, {**services, **settings}), failed)
    return {key: probe(end) for key, probe in ENDING_PROBES.items()}


def run_stack(variant: Variant) -> Stack | None:
    """Look at the minimal application on a variant's stack; None where there is none."""
    alone = Variant(variant.name, variant.loop, variant.label, MINIMAL)
    if not alone.folder.is_dir():
        return None
    stated = declared(variant)
    defaults = {key: value for key, value in by_default(variant).items() if key not in ENDING_PROBES}
    probes = {**PROBES, **STACK_PROBES}
    with serving(alone) as server:
        shown = all_measured(server, probes, {**stated, **defaults})
    if not defaults:
        return Stack(shown, {})
    with serving(alone, settings=SWITCHED) as server:
        return Stack(shown, all_measured(server, {key: probes[key] for key in defaults}, stated))

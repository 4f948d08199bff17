"""Probes: each measures, from outside, how a stack behaves where stacks differ, whatever the variant declares of it."""

from shared.lab.experiment import Ask, run
from shared.lab.server import Server
from shared.lab.traits import Probe, Shown
from shared.lesson.contract import TASKS
from shared.lesson.work import EARLY

WAIT = 0.8
"""Seconds that a probe has something waited for: half of it is more than a busy machine takes for anything."""

AFTER = 0.4
"""Seconds after which what is to happen at once has happened."""


def gather(server: Server) -> Shown:
    """Let the second of three gathered calls fail, and see what the service behind sees of the other two."""
    seen = run(server, [Ask(f"/gather-fails?seconds={WAIT}", status=502)], linger=WAIT * (1 - 1 / EARLY) + AFTER)
    others = [call for call in seen.calls if call.task != TASKS[1]]
    off = sum(call.broken_off for call in others)
    evidence = f"when one of three gathered calls failed, {off} of the other {len(others)} were broken off"
    return Shown({0: "others-run-on", 2: "others-broken-off"}.get(off, "something else"), evidence, seen)


PROBES: dict[str, Probe] = {"gather": gather}
"""The probe of each trait."""

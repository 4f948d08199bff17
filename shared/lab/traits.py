"""What a variant declares of itself in `character.py`, read without importing it; and how a wrong statement is said."""

import ast
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from shared.lab.causes import Cause
from shared.lab.experiment import Observation
from shared.lab.finding import Finding, sure
from shared.lab.places import CREATE_APP, SERVE
from shared.lab.server import Server
from shared.lab.tries import first_good
from shared.lab.variants import Variant
from shared.lesson.character import TRAITS

PLACE = ("character", "CHARACTER")
DEFAULTS = ("character", "BY_DEFAULT")
SWITCHES = (CREATE_APP, SERVE)
TRIES = 3

WAITING = {"silent_client"}
"""What is measured beside the others, because it only waits."""


def declared(variant: Variant) -> dict[str, str]:
    """Return what a variant states, by key; nothing where its file has no readable `CHARACTER`."""
    return _stated(variant, "CHARACTER")


def by_default(variant: Variant) -> dict[str, str]:
    """Return what a variant states that its stack does unless something is switched on, by key, where that differs."""
    return _stated(variant, "BY_DEFAULT")


def _stated(variant: Variant, name: str) -> dict[str, str]:
    try:
        tree = ast.parse((variant.folder / "character.py").read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return {}
    for node in tree.body:
        targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return _read(getattr(node, "value", None))
    return {}


def _read(value: ast.expr | None) -> dict[str, str]:
    """Return a dictionary that is written out; an empty one where it is something else."""
    try:
        stated = ast.literal_eval(value) if value else {}
    except ValueError:
        return {}
    return stated if isinstance(stated, dict) else {}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a probe saw of a stack.

    Attributes:
        value: The value of the trait that fits it; one that the closed list does not have fits none.
        evidence: What was seen, as the beginning of a sentence.
        seen: Where it was seen.

    """

    value: str
    evidence: str
    seen: Observation


Probe = Callable[[Server], Shown]


def measured(server: Server, probe: Probe, expected: str | None) -> Shown:
    """Return what a probe sees; again, where it is not what is expected: that may be noise, and a false statement stays so."""
    return first_good(range(TRIES), lambda _: probe(server), lambda shown: shown.value == expected)


def all_measured(server: Server, probes: Mapping[str, Probe], expected: Mapping[str, str]) -> dict[str, Shown]:
    """Return what each probe sees, by key: one after another, and beside them that which mostly waits."""
    with ThreadPoolExecutor(1) as beside:
        slow = {key: beside.submit(measured, server, probes[key], expected.get(key)) for key in probes if key in WAITING}
        shown = {key: measured(server, probe, expected.get(key)) for key, probe in probes.items() if key not in WAITING}
        return shown | {key: found.result() for key, found in slow.items()}


def wrong(variant: Variant, key: str, shown: Shown) -> list[Finding]:
    """Find that what was shown is not what the variant declares."""
    stated = declared(variant).get(key, "nothing")
    if stated == shown.value:
        return []
    sentence = f"{shown.evidence}: so {key} is {shown.value!r}, and declared is {stated!r}"
    # What is said not to be so by default may have been switched on, and is not.
    return sure(Cause.FALSE_DECLARATION, sentence, PLACE, *(SWITCHES if key in by_default(variant) else ()))


def own_doing(key: str, stated: str | None, shown: Shown, *, switched: bool = False) -> list[Finding]:
    """Find that a stack does not do without our code what a variant states of it.

    Args:
        key: The trait.
        stated: What the variant states that its stack does.
        shown: What a minimal application on the same stack was seen to do.
        switched: Whether it had the switches on that the variant's `serve.py` has.

    """
    if shown.value == stated:
        return []
    how = "with the same switches on" if switched else "with nothing switched on"
    sentence = f"{key} is declared as {stated!r}; on this stack without our code, {how}, {shown.evidence}: {shown.value!r}"
    return sure(Cause.OWN_DOING, sentence, PLACE, DEFAULTS, *SWITCHES)


def strange(variant: Variant, key: str = "") -> list[Finding]:
    """Find that a key is declared with a value that the closed list does not have; without a key, one that it does not have."""
    stated = declared(variant)
    if key:
        values = TRAITS[key].values
        sentence = f"{key} is declared as {stated.get(key, 'nothing')!r}, and not as one of {', '.join(values)}"
        if stated.get(key) not in values:
            return sure(Cause.FALSE_DECLARATION, sentence, PLACE)
        if (default := by_default(variant).get(key)) is None or default in values:
            return []
        sentence = f"BY_DEFAULT says of {key} {default!r}, and not one of {', '.join(values)}"
        return sure(Cause.FALSE_DECLARATION, sentence, PLACE, DEFAULTS)
    unknown = [name for name in [*stated, *by_default(variant)] if name not in TRAITS]
    return sure(Cause.FALSE_DECLARATION, f"{unknown[0]} is declared, and there is no such key", PLACE) if unknown else []

"""What there is to run: planted mistakes, and rounds over the variants as they are; and which of them are wanted."""

import ast
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shared.lab.causes import Cause
from shared.lab.plan import Wanted, write
from shared.lab.variants import ROOT, Variant
from shared.workbook.mistakes.catalogue import Mistake, named
from shared.workbook.mistakes.fields import CatalogueError
from shared.workbook.mistakes.judge import Judgement, Report, judge_planted, judge_right
from shared.workbook.mistakes.kept import Keys
from shared.workbook.mistakes.plant import plant

SMOKE = "tests/test_smoke.py::test_every_endpoint_answers"
WAITS = {
    "burst": 50.0,
    "crowd": 50.0,
    "doors": 40.0,
    "aside": 40.0,
    "ending": 35.0,
    "going_down": 30.0,
    "trouble": 25.0,
    "stack": 20.0,
    "stack_end": 20.0,
    "reader": 40.0,
}
"""How long each experiment in the background takes with a wrong version beside others, in seconds, most of it in waiting.

They were measured. With a right one it is half as long, since nothing has to be tried again.
"""

PART_OF = {"computing": "aside"}
"""Fixtures that hand out a part of what another experiment has seen."""

HANG_SECONDS = 25.0
"""How long the tests of a mistake wait until it is certain that something hangs, in seconds."""

PLANTED_SECONDS = 240.0
ROUND_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Planted:
    """A mistake in one of its variants, seen by the tests that are responsible for it and by the smoke test."""

    mistake: Mistake
    variant: str
    seconds: float = PLANTED_SECONDS

    @property
    def name(self) -> str:
        """What it is called in results."""
        return f"{self.mistake.name} in {self.variant}"

    def waits(self, root: Path = ROOT) -> float:
        """Return for about how long its tests mostly wait, in seconds: for an experiment in the background, or for what hangs."""
        fixtures = {name for test in self.mistake.tests for name in _arguments(root, test)}
        experiments = {PART_OF.get(name, name) for name in fixtures} & WAITS.keys()
        return sum(WAITS[name] for name in experiments) + (HANG_SECONDS if self.mistake.cause == Cause.HANGS else 0.0)

    @property
    def label(self) -> str:
        """What the wrong version is called in the tests' ids."""
        return f"{self.variant}({self.mistake.name})"

    def plant(self, folder: Path, root: Path = ROOT) -> Wanted:
        """Plant the mistake in a folder of its own inside another, and return what runs over it."""
        own = folder / self.mistake.name / self.variant
        plant(self.mistake, self.variant, own, root)
        return Wanted(self.variant, own, self.label, (*self.mistake.tests, SMOKE))

    def judge(self, reports: Sequence[Report]) -> Judgement:
        """Say whether the suite caught it."""
        return judge_planted(self.mistake, self.variant, reports)

    def key(self, keys: Keys) -> str:
        """Return what its result is kept under; the words for a reader do not count."""
        mistake = self.mistake
        return keys.key(
            self.variant, mistake.module, mistake.function, mistake.cause, mistake.tests, mistake.edits, mistake.scope
        )


@dataclass(frozen=True, slots=True)
class Round:
    """The whole shared suite over a variant as it is, on one of its event loops; not the tests of its stack without our code."""

    on: Variant
    number: int
    busy: int
    pauses: bool = False
    seconds: float = ROUND_SECONDS

    @property
    def name(self) -> str:
        """What it is called in results."""
        return f"round {self.number} over {self.label}"

    @property
    def label(self) -> str:
        """What the variant is called in the tests' ids."""
        return self.on.label

    def judge(self, reports: Sequence[Report]) -> Judgement:
        """Say whether the suite raised a false alarm."""
        return judge_right(reports)

    def key(self, keys: Keys) -> str:
        """Return what its result is kept under."""
        return keys.key(self.on.name, "round", self.on.loop, self.number, self.busy, self.pauses)


@cache
def _arguments(root: Path, test: str) -> frozenset[str]:
    """Return the names of a test's arguments, which are the fixtures that it asks for."""
    file, _, name = test.partition("::")
    tree = ast.parse((root / file).read_text(encoding="utf-8"))
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    return frozenset(argument.arg for node in found for argument in node.args.args)


def arguments(items: Sequence[Planted | Round], folder: Path, root: Path = ROOT) -> list[str]:
    """Return the arguments for one pytest over several planted mistakes, or one round; what they need is put into a folder."""
    if isinstance(items[0], Round):
        on = items[0].on
        return ["tests", "--variant", on.name, "--loop", on.loop]
    planted = [item.plant(folder, root) for item in items if isinstance(item, Planted)]
    plan = folder / "plan.json"
    write(plan, planted)
    # First what is to pass: after a test that fails the server is started anew.
    return [*dict.fromkeys([SMOKE, *(test for one in planted for test in one.tests)]), "--plan", str(plan)]


def all_planted(mistakes: Sequence[Mistake], names: Sequence[str], variants: Sequence[str]) -> list[Planted]:
    """Return each mistake in each of its variants; of the mistakes and variants only those that are named, if any are.

    Raises:
        CatalogueError: A name is unknown, or nothing is left that can be made on this system.

    """
    chosen = [one for one in ([named(name, mistakes) for name in dict.fromkeys(names)] or mistakes) if one.can_be_made_here]
    found = [Planted(one, variant) for one in chosen for variant in one.variants if not variants or variant in variants]
    if not found:
        where = ", ".join(variants) or "any variant on this system"
        raise CatalogueError(f"No version of {', '.join(names) or 'any mistake'} is planted in {where}.")
    return found


def for_each_cause(planted: Sequence[Planted]) -> list[Planted]:
    """Return one mistake of each cause, in one of its variants: of those that can be seen the soonest."""
    waits: dict[Cause, list[float]] = {}
    for one in planted:
        waits.setdefault(one.mistake.cause, []).append(one.waits())
    soonest = [one for one in planted if one.waits() == min(waits[one.mistake.cause])]
    return _one_each(soonest, lambda one: one.mistake.cause)


def for_each_test(planted: Sequence[Planted]) -> list[Planted]:
    """Return one mistake of each cause, and so many more that each test which is responsible for some has one of them."""
    chosen = for_each_cause(planted)
    seen = {test for one in chosen for test in one.mistake.tests}
    # First those for which several tests are responsible.
    rest = sorted((one for one in planted if not seen.issuperset(one.mistake.tests)), key=lambda one: -len(one.mistake.tests))
    for one in _one_each(rest, lambda one: one.mistake.tests, chosen):
        if not seen.issuperset(one.mistake.tests):
            chosen.append(one)
            seen.update(one.mistake.tests)
    return chosen


def for_each_mistake(planted: Sequence[Planted]) -> list[Planted]:
    """Return each mistake in one of its variants."""
    return _one_each(planted, lambda one: one.mistake.name)


def _one_each(planted: Sequence[Planted], kind: Callable[[Planted], Hashable], before: Sequence[Planted] = ()) -> list[Planted]:
    """Return one of each kind, beside those that were chosen before.

    Each time it is the variant that has had the fewest so far, so that all get their share; and of a variant's mistakes each
    time another comes first, so that no kind of mistake is always passed over for the same reason.
    """
    taken = Counter(one.variant for one in before)
    choices: dict[Hashable, list[Planted]] = {}
    for one in planted:
        choices.setdefault(kind(one), []).append(one)
    chosen = []
    for number, several in enumerate(choices.values()):
        start = number % len(several)
        best = min(several[start:] + several[:start], key=lambda one: taken[one.variant])
        taken[best.variant] += 1
        chosen.append(best)
    return chosen

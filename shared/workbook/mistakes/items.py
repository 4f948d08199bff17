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
PLANTED_SECONDS = 120.0
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

    def takes_long(self, root: Path = ROOT) -> bool:
        """Say whether it hangs, or one of its tests looks at an experiment in the background, with a server of its own.

        What hangs is waited for until that is certain, in each of its tests. A test of the background asks for the `subject`;
        the others ask for a `server`, which they share.
        """
        return self.mistake.cause == Cause.HANGS or any("subject" in _arguments(root, test) for test in self.mistake.tests)

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
        return keys.key(self.on.name, "round", self.on.loop, self.number, self.busy)


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
        CatalogueError: A name is unknown, or nothing is left.

    """
    chosen = [named(name, mistakes) for name in dict.fromkeys(names)] or mistakes
    found = [Planted(one, variant) for one in chosen for variant in one.variants if not variants or variant in variants]
    if not found:
        raise CatalogueError(f"No version of {', '.join(names) or 'any mistake'} is planted in {', '.join(variants)}.")
    return found


def for_each_test(planted: Sequence[Planted]) -> list[Planted]:
    """Return one mistake for each set of tests that is responsible for some, in one of its variants."""
    return _one_each(planted, lambda one: one.mistake.tests)


def for_each_mistake(planted: Sequence[Planted]) -> list[Planted]:
    """Return each mistake in one of its variants."""
    return _one_each(planted, lambda one: one.mistake.name)


def _one_each(planted: Sequence[Planted], kind: Callable[[Planted], Hashable]) -> list[Planted]:
    """Return one of each kind.

    Each time it is the variant that has had the fewest so far, so that all get their share; and of a variant's mistakes each
    time another comes first, so that no kind of mistake is always passed over for the same reason.
    """
    taken: Counter[str] = Counter()
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

"""Proves the exercises on every stack: each fails unsolved for its reason, and passes with the reference.

`nox -s exercises` calls it, as `python -m shared.workbook.exercise.proof [--variant NAME ...] [--only NAME ...]`.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from shared.lab.causes import Cause
from shared.lab.variants import ROOT
from shared.workbook.exercise import mine as reader
from shared.workbook.exercise import reference
from shared.workbook.exercise.check import Standing, Verdict, check
from shared.workbook.exercise.exercises import Exercise
from shared.workbook.exercise.mine import Mine
from shared.workbook.exercise.runner import Runner
from shared.workbook.source import choose


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of one exercise on one stack: the verdict on it as it begins, and on the reference."""

    base: str
    exercise: Exercise
    begun: Verdict
    solved: Verdict

    @property
    def wrong(self) -> str:
        """What is not as it should be; nothing when all is."""
        begun = (self.begun.standing, self.begun.cause)
        if begun != (expected := as_begun(self.exercise)):
            return f"as it begins it is {', '.join(begun)}, and not {', '.join(expected)}:\n{self.begun.words}"
        if self.solved.standing != Standing.SOLVED:
            return f"with the reference it is {self.solved.standing}:\n{self.solved.words}"
        return ""


def as_begun(exercise: Exercise) -> tuple[Standing, str]:
    """Return how an exercise stands at its beginning, and the cause that is named."""
    if exercise.mistake:
        return Standing.WRONG, exercise.mistake.cause
    return Standing.UNWRITTEN, Cause.UNWRITTEN


def copied(base: str, root: Path) -> Mine:
    """Make a reader's variant in a folder of its own, beside a copy of what it is made from."""
    for name in ("__init__.py", base):
        source, target = ROOT / "variants" / name, root / "variants" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    return reader.start(base, root)


def proofs(base: str, only: Sequence[str] = ()) -> Iterator[Proof]:
    """Yield what comes of each exercise on a stack, or of those that are named."""
    with tempfile.TemporaryDirectory(prefix="exercises-", ignore_cleanup_errors=True) as folder, Runner() as runner:
        mine = copied(base, Path(folder))
        for exercise in mine.exercises():
            if only and exercise.name not in only:
                continue
            begun = check(mine, exercise, runner)
            (mine.folder / exercise.file).write_text(reference.solved(mine, exercise), encoding="utf-8")
            solved = check(mine, exercise, runner)
            reader.reset(mine, exercise)
            yield Proof(base, exercise, begun, solved)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prove them, stacks side by side, say how each went, and return 1 when one is not as it should be."""
    parser = argparse.ArgumentParser(prog="nox -s exercises --", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--variant", nargs="+", default=[], metavar="NAME", help="only these stacks")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="only these exercises")
    asked = parser.parse_args(arguments)
    found: list[Proof] = []

    def prove(base: str) -> None:
        for proof in proofs(base, asked.only):
            found.append(proof)
            times = f"{proof.begun.seconds:.1f} s, {proof.solved.seconds:.1f} s"
            print(f"{'WRONG' if proof.wrong else 'right'}  {proof.exercise.name} on {base} ({times}) {proof.wrong}", flush=True)

    bases = choose(asked.variant)
    with ThreadPoolExecutor(len(bases)) as executor:
        list(executor.map(prove, bases))  # So that an error is raised here.
    right = sum(not proof.wrong for proof in found)
    print(f"{right} of {len(found)} exercises are as they should be")
    return 0 if found and right == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())

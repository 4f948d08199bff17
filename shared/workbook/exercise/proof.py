"""Proves the exercises on every stack: each fails unsolved for its reason, and passes with the reference.

`nox -s exercises` calls it, as `python -m shared.workbook.exercise.proof [--variant NAME ...] [--only NAME ...]`.
"""

import argparse
import queue
import shutil
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.lab.causes import Cause
from shared.lab.variants import ROOT
from shared.workbook.exercise import mine as reader
from shared.workbook.exercise import reference
from shared.workbook.exercise.check import Standing, Verdict, check
from shared.workbook.exercise.contents import exercises
from shared.workbook.exercise.exercises import Exercise
from shared.workbook.exercise.mine import Mine
from shared.workbook.exercise.runner import Runner
from shared.workbook.source import choose

SIDE_BY_SIDE: Final = 4
"""Proofs at the same time: most of each is waiting."""

ALONE: Final = frozenset({"ending", "computing"})
"""Chapters in which a processor is kept busy: of these one exercise is proved at a time, or they would be late for each other."""


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


def prove(base: str, exercise: Exercise, folder: Path, runner: Runner) -> Proof:
    """Judge an exercise on a stack as it begins, and with the reference.

    Args:
        base: The stack.
        exercise: One of its exercises.
        folder: Where the reader's variants of these proofs stand; made when it is first needed, and then left as it was.
        runner: What runs the suite.

    """
    root = folder / base
    mine = Mine(base, root) if root.exists() else copied(base, root)
    begun = check(mine, exercise, runner)
    (mine.folder / exercise.file).write_text(reference.solved(mine, exercise), encoding="utf-8")
    solved = check(mine, exercise, runner)
    reader.reset(mine, exercise)
    return Proof(base, exercise, begun, solved)


def proofs(bases: Sequence[str], only: Collection[str] = ()) -> Iterator[Proof]:
    """Yield what comes of each exercise on each of these stacks, or of those that are named, as soon as it is there."""
    jobs = [(base, one) for one in exercises() for base in bases if not only or one.name in only]
    desks = queue.SimpleQueue[tuple[Path, Runner]]()  # Whoever proves one takes a desk, and puts it back.
    with ExitStack() as stack, ThreadPoolExecutor(1) as alone, ThreadPoolExecutor(SIDE_BY_SIDE - 1) as together:
        for _ in range(min(SIDE_BY_SIDE, len(jobs))):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="exercises-", ignore_cleanup_errors=True))
            desks.put((Path(folder), stack.enter_context(Runner())))

        def at_a_desk(base: str, exercise: Exercise) -> Proof:
            desk = desks.get()
            try:
                return prove(base, exercise, *desk)
            finally:
                desks.put(desk)

        begun = [(alone if job[1].chapter in ALONE else together).submit(at_a_desk, *job) for job in jobs]
        for future in as_completed(begun):
            yield future.result()


def main(arguments: Sequence[str] | None = None) -> int:
    """Prove them, some side by side, say how each went, and return 1 when one is not as it should be."""
    parser = argparse.ArgumentParser(prog="nox -s exercises --", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--variant", nargs="+", action="extend", default=[], metavar="NAME", help="only these stacks")
    parser.add_argument("--only", nargs="+", action="extend", default=[], metavar="NAME", help="only these exercises")
    asked = parser.parse_args(arguments)
    found: list[Proof] = []
    for proof in proofs(choose(asked.variant), asked.only):
        found.append(proof)
        times = f"{proof.begun.first:.1f} s, {proof.begun.seconds:.1f} s, {proof.solved.seconds:.1f} s"
        print(f"{'WRONG' if proof.wrong else 'right'}  {proof.exercise.name} on {proof.base} ({times}) {proof.wrong}", flush=True)
    right = sum(not proof.wrong for proof in found)
    print(f"{right} of {len(found)} exercises are as they should be")
    return 0 if found and right == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())

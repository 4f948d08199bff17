"""The verdict on an exercise, in words: what is missing before it can run, or what the shared suite says of it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.lab.causes import Cause
from shared.lab.server import ServerError
from shared.workbook.exercise import design
from shared.workbook.exercise.compose import Composed, NotReadyError, compose
from shared.workbook.exercise.exercises import Exercise
from shared.workbook.exercise.mine import NAME, Mine
from shared.workbook.exercise.runner import RunError, Runner
from shared.workbook.mistakes.judge import Report

TOLD = 12
"""Lines that are shown of what a server has printed that did not start."""


class Standing(StrEnum):
    """How an exercise stands; the value is what a reader sees."""

    SOLVED = "solved"
    UNWRITTEN = "not written yet"
    NOT_READY = "cannot run yet"
    WRONG = "not yet right"
    NOT_RUN = "could not be judged"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict.

    Attributes:
        standing: How the exercise stands.
        words: Why.
        cause: What the suite names as the reason; empty where it names none.
        seconds: How long it took to find out.
        first: After how many seconds the probable cause was known.

    """

    standing: Standing
    words: str
    cause: str = ""
    seconds: float = 0.0
    first: float = 0.0


def check(mine: Mine, exercise: Exercise, runner: Runner) -> Verdict:
    """Judge an exercise as its file stands now.

    Args:
        mine: The reader's own variant.
        exercise: One of its exercises.
        runner: What runs the suite.

    """
    began = time.monotonic()
    try:
        standing, words, cause = _judge(mine, exercise, runner)
    except NotReadyError as error:
        return _not_ready(error)
    except (RunError, ServerError) as error:
        standing, words, cause = Standing.NOT_RUN, str(error), ""
    seconds = time.monotonic() - began
    return Verdict(standing, words, cause, seconds, runner.doubted - began if runner.doubted > began else seconds)


def glance(mine: Mine, exercise: Exercise, runner: Runner) -> Verdict | None:
    """Return why an exercise cannot be run as its file stands now; None when it can. Nothing is started for it."""
    try:
        _prepare(mine, exercise, runner)
    except NotReadyError as error:
        return _not_ready(error)
    return None


def _not_ready(error: NotReadyError) -> Verdict:
    if error.unwritten:
        return Verdict(Standing.UNWRITTEN, str(error), Cause.UNWRITTEN)
    return Verdict(Standing.NOT_READY, str(error))


def _prepare(mine: Mine, exercise: Exercise, runner: Runner) -> Composed | None:
    """Make the version to judge; None for an experiment, which needs none."""
    if exercise.kind != "design":
        return compose(mine, exercise, runner.folder())
    place = f"variants/{NAME}/{exercise.file}"
    try:
        missing = design.unwritten(mine.folder / exercise.file)
    except (OSError, SyntaxError) as error:
        raise NotReadyError(f"{place} cannot be read: {error}. `reset` puts it back.") from None
    if missing:
        message = f"Not written yet: {', '.join(f'{place}:{one}' for one in missing)}. This is the exercise; nothing is broken."
        raise NotReadyError(message, unwritten=True)
    return None


def _judge(mine: Mine, exercise: Exercise, runner: Runner) -> tuple[Standing, str, str]:
    composed = _prepare(mine, exercise, runner)
    if composed is None:
        words = design.judge(mine.folder / exercise.file, runner.subjects(mine.base))
        return (Standing.WRONG, words, "") if words else (Standing.SOLVED, "It tells all three servers apart.", "")
    reports = runner.run(composed.root, exercise.tests)
    if failed := [report for report in reports if report.failed]:
        words = composed.in_the_readers_files(failed[0].message)
        if not failed[0].cause:  # It did not even start.
            return Standing.NOT_READY, in_short(words, f"variants/{NAME}/{exercise.file}"), ""
        return Standing.WRONG, words, failed[0].cause
    return _passed(reports)


def in_short(words: str, place: str) -> str:
    """Return why a server did not start: the end of what it printed, from the reader's own file on."""
    _, *lines = [line for line in words.splitlines() if "ResourceWarning" not in line]
    own = [number for number, line in enumerate(lines) if f'File "{place}"' in line]
    return "\n".join(["The server does not start:", *lines[own[-1] if own else -TOLD :]])


def _passed(reports: Sequence[Report]) -> tuple[Standing, str, str]:
    if skipped := [report for report in reports if report.outcome != "passed"]:
        return Standing.NOT_RUN, skipped[0].message, ""
    tests = ", ".join(dict.fromkeys(report.test.partition("::")[2].partition("[")[0] for report in reports))
    return Standing.SOLVED, f"The suite proved it ({tests}).", ""

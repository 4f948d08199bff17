"""Judges what the suite reported: whether the mistake was caught, for the right reason, and in the right place."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from shared.workbook.mistakes.catalogue import Mistake


class Outcome(StrEnum):
    """How a run ended. The first two are what is wanted."""

    CAUGHT = "caught"
    RIGHT = "right"
    MISSED = "missed"  # no responsible test failed
    ACCUSED = "wrongly accused"  # a test failed, and named another cause, or none
    NO_PLACE = "place not named"  # the right cause, and not where to look
    FALSE_ALARM = "false alarm"  # a right variant failed
    TOO_LONG = "too long"  # it did not end in time
    NOT_RUN = "not run"  # there is no report: the suite could not be started


@dataclass(frozen=True, slots=True)
class Report:
    """What the suite says of one test.

    Attributes:
        test: Its id, with the parameters it ran with.
        outcome: `passed`, `failed`, `error` or `skipped`.
        cause: What it names as the reason of a failure; empty where it names none.
        message: What it says, to a learner.

    """

    test: str
    outcome: str
    cause: str
    message: str

    @property
    def failed(self) -> bool:
        """Whether it found something wrong, be it before the test itself."""
        return self.outcome in {"failed", "error"}

    def is_about(self, label: str) -> bool:
        """Whether it is about this version: a test's parameters begin with its label, and its loop where it has several."""
        return re.match(rf"[^\[]+\[{re.escape(label)}(-|\])", self.test) is not None


@dataclass(frozen=True, slots=True)
class Judgement:
    """An outcome, and what there is to say of it: the suite's own message, or why there is none."""

    outcome: Outcome
    message: str


def read_reports(file: Path) -> list[Report]:
    """Return the reports of tests in a file of JSON lines; none when there is no file. A last line cut short is left out."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.is_file() else []
    read = [json.loads(line) for line in lines if line.endswith("\n")]
    tests = [line for line in read if "test" in line]
    return [Report(line["test"], line["outcome"], line.get("cause") or "", line.get("message") or "") for line in tests]


def judge_planted(mistake: Mistake, variant: str, reports: Sequence[Report]) -> Judgement:
    """Judge a finished run over a variant with a mistake in it."""
    responsible = [report for report in reports if _is_one_of(report.test, mistake.tests)]
    if not responsible:
        return Judgement(Outcome.NOT_RUN, f"None of its tests ran: {', '.join(mistake.tests)}")
    if others := [report for report in reports if report.failed and report.cause != mistake.cause]:
        return Judgement(Outcome.ACCUSED, f"{mistake.cause} is right; {_told(others)}")
    named = [report for report in responsible if report.failed]
    if not named:
        return Judgement(Outcome.MISSED, f"{len(responsible)} responsible tests ran, and none failed.")
    file = f"variants/{variant}/{mistake.module}.py"
    for report in named:
        if re.search(rf"{re.escape(file)}(:\d+)?,? {mistake.function}\b", report.message):
            return Judgement(Outcome.CAUGHT, report.message)
    return Judgement(Outcome.NO_PLACE, f"{file} {mistake.function} is not named; {_told(named)}")


def judge_right(reports: Sequence[Report]) -> Judgement:
    """Judge a finished run of the whole suite over a variant as it is: every failure is a false alarm."""
    if failed := [report for report in reports if report.failed]:
        return Judgement(Outcome.FALSE_ALARM, _told(failed))
    if not any(report.outcome == "passed" for report in reports):
        return Judgement(Outcome.NOT_RUN, "No test ran.")
    return Judgement(Outcome.RIGHT, f"{len(reports)} tests")


def _is_one_of(test: str, wanted: Sequence[str]) -> bool:
    # An id without parameters stands for all that the test runs with.
    return any(test == one or test.startswith(f"{one}[") for one in wanted)


def _told(reports: Sequence[Report]) -> str:
    return "\n".join(f"{report.test} says {report.cause or 'no cause'}: {report.message}" for report in reports)

"""Three calls together, and one of them fails: `failing.py`. The evidence is what the service behind them saw."""

from dataclasses import replace

from shared.lab.causes import Cause
from shared.lab.experiment import Ask, Observation
from shared.lab.finding import EARLY as TIMER
from shared.lab.finding import Finding, sure
from shared.lab.refusal import refused
from shared.lab.rules import waited_for
from shared.lab.server import Server
from shared.lab.traits import declared
from shared.lab.upstream import Call
from shared.lab.verdict import prove
from shared.lesson.contract import TASKS
from shared.lesson.work import EARLY, FAILED
from tests.conftest import keep

WAITS = (0.4, 0.8, 1.2)
"""Seconds: the failure comes after a fourth of it, and the others have to be there by then."""

LINGER = 1.2
"""Waits to go on watching after the answer, so that what runs on is seen to end."""


def fails(path: str, wait: float) -> list[Ask]:
    """Return the request whose second call fails after a fourth of the wait."""
    return [Ask(f"{path}?seconds={wait}", status=502)]


def answered_502(seen: Observation) -> list[Finding]:
    """Check that the failure is answered, in the words that say whose it is, and that the log does not take it for unforeseen."""
    log = "\n".join(seen.printed)
    findings = refused(seen.answers[0], 502, f"The work service answered with the status {FAILED}.", log=log)
    if not findings and "Traceback" in log:
        return sure(Cause.WRONG_ERROR, f"{seen.answers[0].ask.path} answered 502, and logged a traceback for what was foreseen")
    return findings


def failed_early(seen: Observation) -> list[Finding]:
    """Check that all three calls were made, and that the answer came when the second had failed and not when all had ended."""
    if findings := answered_502(seen):
        return findings
    answer, tasks = seen.answers[0], [call.task for call in seen.calls]
    if sorted(tasks) != sorted(TASKS):
        sentence = f"{answer.ask.path} had {', '.join(tasks) or 'nothing'} worked on, and not {', '.join(TASKS)}"
        # On a busy machine one may have failed before another was begun.
        return [Finding(Cause.WRONG_CALL, sentence, certain=len(tasks) >= len(TASKS))]
    failed = next(call for call in seen.calls if call.task == TASKS[1])
    others = [call for call in seen.calls if call is not failed]
    if max(call.start for call in others) >= (failed.end or 0):
        return [Finding(Cause.ONE_BY_ONE, f"{answer.ask.path} called for {others[-1].task} only when {failed.task} had failed")]
    early = answer.ask.wait / EARLY
    if answer.seconds < early - TIMER:
        return sure(Cause.TOO_FAST, f"{answer.ask.path} answered after {answer.seconds:.2f} s, and the failure takes {early:.2f}")
    if answer.seconds >= (early + answer.ask.wait) / 2:  # Right: the failure's time. Wrong: that of the others.
        sentence = f"one of three calls failed after {early:.2f} s, and {answer.ask.path} answered after {answer.seconds:.2f}"
        return [Finding(Cause.TOO_SLOW, f"{sentence}: it waited for the others to end")]
    return waited_for(answer, failed.task, early)


def others(seen: Observation) -> list[Call]:
    """Return the two calls that do not fail."""
    return [call for call in seen.calls if call.task != TASKS[1]]


def broke_off_the_others(seen: Observation) -> list[Finding]:
    """Check besides that the other two were broken off, before they had ended by themselves."""
    if findings := failed_early(seen):
        return findings
    if left := [call for call in others(seen) if not call.was_left]:
        path = seen.answers[0].ask.path
        sentence = f"after {path} had answered, the service worked on {left[0].task} for {left[0].seconds:.2f} s, to its end"
        return sure(Cause.RUNS_ON, sentence)
    return []


def test_a_group_breaks_the_others_off(server: Server) -> None:
    """In a group one failure is a 502 at once, and the other two calls are broken off."""
    verdict = prove(server, "others broken off", lambda wait: fails("/group-fails", wait), broke_off_the_others, WAITS, LINGER)
    keep(server, "/group-fails", verdict)


def test_gather_answers_at_once(server: Server) -> None:
    """In this stack's own `gather` one failure is a 502 at once; what becomes of the others it declares (`test_character.py`)."""
    verdict = prove(server, "502 at once", lambda wait: fails("/gather-fails", wait), failed_early, WAITS, LINGER)
    what = declared(server.variant).get("gather", "").replace("-", " ")  # `test_character.py` verifies it.
    keep(server, "/gather-fails", replace(verdict, name=f"{verdict.name}; {what}"))

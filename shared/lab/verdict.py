"""Verdicts: what an observation proves, in words.

Noise only ever makes things slower. So a lower bound must hold every time, while an upper bound must hold once in a few tries:
what *can* take the short time does not block. Every bound stands midway between right and the nearest wrong.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.lab.experiment import Answer, Observation
from shared.lab.timeline import draw
from shared.lesson.contract import TASKS, endpoint

EARLY = 0.002
"""Seconds by which a right timer may end too soon: 0.0009 were measured on uvloop."""

WAITS = (0.2, 0.3, 0.5)
"""The waits of the tries, in seconds: longer ones later, because noise does not grow with the wait."""

BLOCKING = "a blocking call, such as time.sleep, holds the event loop: await instead, or use a thread"
ONE_BY_ONE = "they are awaited one by one: gather, or a task group, starts all before it waits"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an observation proves.

    Attributes:
        name: In one or two words, such as `together`.
        holds: Whether it is what the contract asks for.
        certain: Whether noise cannot have caused it, so that another try would prove nothing.
        measured: The experiment's time, in seconds.
        message: Why it does not hold, for a learner; empty when it does.

    """

    name: str
    holds: bool
    certain: bool
    measured: float
    message: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A reason why an observation is not what was expected."""

    name: str
    sentence: str
    cause: str
    certain: bool = False


Check = Callable[[Observation, float], list[Finding]]


def prove(run: Callable[[float], Observation], check: Check, name: str, variant: str, waits: Sequence[float] = WAITS) -> Verdict:
    """Try with longer and longer waits until a check finds nothing wrong, or something that noise cannot cause.

    Args:
        run: Makes one observation with a given wait, in seconds.
        check: Names what is wrong with it.
        name: What it is called when nothing is.
        variant: The variant's folder, for the message.
        waits: The wait of each try, in seconds.

    """
    verdict = Verdict("untried", holds=False, certain=False, measured=0.0)
    for wait in waits:
        seen = run(wait)
        findings = missing_answers(seen) or check(seen, wait)
        if not findings:
            return Verdict(name, holds=True, certain=False, measured=seen.seconds)
        worst = max(findings, key=lambda finding: finding.certain)
        verdict = Verdict(
            worst.name, holds=False, certain=worst.certain, measured=seen.seconds, message=_tell(worst, seen, variant)
        )
        if worst.certain:
            break
    return verdict


def missing_answers(seen: Observation) -> list[Finding]:
    """Find requests without an answer, or with another status than 200."""
    for answer in seen.answers:
        if "no answer" in answer.error:
            cause = (
                f"it hangs; the server stands at:\n{seen.stuck}" if seen.stuck else "it hangs, and nothing of the variant runs"
            )
            return [Finding("hangs", f"{answer.ask.path} had no answer after {answer.seconds:.1f} s", cause, certain=True)]
        if answer.status != 200:  # noqa: PLR2004 - HTTP's success
            got = answer.error or f"status {answer.status} {answer.body[:200]!r}"
            return [Finding("fails", f"{answer.ask.path} answered {got}", _last_error(seen.printed), certain=True)]
    return []


def blocks(seen: Observation, wait: float) -> list[Finding]:
    """Check that requests wait one after another on a blocked event loop, and that `/ping` waits for them."""
    count = len(seen.answers)
    if seen.seconds < count * wait - EARLY:
        sentence = f"{_asked(seen)} took {seen.seconds:.2f} s: the sum of the waits is {count * wait:.2f}"
        return [
            Finding(
                "does not block", sentence, "the wait does not block the event loop, or is too short; here it must", certain=True
            )
        ]
    if seen.slowest_ping < wait / 2:  # Right: a whole wait or two. Wrong: none.
        sentence = f"{_asked(seen)} took turns, but /ping waited only {seen.slowest_ping:.3f} s of {wait:.2f}"
        return [
            Finding("does not block", sentence, "something makes the requests wait for each other, and it is not the event loop")
        ]
    # Right: the sum. Nearest wrong: one wait more.
    return _too_slow(seen, count * wait, bound=(count + 0.5) * wait)


def frees(seen: Observation, wait: float, bound: float | None = None) -> list[Finding]:
    """Check that requests wait together, within `bound` seconds (1.5 waits when None), and leave `/ping` free."""
    if shortest := [answer for answer in seen.answers if answer.seconds < wait - EARLY]:
        return [_too_fast(shortest[0], wait)]
    if seen.slowest_ping >= wait / 2:  # Right: none. Wrong: a whole wait.
        sentence = f"while {_asked(seen)} waited, /ping had to wait {seen.slowest_ping:.2f} s"
        return [Finding("blocks", sentence, BLOCKING)]
    # Right: one wait. Nearest wrong: a limit that lets only some of them wait at once, two waits.
    return _too_slow(seen, wait, bound=1.5 * wait if bound is None else bound)


def together(seen: Observation, wait: float) -> list[Finding]:
    """Check that the operations of each request overlap, by its own record and by the time it took."""
    for answer in seen.answers:
        operations = sorted(answer.operations, key=lambda operation: operation.start)
        if unrecorded := _unrecorded(answer):
            return unrecorded
        for one, other in pairwise(operations):
            # Overlap by half a wait: tasks that merely follow each other can touch by some microseconds.
            if min(one.end, other.end) - max(one.start, other.start) < wait / 2:
                total = len(operations) * wait
                sentence = (
                    f"{_asked(seen)} took {seen.seconds:.2f} s for {len(operations)} x {wait:g} s: the sum is {total:.2f}, "
                    f"the longest is {wait:.2f}; {other.name} started after {one.name} ended"
                )
                return [Finding("one after another", sentence, BLOCKING if seen.slowest_ping >= wait / 2 else ONE_BY_ONE)]
    return frees(seen, wait)


def in_turn(seen: Observation, wait: float) -> list[Finding]:
    """Check that the operations of one request never overlap, add up, and leave the event loop free."""
    answer = seen.answers[0]
    operations = sorted(answer.operations, key=lambda operation: operation.start)
    if unrecorded := _unrecorded(answer):
        return unrecorded
    total = len(operations) * wait
    for one, other in pairwise(operations):
        if other.start < one.end - EARLY:
            sentence = f"{_asked(seen)}: {other.name} started {one.end - other.start:.2f} s before {one.name} ended"
            return [
                Finding("together", sentence, "they are started together; here each has to wait for the one before", certain=True)
            ]
    if answer.seconds < total - EARLY:
        return [_too_fast(answer, total)]
    if seen.slowest_ping >= wait / 2:
        sentence = f"while {_asked(seen)} waited, /ping had to wait {seen.slowest_ping:.2f} s"
        return [Finding("blocks", sentence, BLOCKING)]
    return _too_slow(seen, total, bound=total + wait / 2)


def _unrecorded(answer: Answer) -> list[Finding]:
    """Find a `Server-Timing` header that does not name each of the three tasks once."""
    names = sorted(operation.name for operation in answer.operations)
    if names == sorted(TASKS):
        return []
    sentence = f"{answer.ask.path} names {names or 'nothing'} in Server-Timing, and not {', '.join(TASKS)}"
    return [Finding("unrecorded", sentence, "a task is missing, or does not go through its operation()", certain=True)]


def _too_fast(answer: Answer, wait: float) -> Finding:
    sentence = f"{answer.ask.path} answered after {answer.seconds:.3f} s: it cannot have waited the {wait:.2f} s it was asked for"
    return Finding("too fast", sentence, "the wait is not awaited, or is shorter than asked for", certain=True)


def _too_slow(seen: Observation, right: float, bound: float) -> list[Finding]:
    if seen.seconds < bound:
        return []
    sentence = f"{_asked(seen)} took {seen.seconds:.2f} s: {right:.2f} is right, {bound:.2f} the limit"
    if seen.slowest_ping < right / 2:
        cause = "a lock or a limit lets only some of them wait at once; the event loop itself stayed free"
    else:
        cause = "something blocks the event loop"
    return [Finding("too slow", sentence, cause)]


def _asked(seen: Observation) -> str:
    paths = [answer.ask.path for answer in seen.answers]
    return paths[0] if len(paths) == 1 else f"{len(paths)} requests at once to {paths[0].partition('?')[0]}"


def _last_error(printed: str) -> str:
    lines = [line for line in printed.splitlines() if line and not line.startswith((" ", "["))]
    return f"the server says: {lines[-1]}" if lines else "the server's log says nothing"


def _tell(finding: Finding, seen: Observation, variant: str) -> str:
    """Say it: what was sent and measured and expected, the probable cause, where to look; then the timeline."""
    place = endpoint(seen.answers[0].ask.path)
    where = f"variants/{variant}/{place.module}.py, {place.function}"
    if place.operation:
        where += f" and what it waits with, {place.operation}"
    return f"{finding.sentence}. Probable cause: {finding.cause}. Look at {where}.\n{draw(seen)}"


def explain(verdicts: Sequence[Verdict]) -> str:
    """Return the messages of the verdicts that do not hold."""
    return "\n".join(verdict.message for verdict in verdicts if not verdict.holds)

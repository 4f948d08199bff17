"""Many calls, and not too many at once: `limiting.py`. The evidence is how many calls the service behind had open together."""

import json
import math
from dataclasses import replace

from shared.lab import checks
from shared.lab.causes import Cause
from shared.lab.experiment import Answer, Ask, Observation
from shared.lab.finding import EARLY, Finding, sure
from shared.lab.refusal import refused
from shared.lab.server import Server
from shared.lab.upstream import most_at_once
from shared.lab.verdict import prove
from shared.lesson.limits import MAX_TASKS
from shared.lesson.work import FAILED, WORK
from tests.conftest import keep

TASKS, AT_ONCE = 7, 3
WAVES = math.ceil(TASKS / AT_ONCE)
BOTH = {1: 2, 6: 12}
"""Tasks of two requests at once, by how many at once each allows: two waves each."""

MANY = MAX_TASKS - 1
"""Tasks of one request, where each of them has a place."""

DEFAULT_TASKS = 10

PAIR = 2
"""Calls at once where one of them fails: then the other is under way."""

FAILURE_WAITS = (0.2, 0.4, 0.8)


def limited(tasks: int, at_once: int, wait: float) -> Ask:
    """Return the request for so many tasks, so many of them at once."""
    return Ask(f"/limited?tasks={tasks}&at_once={at_once}&seconds={wait}")


def results(answer: Answer, tasks: int) -> list[Finding]:
    """Check that an answer holds the result of each task, in the order of the tasks."""
    got, right = json.loads(answer.body).get("results"), [f"task{number + 1} result" for number in range(tasks)]
    if got == right:
        return []
    cause = Cause.ORDER if isinstance(got, list) and sorted(map(str, got)) == sorted(right) else Cause.WRONG_ANSWER
    return sure(cause, f"{answer.ask.path} answered with the results {got}, and not {right}")


def peak(seen: Observation, allowed: int) -> list[Finding]:
    """Check that just as many calls as are allowed were open at once, at the most."""
    most, path = most_at_once(seen.calls), seen.answers[0].ask.path
    sentence = f"while {checks.describe(seen)} waited, the service had {most} calls open at once, and {allowed} are allowed"
    if most > allowed:
        return sure(Cause.TOO_MANY, sentence)
    if most == 1:
        return [Finding(Cause.ONE_BY_ONE, f"for {path} the service had one call open at a time, and {allowed} are allowed")]
    return [Finding(Cause.LIMITED, sentence)] if most < allowed else []


def in_waves(answer: Answer, waves: int) -> list[Finding]:
    """Check that an answer took as many waves of calls as it has to, and none more."""
    due = waves * answer.ask.wait
    sentence = f"{answer.ask.path} took {answer.seconds:.2f} s; {waves} waves of {answer.ask.wait:g} s are right"
    if answer.seconds < due - EARLY:
        return sure(Cause.TOO_FAST, sentence)
    # Nearest wrong: one wave more.
    return [Finding(Cause.TOO_SLOW, sentence)] if answer.seconds >= due + answer.ask.wait / 2 else []


def called(seen: Observation, tasks: int) -> list[Finding]:
    """Check that each task was worked on once."""
    if len(seen.calls) == tasks:
        return []
    return sure(Cause.WRONG_CALL, f"{checks.describe(seen)} made {len(seen.calls)} calls, and there are {tasks} tasks")


def test_as_many_at_once_as_allowed(server: Server) -> None:
    """Seven tasks, three at once: the service never has more than three calls open, it has three, and three waves do."""

    def check(seen: Observation) -> list[Finding]:
        answer = seen.answers[0]
        return (
            called(seen, TASKS)
            or results(answer, TASKS)
            or checks.holds_the_loop(seen, answer.ask.wait)
            or peak(seen, AT_ONCE)
            or in_waves(answer, WAVES)
        )

    keep(server, "/limited", prove(server, "in waves", lambda wait: [limited(TASKS, AT_ONCE, wait)], check))


def test_fewer_tasks_than_places(server: Server) -> None:
    """Where there is a place for each task, all are worked on at once."""

    def check(seen: Observation) -> list[Finding]:
        answer = seen.answers[0]
        return called(seen, MANY) or results(answer, MANY) or peak(seen, MANY) or in_waves(answer, 1)

    prove(server, "together", lambda wait: [limited(MANY, MANY + 1, wait)], check)


def test_how_many_where_nothing_is_said(server: Server) -> None:
    """Ten tasks, three at once, where a request does not say how many."""

    def check(seen: Observation) -> list[Finding]:
        return called(seen, DEFAULT_TASKS) or results(seen.answers[0], DEFAULT_TASKS) or peak(seen, AT_ONCE)

    prove(server, "by default", lambda wait: [Ask(f"/limited?seconds={wait / 2}")], check)


def test_each_request_has_its_own_limit(server: Server) -> None:
    """Two requests at once with different limits each take their own waves: they share no places."""

    def check(seen: Observation) -> list[Finding]:
        if findings := called(seen, sum(BOTH.values())):
            return findings
        late = [answer for answer in seen.answers if in_waves(answer, 2)]
        most = most_at_once(seen.calls)
        if late and most < sum(BOTH):
            sentence = f"two requests at once, which allow {' and '.join(map(str, BOTH))} calls, had {most} open together"
            sentence = f"{sentence} where {sum(BOTH)} are right, and {late[0].ask.path} took {late[0].seconds:.2f} s"
            return [Finding(Cause.SHARED_STATE, sentence)]
        return peak(seen, sum(BOTH)) or [finding for answer in late for finding in in_waves(answer, 2)]

    prove(server, "each its own", lambda wait: [limited(tasks, at_once, wait) for at_once, tasks in BOTH.items()], check)


def test_the_next_begins_whenever_one_ends(server: Server) -> None:
    """While one of the first three calls takes three times as long as the others, the fourth begins in another's place."""

    def asks(wait: float) -> list[Ask]:
        server.upstreams.misbehave("work", "slow", seconds=2 * wait)
        return [limited(TASKS, AT_ONCE, wait)]

    prove(server, "in turn", asks, lambda seen: called(seen, TASKS) or checks.refills(seen, AT_ONCE))


def test_a_failure_ends_it(server: Server) -> None:
    """When one call has failed, the answer is a 502, what is under way is broken off, and what has not begun never does."""

    def asks(wait: float) -> list[Ask]:
        server.upstreams.misbehave("work", "slow", seconds=0)  # As ever, so that it is under way when the next one fails.
        server.upstreams.misbehave("work", "answer", status=FAILED)
        return [replace(limited(TASKS, PAIR, wait), status=502)]

    prove(server, "ended", asks, ended_by_a_failure, FAILURE_WAITS, linger=1.5)


def ended_by_a_failure(seen: Observation) -> list[Finding]:
    """Check that a failure was answered, and that no call was begun, or went on, for nobody."""
    answer = seen.answers[0]
    log = "\n".join(seen.printed)
    if findings := refused(answer, 502, f"The {WORK} answered with the status {FAILED}.", log=log):
        return findings
    sentence = f"{answer.ask.path} was answered 502 after {answer.seconds:.2f} s, because a call had failed"
    # Right: the two, and perhaps a third, which took the place of the one that failed before that was known. Wrong: all seven.
    if len(seen.calls) > PAIR + 1:
        return [Finding(Cause.RUNS_ON, f"{sentence}; beside the {PAIR} under way {len(seen.calls) - PAIR} were begun for nobody")]
    if left := [call for call in seen.calls if call.status != FAILED and not call.was_left]:
        return [Finding(Cause.RUNS_ON, f"{sentence}, and the service worked on {left[0].task} to its end")]
    return []

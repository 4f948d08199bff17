"""Results as they come: `streaming.py`."""

import re
from collections.abc import Sequence
from dataclasses import replace

from shared.lab import checks
from shared.lab.causes import Cause
from shared.lab.experiment import Answer, Ask, Observation, run
from shared.lab.finding import EARLY, Finding, sure
from shared.lab.places import AS_COMPLETED_ENDPOINT, WORK_ON
from shared.lab.readers import QUICK
from shared.lab.rules import answered, broken, misstated
from shared.lab.server import Server
from shared.lab.stream import SeenEvent, events, readable
from shared.lab.upstream import Call, most_at_once
from shared.lab.variants import Variant
from shared.lab.verdict import accuse, judge, prove
from shared.lesson.contract import FACTORS
from shared.lesson.limits import MAX_TASKS
from shared.lesson.progress import KILOBYTE
from shared.lesson.request_id import HEADER
from shared.lesson.work import FAILED
from tests.background import AT_ONCE, BIG, MANY, Aside
from tests.conftest import keep

WAITS = (0.2, 0.4, 0.8)
LONG_WAITS = (0.8, 1.6, 3.2)
"""Seconds, of which a fourth has to do for the beginning of fifty calls."""

RESULTS = {f"task{number + 1} result": factor for number, factor in enumerate(FACTORS)}
"""Each result of three unequal tasks, and how many waits it takes."""

AT_ONCE_IN = (AS_COMPLETED_ENDPOINT, ("streaming", "as_they_come"))

PLACES = {f"tasks={MAX_TASKS}&at_once={MAX_TASKS}": (MAX_TASKS, MAX_TASKS), "tasks=12": (12, 3), "at_once=1": (3, 1)}
"""How many pieces of work there are, and how many may be under way at once, by what a request asks for."""


def complete(answer: Answer, told: list[SeenEvent], results: list[str]) -> list[Finding]:
    """Check that each result was told once, and in the agreed shape."""
    path = answer.ask.path
    for event in told:
        if not isinstance(event.data, dict) or event.name != "result" or event.data.keys() != {"result", "elapsed", "padding"}:
            return sure(
                Cause.WRONG_ANSWER, f"{path} told {event.name} {str(event.data)[:80]}, and not a result, elapsed and padding"
            )
    if "kilobytes" not in path and (padded := next((event for event in told if event.data["padding"]), None)):
        sentence = f"{path} told an event that is {len(padded.data['padding']):,} characters longer, and was not asked to"
        return sure(Cause.WRONG_ANSWER, sentence)
    got = [event.data["result"] for event in told]
    if sorted(got) == sorted(results):
        return []
    missing = [result for result in results if result not in got]
    return sure(Cause.WRONG_ANSWER, f"{path} told {len(got)} results, of {len(results)}; {missing[:1] or 'some twice'}")


def test_each_result_at_its_own_time(server: Server) -> None:
    """Of three pieces of work the quickest is told first, each as soon as it is done, and the last ends the stream."""

    def asks(wait: float) -> list[Ask]:
        server.upstreams.behave()
        # What a piece was asked to take is not what it takes, and whoever says how long it took has to measure. With a marker
        # every call is slow: one of an earlier try, on its way only now, does not take the place of another.
        server.upstreams.misbehave("work", "slow", marker="name=", seconds=wait / 2)
        return [Ask(f"/as-completed?seconds={wait}")]

    def check(seen: Observation) -> list[Finding]:
        answer = seen.answers[0]
        told, wait = events(answer), answer.ask.wait
        if findings := complete(answer, told, list(RESULTS)) or checks.holds_the_loop(seen, wait):
            return findings
        for event in told:
            took = event.received - answer.sent
            due = (RESULTS[event.data["result"]] + 1 / 2) * wait
            sentence = f"{event.data['result']!r} was there after {due:.2f} s, and told after {took:.2f}"
            if took < due - EARLY:
                return sure(Cause.TOO_FAST, sentence)
            if misstated(event.data["elapsed"], due, took):
                return sure(Cause.FALSE_REPORT, f"{sentence}, and says of itself {event.data['elapsed']}", WORK_ON)
            if took >= due + wait / 2:  # Nearest wrong: with the next result.
                return [late(sentence, seen)]
        return []

    keep(server, "/as-completed", prove(server, "as they come", asks, check, WAITS))


def late(sentence: str, seen: Observation) -> Finding:
    """Tell why a result was told late: it was held back, or begun late."""
    if max(call.start for call in seen.calls) >= min(call.start + call.seconds for call in seen.calls):
        return Finding(Cause.ONE_BY_ONE, f"{sentence}; the work was begun one after another")
    return Finding(Cause.HELD_BACK, sentence)


def test_a_failure_is_told_in_the_stream(server: Server) -> None:
    """When the status has been sent, work that fails can only be told as an event; the other results come as ever."""
    server.upstreams.misbehave("work", "answer", status=FAILED)
    seen = run(server, [Ask("/as-completed?seconds=0.1")])
    answer = seen.answers[0]
    if answer.error and answer.headers:
        sentence = f"one of three pieces of work failed, and the stream was cut off after {len(answer.body)} bytes"
        judge(server, seen, sure(Cause.WRONG_ERROR, sentence, WORK_ON))
    judge(server, seen, broken(seen, (answered,)) or readable(answer))
    told = events(answer)
    kinds = sorted(event.name for event in told)
    if kinds != ["error", "result", "result"]:
        sentence = f"one of three pieces of work failed, and the stream told {', '.join(kinds) or 'nothing'}"
        sentence = f"{sentence}; one event 'error' and two 'result' are right"
        judge(
            server,
            seen,
            sure(Cause.SWALLOWED if "error" not in kinds and len(kinds) == 3 else Cause.WRONG_ERROR, sentence, WORK_ON),
        )
    problem = next(event.data for event in told if event.name == "error")
    if not isinstance(problem, dict) or (problem.get("status"), "work service" in str(problem.get("detail"))) != (502, True):
        judge(server, seen, sure(Cause.WRONG_ERROR, f"the failure of one piece of work is told as {problem}", WORK_ON))


def test_a_failure_ends_nothing_else(server: Server) -> None:
    """Where there is one place, what has not begun when a piece of work fails is worked on all the same."""
    server.upstreams.misbehave("work", "answer", marker="name=task1", status=FAILED)  # All calls for it: a GET may be repeated.
    seen = run(server, [Ask("/as-completed?tasks=4&at_once=1&seconds=0")])
    answer = seen.answers[0]
    judge(server, seen, broken(seen, (answered,)) or readable(answer))
    kinds = [event.name for event in events(answer)]
    if kinds != ["error", "result", "result", "result"]:
        sentence = f"the first of four pieces of work failed, one was worked on at a time, and the stream told {', '.join(kinds)}"
        sentence = f"{sentence}; one event 'error' and three 'result' are right"
        judge(server, seen, sure(Cause.LOST if len(kinds) < 4 else Cause.WRONG_ERROR, sentence, WORK_ON, AT_ONCE_IN[1]))


def test_no_more_at_once_than_asked_for(server: Server) -> None:
    """Of seven pieces of work three are under way at once, here as well, and the next begins whenever one has ended."""

    def check(seen: Observation) -> list[Finding]:
        most = most_at_once(seen.calls)
        if findings := complete(seen.answers[0], events(seen.answers[0]), [f"task{number + 1} result" for number in range(7)]):
            return findings
        sentence = f"{seen.answers[0].ask.path} had {most} calls open at once, and 3 are allowed"
        if most > 3:
            return sure(Cause.TOO_MANY, sentence)
        if most < 3:
            return [Finding(Cause.ONE_BY_ONE if most == 1 else Cause.LIMITED, sentence)]
        return checks.refills(seen, 3)  # The first takes three times as long as the second.

    prove(server, "limited", lambda wait: [Ask(f"/as-completed?tasks=7&at_once=3&seconds={wait / 3:.3f}")], check)


def test_as_many_at_once_as_asked_for(server: Server) -> None:
    """As many as there are places for are under way at once, three where nothing is said; and who waits for one, says so."""

    def check(seen: Observation) -> list[Finding]:
        for answer, (ask, (tasks, right)) in zip(seen.answers, PLACES.items(), strict=True):
            calls = [call for call in seen.calls if call.sent["request_id"] == identifier(ask)]
            if len(calls) != tasks:
                sentence = (
                    f"for {answer.ask.path} the service was called {len(calls)} times under its identifier, and {tasks} are right"
                )
                return [replace(*sure(Cause.WRONG_CALL, sentence, WORK_ON), ask=answer.ask)]
            names = [f"task{number + 1} result" for number in range(tasks)]
            if findings := complete(answer, events(answer), names) or misstates(answer, calls):
                return [replace(finding, ask=answer.ask) for finding in findings]
            if (most := most_at_once(calls)) != right:
                sentence = f"{answer.ask.path} had {most} calls open at once, and {right} are right"
                cause = Cause.TOO_MANY if most > right else Cause.LIMITED
                return [Finding(cause, sentence, certain=most > right, places=AT_ONCE_IN, ask=answer.ask)]
        return []

    def asks(wait: float) -> list[Ask]:
        return [Ask(f"/as-completed?seconds={wait / 4:.3f}&{ask}", headers=((HEADER, identifier(ask)),)) for ask in PLACES]

    prove(server, "places", asks, check, LONG_WAITS, watch=False)


def misstates(answer: Answer, calls: Sequence[Call]) -> list[Finding]:
    """Find a result that does not say when it was there, in seconds since the request, but how long its own work took."""
    begun = min(call.start for call in calls)  # Not before the request had arrived.
    ends = {f"{call.task} result": call.start + call.seconds - begun for call in calls}
    for event in events(answer):
        due, took = ends[event.data["result"]], event.received - answer.sent
        if misstated(event.data["elapsed"], due - EARLY, took):
            sentence = f"{answer.ask.path} told {event.data['result']!r} after {took:.2f} s, and that was there after {due:.2f}"
            return sure(Cause.FALSE_REPORT, f"{sentence}, and says of itself {event.data['elapsed']}", WORK_ON)
    return []


def identifier(ask: str) -> str:
    """Return the identifier of a request that asks so."""
    return f"places-{re.sub('[^a-z0-9]', '-', ask)}"


def test_a_slow_reader_makes_the_server_wait(subject: Variant, aside: Aside) -> None:
    """A reader who reads nothing is waited for: no further work is begun, others are served, and nothing is lost."""
    slow = aside.slow
    accuse(subject, slow.seen, broken(slow.seen, (answered,)) or readable(slow.seen.answers[0]))
    if slow.waiting >= MANY:
        sentence = f"while its reader read nothing, all {MANY} pieces of work were done, for {MANY * BIG // 1024} MB of answers"
        accuse(subject, slow.seen, sure(Cause.OUTRUNS, sentence))
    if slow.ping >= QUICK:  # Right: some milliseconds. Wrong: for ever, for nothing is read before it is answered.
        accuse(subject, slow.seen, sure(Cause.BLOCKS, f"while a reader read nothing, /ping had to wait {slow.ping:.2f} s"))
    told = events(slow.seen.answers[0])
    accuse(subject, slow.seen, complete(slow.seen.answers[0], told, [f"task{number + 1} result" for number in range(MANY)]))
    if any(len(event.data["padding"]) != BIG * KILOBYTE for event in told):
        accuse(subject, slow.seen, sure(Cause.WRONG_ANSWER, f"an event is not {BIG} kilobytes longer, as was asked"))
    if most_at_once(slow.seen.calls) > AT_ONCE:
        sentence = f"{most_at_once(slow.seen.calls)} calls were open at once, and {AT_ONCE} are allowed"
        accuse(subject, slow.seen, sure(Cause.TOO_MANY, sentence))

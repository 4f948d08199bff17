"""Nothing takes time but the waits: what has nothing to wait for is answered at once, and what has, at the end of its wait.

The other modules ask for longer waits on a busy machine. Beside those, something of a fixed size, such as a pause of 0.3 seconds
in front of each call, would be taken for the machine's. Here a try that came too late is made again as it was.
"""

import itertools
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http import HTTPStatus

import psutil
import pytest

from shared.lab.causes import Cause
from shared.lab.experiment import Ask, Observation, run
from shared.lab.family import MOST
from shared.lab.finding import Finding, sure
from shared.lab.overhead import AT_ONCE, TAKE_TIME, allowed, late, overhead
from shared.lab.places import WITH_REQUEST_ID
from shared.lab.rules import other_status
from shared.lab.server import Server
from shared.lab.talk import Hear, cancel, start
from shared.lab.talks import talked
from shared.lab.tries import first_good
from shared.lab.verdict import judge
from shared.lesson.contract import ENDPOINTS, FACTORS, SOCKET, TASKS
from shared.lesson.request_id import HEADER
from shared.lesson.work import EARLY
from tests.test_deadlines import FACTOR
from tests.test_deadlines import late as limit_passed

PATIENCE, TRIES = 6.0, 10
"""For how many seconds to try, and how often at the least: a busy machine may hold up each of a few answers, not of so many."""

QUERIES = {
    **dict.fromkeys(("search", "answers"), "query=budget"),
    **dict.fromkeys(("limiting", "streaming"), "seconds=0&tasks=1&at_once=1"),
    "computing": "n=2",
}
"""What those chapters are asked for, and all others for no wait."""

TALK = (
    *(start("long", 8.0), Hear("started", "long"), start("quick", 0.0), Hear("done", "quick")),
    *(cancel("long"), Hear("cancelled", "long")),
)
"""A conversation in which one task has nothing to wait for, and the other is broken off."""


def each_try(server: Server) -> Iterator[tuple[int, bool]]:
    """Yield the number of each try, and whether it is the last; the time does not count in which the server had no processor."""
    began, starved, is_last = time.monotonic(), server.starved, False
    for number in itertools.count(1):
        if is_last:
            return
        without = min(server.starved - starved, MOST * PATIENCE)
        is_last = number >= TRIES and time.monotonic() - began > PATIENCE + without
        yield number, is_last


def unanswered(seen: Observation) -> list[Finding]:
    """Find a request that got no answer."""
    return [found for answer in seen.answers if not answer.status for found in other_status(answer, seen)]


def other_answers(seen: Observation) -> list[Finding]:
    """Find a request that was answered with another status than its own."""
    return [found for answer in seen.answers if answer.status != answer.ask.status for found in other_status(answer, seen)]


def no_deadline(seen: Observation) -> list[Finding]:
    """Find a request without any time that was answered all the same."""
    for answer in seen.answers:
        if (answer.ask.status, answer.status) == (HTTPStatus.GATEWAY_TIMEOUT, HTTPStatus.OK):
            return sure(Cause.NO_DEADLINE, limit_passed(answer, 0.0))
    return []


def with_nothing_to_wait_for() -> list[Ask]:
    """Return a request for each endpoint, one that calls a third service, three that have no time, and three that are refused."""
    asks = []
    for endpoint in ENDPOINTS:
        if endpoint.method == SOCKET:
            asks.append(Ask(endpoint.example, SOCKET, status=endpoint.status, says=TALK))
        else:
            query = QUERIES.get(endpoint.module, "seconds=0")
            asks.append(Ask(f"{endpoint.example}?{query}", endpoint.method, status=endpoint.status))
    answered = Ask("/search-demo?query=budget&answer=true", "POST")
    no_time = [Ask(f"/{path}&limit=0", status=504) for path in ("deadline?seconds=1", "deadline-thread?seconds=0.1", "cpu?n=2")]
    refused = [*no_time, Ask("/async?seconds=x", status=422), Ask("/nowhere", status=404), Ask("/ping", "DELETE", status=405)]
    return [*asks, answered, *refused]


def late_each_time(seen: Observation, count: int, soonest: list[float]) -> str:
    """Say what was measured of pairs of requests with nothing to wait for, of which the first or the second was always late."""
    asked = f"{seen.answers[0].ask.method} {seen.answers[0].ask.path}"
    without = ", without what its services took" if any(call.service in TAKE_TIME for call in seen.calls) else ""
    expected = f"{without}; there is nothing to wait for, and {allowed(seen):g} s is more than enough"
    if min(soonest) >= allowed(seen):
        return f"{asked} was sent {2 * count} times, and answered after {min(soonest):.2f} s at the soonest{expected}"
    which = "first" if soonest[0] >= allowed(seen) else "second, which has an identifier,"
    sentence = f"{asked} was sent twice in turn, {count} times, and the {which} answered after {max(soonest):.2f} s"
    return f"{sentence} at the soonest{expected}"


@pytest.mark.parametrize("ask", with_nothing_to_wait_for(), ids=lambda ask: f"{ask.method}{ask.path}-{ask.status}")
def test_nothing_takes_time_but_the_waits(server: Server, ask: Ask) -> None:
    """With nothing to wait for, each endpoint answers at once, and does so again, on the same connection and with an identifier.

    On a busy machine it does so not each time, but once in a few seconds.
    """
    again = replace(ask, headers=((HEADER, "again"),))
    soonest = [math.inf, math.inf]  # of the first, and of the second
    for count, is_last in each_try(server):
        if is_last:
            server.held()
        seen = run(server, [ask, again], in_turn=True, watch=is_last)
        judge(server, seen, talked(seen) or unanswered(seen) or no_deadline(seen))
        for place, answer in enumerate(seen.answers):
            if answer.status == ask.status:
                soonest[place] = min(soonest[place], overhead(answer, seen.calls))
        if max(soonest) < allowed(seen):
            return
        if is_last:
            judge(server, seen, other_answers(seen))
            held, alike = server.held(), run(server, [ask, ask], in_turn=True)
            # Where the second is quick without an identifier, that is what takes the time.
            only_with = soonest[0] < allowed(seen) and overhead(alike.answers[1], alike.calls) < allowed(alike)
            sentence, slower = late_each_time(seen, count, soonest), seen.answers[soonest.index(max(soonest))]
            judge(server, seen, late(seen, slower, sentence, held, *([WITH_REQUEST_ID] if only_with else [])))


WAITS = (0.26, 0.31)
"""Seconds, of the first and the second of each pair: after one of them, what looks every 0.2, 0.25, 0.3, 0.4 or 0.5 seconds looks
again only when more than a tenth of a second has passed."""


def waiting(wait: float) -> tuple[Ask, ...]:
    """Return a request for each kind of wait that holds nobody else up, each for so many seconds in the end."""
    return (
        *(Ask(f"{path}?seconds={wait}") for path in ("/threaded", "/async", "/parallel", "/guarded")),
        *(Ask(f"{path}?seconds={wait}") for path in ("/first", "/patient", "/attentive", "/context")),
        *(Ask(f"{path}?seconds={wait}&limit=9") for path in ("/deadline", "/deadline-thread")),
        Ask(f"/sequential?seconds={wait / len(TASKS)}"),
        Ask(f"/limited?tasks=2&at_once=1&seconds={wait / 2}"),
        Ask(f"/as-completed?tasks=1&at_once=1&seconds={wait / FACTORS[0]}"),
        *(Ask(f"{path}?seconds={wait * EARLY}", status=502) for path in ("/gather-fails", "/group-fails")),
        Ask(f"/deadline?seconds={FACTOR * wait}&limit={wait}", status=504),
        Ask("/ws", SOCKET, status=101, says=(start("a", wait), Hear("done", "a"))),
    )


APART = 0.01
"""Seconds between two requests, so that not all have to be answered in one moment; in each try so much more."""


def in_time_alone(server: Server, ask: Ask, wait: float) -> bool:
    """Return whether a request that came late beside another like it is in time when it is alone, and sent once more."""
    seen = run(server, [ask, ask], in_turn=True)
    return all(overhead(answer, seen.calls, wait) < AT_ONCE for answer in seen.answers)


def test_a_wait_takes_no_longer_than_it_was_asked_to(server: Server) -> None:
    """Each kind of wait ends when it should, also beside another: on a busy machine not each time, but once in a few seconds."""
    pairs = tuple(zip(*map(waiting, WAITS), strict=True))
    soonest = dict.fromkeys(itertools.chain(*pairs), math.inf)
    due = {ask: wait for pair in pairs for ask, wait in zip(pair, WAITS, strict=True)}
    for count, is_last in each_try(server):
        left = [ask for pair in pairs if max(soonest[ask] for ask in pair) >= AT_ONCE for ask in pair]
        if not left:
            return
        if is_last:
            server.held()
        apart = min(count, TRIES) * APART
        seen = run(server, [replace(ask, after=place * apart) for place, ask in enumerate(left)], watch=is_last)
        judge(server, seen, talked(seen) or unanswered(seen))
        for ask, answer in zip(left, seen.answers, strict=True):
            if answer.status == ask.status:
                soonest[ask] = min(soonest[ask], overhead(answer, seen.calls, due[ask]))
        slow = [(ask, answer) for ask, answer in zip(left, seen.answers, strict=True) if soonest[ask] >= AT_ONCE]
        if is_last and slow:
            ask, answer = slow[0]
            if ask.status == HTTPStatus.GATEWAY_TIMEOUT and answer.status == HTTPStatus.OK:
                judge(server, seen, sure(Cause.NO_DEADLINE, limit_passed(answer, due[ask])))
            judge(server, seen, other_answers(seen))
            held, only_beside = server.held(), in_time_alone(server, ask, due[ask])
            sentence = f"{ask.path} was sent {count} times, each beside another like it, and answered {soonest[ask]:.2f} s at the"
            sentence += f" soonest after the {due[ask]} s that it has to take; {AT_ONCE} s is more than enough"
            sentence += ", and when it is alone it comes within that" * only_beside
            judge(server, seen, late(seen, answer, sentence, held, only_beside=only_beside))


IDLE_WAITS, IDLE = (1.0, 2.0, 4.0), 0.25
"""Seconds to wait in each try; and the part of them for which a processor may be busy. Right: some hundredths of a second,
however long the wait. Wrong: all the while, or as long as a busy machine lets it."""

WAITING = (
    *("/async?", "/parallel?", "/threaded?", "/guarded?", "/deadline?limit=10&", "/deadline-thread?limit=10&", "/context?"),
    *("/limited?tasks=1&at_once=1&", "/as-completed?tasks=1&at_once=1&", "/first?", "/patient?", "/attentive?"),
)


def spent(server: Server) -> float:
    """Return for how many seconds a server's processes have kept a processor busy."""
    process = psutil.Process(server.process.pid)
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return sum(one.user + one.system for one in times)


def may_be_busy(seen: Observation) -> float:
    """Return for how many seconds a processor may be busy while these requests wait."""
    return IDLE * max(answer.ask.wait for answer in seen.answers)


def busy_meanwhile(server: Server, asks: Sequence[Ask]) -> tuple[Observation, float]:
    """Send requests that wait, and return what was seen, and for how many seconds a processor was busy."""
    before, seen = spent(server), run(server, asks)
    return seen, spent(server) - before


def test_a_wait_keeps_no_processor_busy(server: Server) -> None:
    """Who waits is asleep, in the event loop or in a thread: a dozen requests that wait cost next to nothing meanwhile."""

    def asks(wait: float) -> list[Ask]:
        talk = Ask("/ws", SOCKET, status=101, says=(start("a", wait), Hear("done", "a")))
        return [*(Ask(f"{path}seconds={wait}") for path in WAITING), talk]

    def good(measured: tuple[Observation, float]) -> bool:
        # What spins shows only where it is let, and on a busy machine that takes a longer wait.
        return max(measured[1], measured[0].starved) < may_be_busy(measured[0]) or bool(unanswered(measured[0]))

    seen, busy = first_good(IDLE_WAITS, lambda wait: busy_meanwhile(server, asks(wait)), good)
    judge(server, seen, unanswered(seen))
    if busy >= may_be_busy(seen):
        sentence = f"while {len(seen.answers)} requests waited, the server kept a processor busy for {busy:.2f} s"
        alone = ((ask, busy_meanwhile(server, [ask])[1]) for ask in asks(IDLE_WAITS[0]))
        ask, own = next((measured for measured in alone if measured[1] >= IDLE * IDLE_WAITS[0]), (None, 0.0))
        if ask:
            sentence = f"{sentence}, and while {ask.path} waited alone, for {own:.2f} s"
        judge(server, seen, [Finding(Cause.SPINS, sentence, ask=ask)])

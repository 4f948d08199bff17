"""What a variant says of itself is checked against what was seen from outside; and one request leaves the next one alone."""

import contextlib
import time
from collections import Counter
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import pytest

from shared.lab import aftermath
from shared.lab.aftermath import Inside
from shared.lab.causes import Cause
from shared.lab.experiment import Answer, Ask, Observation, run
from shared.lab.finding import EARLY, Finding, sure
from shared.lab.places import CALL_WORK, SERVE
from shared.lab.rules import broken, elapsed
from shared.lab.server import Server
from shared.lab.verdict import judge, prove
from shared.lesson.contract import THREADS

SEARCH = Ask("/search-demo?query=budget%20for%20servers", "POST")
"""As no other test asks: what is kept from the first time has to show."""
STALL = 3
"""How many times as long as others wait the event loop is stalled."""

LONGEST = 0.6
"""The longest wait there, in seconds: a version that blocks holds the loop for ten of them, and a search has a deadline."""

AFTER = 0.3  # seconds
TRIES = 3
LATER = 0.2
"""Seconds that the work service takes longer for each call: far less than it is given."""

MOST_CALLS = 3
MANY = 2 * THREADS + THREADS // 2
"""Requests of which the last, a half wave, find threads enough, also for what FastAPI does in one after the handler."""
KEEPING = [
    *(Ask(f"{path}?seconds=0.02") for path in ("/patient", "/attentive", "/first", "/context", "/as-completed", "/guarded")),
    *(Ask(f"{path}&seconds=0.02") for path in ("/limited?tasks=3&at_once=1", "/deadline?limit=10")),
    *(Ask(f"{path}?query=budget", "POST") for path in ("/search-demo", "/answer-stream")),
]
"""What may leave something at work that ends only when its client leaves."""

ASKS = [Ask(f"{path}?seconds=0.073") for path in ("/sync", "/threaded", "/async", "/sequential", "/parallel")]


def understated(answer: Answer) -> float:
    """Return by how many seconds the elapsed time that an answer gives is less than the time it was seen to take."""
    return answer.seconds - elapsed(answer)


def test_a_stall_shows_in_what_it_says(server: Server) -> None:
    """When /sync stalls the event loop, all that waited meanwhile took longer, and say so in `elapsed` and `Server-Timing`."""

    def stalled(wait: float) -> list[Ask]:
        wait = min(wait, LONGEST)
        paths = [f"{path}?seconds={wait}" for path in ("/async", "/parallel", "/sequential")]
        server.upstreams.behave()
        server.upstreams.misbehave("embeddings", "slow", marker="for servers", seconds=wait)  # It cannot be asked to be.
        # Half a wait later, when the others have begun, and none has ended. On a busy machine that is the longest that there is.
        return [*map(Ask, paths), SEARCH, Ask(f"/sync?seconds={STALL * wait}", after=wait / 2)]

    def check(seen: Observation) -> list[Finding]:
        stall = seen.answers[-1].ask.wait
        for answer in seen.answers:
            sentence, last = f"{answer.ask.path} took {answer.seconds:.2f} s", max(entry.end for entry in answer.operations)
            # Right: the same but for some milliseconds. Wrong: without the stall.
            if understated(answer) >= stall / 2:
                sentence = f"{sentence}, and says {elapsed(answer):.2f}"
            elif elapsed(answer) - last >= stall / 2:
                sentence = f"{sentence}; by its Server-Timing it had waited for {last:.2f} s only"
            else:
                continue
            if seen.slowest_ping >= 3 / 2 * stall:  # Something else held the loop as well, and nobody has to tell of that.
                sentence = (
                    f"beside /sync, which held the event loop for {stall:.2f} s, /ping had to wait {seen.slowest_ping:.2f} s"
                )
                return [Finding(Cause.BLOCKS, sentence)]
            return [Finding(Cause.FALSE_REPORT, f"while /sync held the event loop, {sentence}", ask=answer.ask)]
        return []

    prove(server, "honest", stalled, check, waits=(0.1, 0.2, 0.4, LONGEST))


def test_waiting_for_a_thread_shows_in_elapsed(server: Server) -> None:
    """Of more requests to /threaded than there are threads some wait for one, and their `elapsed` says so."""

    def check(seen: Observation) -> list[Finding]:
        slowest = max(seen.answers, key=lambda answer: answer.seconds)
        wait = slowest.ask.wait
        if slowest.seconds < 2 * wait - EARLY:
            sentence = f"{MANY} requests to /threaded took {slowest.seconds:.2f} s for {wait} s each: more threads than {THREADS}"
            return [Finding(Cause.THREADS, sentence, certain=True)]
        # Right: some milliseconds of accepting the connections. Wrong: the whole wait for a thread, one wait at the least.
        if understated(slowest) >= wait / 2:
            sentence = f"one of {MANY} requests to /threaded took {slowest.seconds:.2f} s, and says {elapsed(slowest):.2f}"
            return [Finding(Cause.FALSE_REPORT, sentence)]
        return []

    prove(server, "honest", lambda wait: [Ask(f"/threaded?seconds={wait}")] * MANY, check, waits=(0.1, 0.2, 0.4, 0.8))


def test_the_second_time_is_like_the_first(server: Server) -> None:
    """The same request again takes as long and is answered alike: nothing is kept from the first."""
    for ask in [*ASKS, SEARCH]:
        first, second = run(server, [ask]), run(server, [ask])
        if not broken(first) and (findings := broken(second)):
            sentence = f"the second time, {findings[0].sentence}; the first time it was right"
            judge(server, second, [replace(findings[0], cause=Cause.SHARED_STATE, sentence=sentence)])
        judge(server, first, broken(first))
        if len(second.calls) < len(first.calls):
            sentence = f"the second time, {ask.path} called {len(second.calls)} services, and the first time {len(first.calls)}"
            judge(server, second, sure(Cause.SHARED_STATE, sentence))


def goes_on(server: Server, before: Inside, ask: Ask) -> tuple[Observation, list[str]]:
    """Return what was seen while a request was answered, and what still goes on afterwards, in words."""
    last = server.upstreams.last_call()
    seen = run(server, [ask])
    now = aftermath.look(server)
    time.sleep(AFTER)
    later = run(server, [Ask("/ping")])
    found = now.more_than(before)
    found += [f"{line.text!r} on the console" for line in later.console if line.text.startswith("[")]
    # What a service has answered before its caller answers ends before; the witness and the lab read the same clock.
    calls = [call for call in server.upstreams.calls(last) if call.end is None or call.end > seen.ended]
    found += [f"a call of the {call.service} service" for call in calls]
    return seen, found


@pytest.mark.parametrize("ask", [*ASKS, SEARCH], ids=lambda ask: ask.endpoint.path)
def test_nothing_goes_on_after_the_answer(server: Server, ask: Ask) -> None:
    """When a request has been answered, no task and no thread of it is at work, and nothing more is printed or called."""
    before = aftermath.settled(server, lambda _: True)
    for tries_left in reversed(range(TRIES)):  # To be quiet a moment late may be noise: a mistake shows every time.
        seen, found = goes_on(server, before, ask)
        if not found:
            return
        later = aftermath.settled(server, lambda now: not now.more_than(before))
        sentence = f"after {ask.path} had been answered there was still {found[0]}"
        if later.more_than(before):
            judge(server, seen, sure(Cause.LEAK, f"{sentence}, and it was still there {aftermath.SETTLE_SECONDS:g} s later"))
        if not tries_left:
            judge(server, seen, sure(Cause.AFTER_ANSWER, sentence))


def left_by(server: Server, before: Inside, ask: Ask) -> list[str]:
    """Ask on a connection, go on to use that, and return what does not end meanwhile, in words."""
    address = urlsplit(server.url)
    with contextlib.closing(HTTPConnection(address.hostname or "", address.port, timeout=aftermath.SETTLE_SECONDS)) as client:

        def request(method: str, path: str) -> None:
            client.request(method, path)
            client.getresponse().read()

        def quiet(now: Inside) -> bool:
            request("GET", "/ping")
            return not now.more_than(before)

        request(ask.method, ask.path)
        return aftermath.settled(server, quiet).more_than(before)


@pytest.mark.parametrize("ask", KEEPING, ids=lambda ask: ask.endpoint.path)
def test_a_connection_that_is_kept_keeps_nothing_else(server: Server, ask: Ask) -> None:
    """A client that stays on its connection, as a browser and a proxy do, keeps nothing of the request that was answered."""
    seen = run(server, [ask])
    judge(server, seen, broken(seen))
    before = aftermath.settled(server, lambda _: True)
    try:
        left = left_by(server, before, ask)
    except (OSError, HTTPException) as error:
        sentence = f"{ask.path}, and then /ping, were asked for on one connection, and that broke with {type(error).__name__}"
        judge(server, seen, sure(Cause.HANGS if isinstance(error, TimeoutError) else Cause.CRASHED, sentence, SERVE))
        raise
    if left:
        sentence = f"{ask.path} had been answered, and its client went on to use the connection; {aftermath.SETTLE_SECONDS:g} s"
        judge(server, seen, sure(Cause.LEAK, f"{sentence} later there was still {left[0]}"))


DUE = {
    "/patient?seconds=0.05": 1,
    "/attentive?seconds=0.05": 1,
    "/deadline?seconds=0.05&limit=10": 1,
    "/first?seconds=0.05": 1,
    "/limited?tasks=3&at_once=1&seconds=0.05": 3,
}
"""Requests for work, and how many calls follow each other before their answers."""


@pytest.mark.parametrize("path", DUE, ids=lambda path: path.partition("?")[0])
def test_a_slow_service_shows_in_elapsed(server: Server, path: str) -> None:
    """When the service takes longer than it was asked to, the answer takes longer, and its `elapsed` says so."""

    def asks(_: float) -> list[Ask]:
        server.upstreams.behave()  # Of an earlier try a call may not have been made.
        server.upstreams.misbehave("work", "slow", count=MOST_CALLS, seconds=LATER)
        return [Ask(path)]

    def check(seen: Observation) -> list[Finding]:
        answer = seen.answers[0]
        due = DUE[path] * (answer.ask.wait + LATER)
        slow = [call for call in seen.calls if call.seconds >= answer.ask.wait + LATER - EARLY]
        if len(slow) < DUE[path] or answer.seconds < due - EARLY:
            # Or a call of what came before has met the delay in its place.
            return [Finding(Cause.TOO_FAST, f"{path} took {answer.seconds:.2f} s; its calls take {due:.2f} s")]
        # Right: all of it, for noise makes nothing faster. Wrong: without what the service took longer, or without a wave.
        if elapsed(answer) < due - LATER / 2:
            sentence = f"the service behind {path} took {LATER} s longer for each call than it was asked to, so the answer"
            return sure(Cause.FALSE_REPORT, f"{sentence} took {answer.seconds:.2f} s, and says {elapsed(answer):.2f}")
        return []

    prove(server, "honest", asks, check, watch=False)


WORKING = {
    "/patient?": 0.05,
    "/first?": 0.2,  # Here and where one fails, so long that the others are broken off well before their time.
    "/limited?tasks=4&at_once=2&": 0.05,
    "/group-fails?": 0.4,
    "/as-completed?": 0.05,
}
"""Requests for work, and how many seconds they are to take at first; in the next tries three and eight times as long."""


@pytest.mark.parametrize("path", WORKING, ids=lambda path: path.partition("?")[0])
def test_each_call_for_work_is_on_the_console(server: Server, path: str) -> None:
    """Of each call that the service saw the console shows the start, and one end: finished when answered, else stopped."""

    def asks(times: float) -> list[Ask]:
        return [Ask(f"{path}seconds={times * WORKING[path]:g}", status=502 if path == "/group-fails?" else 200)]

    def check(seen: Observation) -> list[Finding]:
        printed, asked = Counter(line for line in seen.printed if line.startswith("[ASYNC] ")), seen.answers[0].ask.path
        for call in seen.calls:
            # To be broken off just as the answer comes is possible; to begin or to end twice is not, nor to finish without it.
            begun, ended = printed[f"[ASYNC] Starting {call.task}"], printed[f"[ASYNC] Finished {call.task}"]
            stopped = printed[f"[ASYNC] Stopped {call.task}"]
            if (begun, ended + stopped) != (1, 1):
                how = f"{begun} times that {call.task} starts, and {ended + stopped} times that it ends"
                sentence = f"for {asked} the service had a call of {call.task}, and the console says {how}"
                return sure(Cause.FALSE_REPORT, sentence, CALL_WORK)
            if ended and call.broken_off:  # Still open, or left: nobody can have had its answer.
                sentence = f"for {asked} the call of {call.task} was broken off, and the console says that it finished"
                return sure(Cause.FALSE_REPORT, sentence, CALL_WORK)
            if stopped and not call.broken_off:
                sentence = f"for {asked} the call of {call.task} was answered, and the console says that it was stopped"
                return [Finding(Cause.FALSE_REPORT, sentence, places=(CALL_WORK,))]
        return []

    prove(server, "told", asks, check, waits=(1, 3, 8), linger=0.2)

"""Experiments with services in trouble, each with a server of its own: every fault at once, and two hundred searches at once."""

import contextlib
import itertools
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from shared.lab import aftermath
from shared.lab.aftermath import Inside
from shared.lab.experiment import Answer, Ask, Observation, run
from shared.lab.host import IDLE_SECONDS, PING_SECONDS
from shared.lab.places import CALL_UPSTREAM, CALL_WORK
from shared.lab.readers import Unread, stop_unread
from shared.lab.rules import broken
from shared.lab.server import PATIENT, Server, serving
from shared.lab.shutdown import wait_for_end
from shared.lab.stream import events, is_closed, listen, readable
from shared.lab.tries import first_good
from shared.lab.upstream import Call, most_at_once
from shared.lab.variants import Variant
from shared.lesson.request_id import HEADER
from shared.lesson.settings import CHAT_DEADLINE, UPSTREAM_DEADLINE
from shared.lesson.upstreams import CHAT, DOCUMENTS, EMBEDDINGS, MAX_CALLS, MAX_IDLE
from shared.lesson.work import WORK
from shared.upstream.services import EMBEDDING_SECONDS, QUERY_SECONDS

SEARCH = Ask("/search-demo?query=budget", "POST")
WITH_ANSWER = Ask("/search-demo?query=budget&answer=true", "POST")
STREAM = Ask("/answer-stream?query=budget", "POST")
TASK = Ask("/patient?seconds=0.01")  # For no wait at all, a server that is to crash would.
WAITING = (SEARCH, replace(TASK, headers=((HEADER, "waiting"),)))
"""Requests that find all places for calls taken."""

TRIES = 3

FULL = (4.0, 7.0, 10.0)
"""How long all places for calls are taken in each try, in seconds; who comes sees three quarters of it, more than it may wait."""

SERVICES = ("embeddings", "query", "chat")
NAMES = {"embeddings": EMBEDDINGS, "query": DOCUMENTS, "chat": CHAT, "work": WORK}
"""What each service is called where a client is told of it."""

ASKS = {"embeddings": SEARCH, "query": SEARCH, "chat": WITH_ANSWER, "work": TASK}
"""A request that needs it."""

CALLED = {**dict.fromkeys(SERVICES, CALL_UPSTREAM), "work": CALL_WORK}
"""Where it is called."""

DEADLINES = {"embeddings": UPSTREAM_DEADLINE, "query": UPSTREAM_DEADLINE, "chat": CHAT_DEADLINE}
BEFORE = {"embeddings": 0.0, "query": EMBEDDING_SECONDS, "chat": EMBEDDING_SECONDS + QUERY_SECONDS}
"""How long the calls take that come before a service's own, in seconds."""

AFTER = [*[SEARCH] * 20, WITH_ANSWER, STREAM]
"""What is asked right after every fault: a connection which a fault has spoilt, kept in a pool, soon goes to one of these."""

SPREAD = (0.0, 0.0, 0.02, 0.08, 0.2)
"""Seconds between two cases, in each round: a busy machine that cannot serve all at once can serve one after another in time."""

HUNG_ROUNDS = 2
"""After so many rounds in which a request got no answer at all, no further one is tried."""

LATEST = 1.1
"""How many times a deadline it should take at the most until a service is given up; where it does not, there is another round."""

TOO_LATE = 1.25
"""How many times a deadline it must not take in all of the rounds. Nearest wrong: twice, as where it begins anew."""

LATE_HEAD = 0.75 * UPSTREAM_DEADLINE
"""Seconds before the head of an answer that drips: whoever gives the head a deadline, and the rest another, waits for both."""

LONG_SILENCE = 1.0
"""Seconds: a silence in which a busy machine, too, passes on what was said before it."""

SETTLE = 5.0
"""Seconds that a service may take to learn that a caller has left; what nobody has broken off is open for much longer."""

KEPT = 2
"""Connections that may be kept after one search: one to each of two services."""


DOES = {
    "slow": "answers too late",
    "silence": "says nothing",
    "drip": "sends its answer without ever coming to its end",
    "late drip": "begins its answer late, and never comes to its end",
    "drop": "closes the connection without an answer",
    "reset": "resets the connection",
    "half": "breaks off in the middle of its answer",
    "huge": "sends far too long an answer",
    "stall": "falls silent in the middle of its stream",
    "cut": "breaks off in the middle of its stream",
    "garbage": "sends what is no event in its stream",
    "refuse": "refuses to be connected with",
    "hang": "does not take up connections",
}
"""What a service does, by the label of the fault; one that answers with something else has a name besides."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What a service does, and the status with which a client has to be answered; `fields` are those of the upstream's faults."""

    kind: str
    status: int
    fields: dict[str, Any] = field(default_factory=dict)
    name: str = ""

    @property
    def label(self) -> str:
        """What it is called."""
        return self.name or self.kind

    @property
    def in_words(self) -> str:
        """What the service does, for messages."""
        return f"answers with {self.name or self.status}" if self.kind == "answer" else DOES[self.label]


FAULTS = (
    Fault("slow", 504, {"seconds": 30.0}),
    Fault("silence", 504),
    Fault("drip", 504),
    Fault("drip", 504, {"late": LATE_HEAD}, "late drip"),
    Fault("drop", 502),
    Fault("reset", 502),
    Fault("half", 502),
    Fault("answer", 502, {"status": 500}, "500"),
    Fault("answer", 502, {"status": 503}, "503"),
    Fault("answer", 503, {"status": 429, "headers": [["Retry-After", "7"]]}, "429"),
    Fault("answer", 502, {"body": "not JSON"}, "not JSON"),
    Fault("answer", 502, {"body": "[[], {}]"}, "another shape"),
    Fault("huge", 502),
)
STREAM_FAULTS = (
    Fault("stall", 504, {"after": 3}),
    Fault("cut", 502, {"after": 3}),
    Fault("garbage", 502, {"after": 3, "body": "data: {\n\n"}),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One request, which meets one fault of one service."""

    ask: Ask
    service: str
    fault: Fault

    @property
    def is_late(self) -> bool:
        """Whether its service does not answer in time."""
        return self.fault.status == HTTPStatus.GATEWAY_TIMEOUT

    @property
    def deadline(self) -> float:
        """The service's, in seconds."""
        return DEADLINES[self.service]

    @property
    def due(self) -> float:
        """The least time after which it may be told that the service is late, in seconds."""
        return BEFORE[self.service] + self.deadline

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"{self.ask.path.partition('?')[0]} {self.when}"

    @property
    def when(self) -> str:
        """What happens meanwhile, for messages."""
        return f"while the {self.service} service {self.fault.in_words}"


def about(ask: Ask, words: str) -> Ask:
    """Return a request whose query has words of its own, so that a fault can be meant for it alone."""
    return Ask(ask.path.replace("budget", f"budget+{words}"), ask.method, ask.after)


def cases() -> list[Case]:
    """Return every fault of every service, and for the stream those that it can meet before its first event, and after it."""
    number = itertools.count(1)
    chosen = [(WITH_ANSWER, service, fault) for service in SERVICES for fault in FAULTS]
    chosen += [(STREAM, service, fault) for service in SERVICES for fault in FAULTS]
    chosen += [(STREAM, "chat", fault) for fault in STREAM_FAULTS]
    return [Case(about(ask, f"case{next(number):03}"), service, fault) for ask, service, fault in chosen]


def words_of(ask: Ask) -> str:
    """Return the words by which a fault knows a request."""
    return ask.path.partition("budget+")[2].partition("&")[0]


@dataclass(frozen=True, slots=True)
class Left:
    """What was there when all was over: tasks and threads that the idle server had not, connections of clients, open calls.

    Connections to services are not among it: a pool may keep them for a while. `spare_connections` counts them.
    """

    inside: list[str]
    inbound: int
    calls: int

    def in_words(self) -> list[str]:
        """Return each kind of thing that should not be there."""
        found = [f"{what} ({count} times)" if count > 1 else what for what, count in Counter(self.inside).items()]
        found += [f"{self.inbound} connections of clients"] if self.inbound else []
        return found + ([f"{self.calls} calls to services"] if self.calls else [])


def left_over(server: Server, idle: Inside) -> Left:
    """Wait until a server is idle, and return what is left in it."""
    inside = aftermath.settled(server, lambda now: not (now.more_than(idle) or now.inbound))
    server.upstreams.wait_for_calls(SETTLE)
    return Left(inside.more_than(idle), inside.inbound, server.upstreams.open_calls())


def spare_connections(server: Server) -> int:
    """Return how many connections to services are open after one search, when a pool has closed those that were long unused."""
    kept = _spare_connections(server)
    # A busy server may have put the last one back so late that it was not unused for long enough.
    return kept if kept <= KEPT else _spare_connections(server)


def reopened(server: Server) -> int:
    """Search, and again when half of the time is over for which connections are kept; return how many the second one opened."""
    known = {call.peer for call in [*server.upstreams.calls(0), *run(server, [SEARCH]).calls]}
    time.sleep(MAX_IDLE / 2)
    return sum(call.peer not in known for call in run(server, [SEARCH]).calls)


def _spare_connections(server: Server) -> int:
    time.sleep(MAX_IDLE)
    run(server, [SEARCH])  # Some pools look for what has been unused for too long only when they are used.
    return aftermath.settled(server, lambda inside: inside.outbound <= KEPT).outbound


def seconds_to_stop(server: Server) -> float:
    """Ask a server that has nothing to do to stop, and return in how many seconds it did, those apart without a processor."""
    began = time.monotonic()
    server.ask_to_stop()
    starved = wait_for_end(server).starved
    return time.monotonic() - began - starved


@dataclass(slots=True)
class Trouble:
    """What was seen when every case came at once, in one round or a few; and right after each.

    Attributes:
        rounds: The cases, in their order.
        after: Requests of each kind, at once: enough to meet many of the connections that a fault may have spoilt.
        left: What was left.
        full: What was seen when work had all places for calls, and `WAITING` came.
        kept: Connections to services that were kept after that.
        closed: Whether the server had closed a connection that was kept by a client, unused since a stream had ended on it.
        reopened: Connections that were opened for a search half of that time after another for which there were some.
        stops: In how many seconds it stopped at last, when it was idle.
        log: All that the server printed.

    """

    rounds: list[Observation] = field(default_factory=list)
    after: list[Observation] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    full: Observation = field(default_factory=lambda: Observation([]))
    kept: int = 0
    closed: bool = True
    reopened: int = 0
    stops: float = 0.0
    log: str = ""


def run_in_trouble(variant: Variant) -> Trouble:
    """Let every service misbehave in every way, at once, and look what is left; again, as noise may make an answer late."""
    table, found = cases(), Trouble()
    with serving(variant, settings=PATIENT) as server:
        run(server, [WITH_ANSWER, STREAM])
        idle = aftermath.look(server)
        while not _enough(table, found):
            for case in table:
                server.upstreams.misbehave(case.service, case.fault.kind, marker=words_of(case.ask), **case.fault.fields)
            apart = SPREAD[len(found.rounds)]
            found.rounds.append(run(server, [replace(case.ask, after=place * apart) for place, case in enumerate(table)]))
            server.upstreams.behave()
            found.after.append(run(server, AFTER))
            found.left.append(left_over(server, idle))
        with contextlib.ExitStack() as kept:
            connection = None
            with contextlib.suppress(TimeoutError):  # A stream that does not end is told of by the answers above.
                connection = kept.enter_context(listen(server, STREAM))
            found.kept = spare_connections(server)
            found.closed = connection is None or is_closed(connection)
        found.log = server.log()
        found.full = first_good(FULL, lambda seconds: ask_while_full(server, seconds, seconds / 4), waited_in_vain)
        found.reopened = first_good(range(TRIES), lambda _: reopened(server), lambda opened: not opened)
        found.stops = seconds_to_stop(server)
    return found


def ask_while_full(server: Server, seconds: float, after: float) -> Observation:
    """Have work take all places for calls for so long, and send `WAITING` so many seconds later; theirs are the first answers."""
    half = MAX_CALLS // 2
    work = Ask(f"/limited?tasks={half}&at_once={half}&seconds={seconds}")
    return run(server, [*(replace(ask, after=after) for ask in WAITING), work, work])


def calls_of_waiting(seen: Observation) -> list[list[Call]]:
    """Return the calls that were made for each of `WAITING`."""
    searched = [call for call in seen.calls if call.service == "embeddings"]
    return [searched, [call for call in seen.calls if call.task and call.mentions("waiting")]]


def waited_in_vain(seen: Observation) -> bool:
    """Whether each of `WAITING` was told that its service is late, which had not been called at all: it had found no place."""
    answers = seen.answers[: len(WAITING)]
    return all(answer.status == HTTPStatus.GATEWAY_TIMEOUT for answer in answers) and not any(calls_of_waiting(seen))


def _enough(table: Sequence[Case], found: Trouble) -> bool:
    """Whether another round would prove no more: all is well, or has been wrong too often."""
    if len(found.rounds) == len(SPREAD) or sum(map(hung, found.rounds)) == HUNG_ROUNDS:
        return True
    return bool(found.rounds) and on_time(table, found.rounds) and goes_on(found) and True in map(told_in_silence, found.rounds)


def silent_case() -> tuple[int, Case]:
    """Return the case in which the model falls silent after some words, and its place."""
    return next((place, case) for place, case in enumerate(cases()) if case.fault.kind == "stall")


def told_in_silence(seen: Observation) -> bool | None:
    """Say whether what the model had said was told while it was silent; None where a busy machine left no time for it."""
    place, case = silent_case()
    answer, words = seen.answers[place], int(case.fault.fields["after"])
    sent: list[float] = [moment for call in calls_for(seen, case) for _, moment in (call.answered or {}).get("tokens", [])]
    if len(sent) < words or answer.received - sent[-1] < LONG_SILENCE:
        return None
    told_words = [event for event in events(answer) if event.name == "token"] if not readable(answer) else []
    # Right: as soon as they are said. Wrong: at the end of the silence.
    return len(told_words) >= words and told_words[-1].received - sent[-1] < (answer.received - sent[-1]) / 2


def hung(seen: Observation) -> bool:
    """Whether a request had no answer, seconds after every deadline was over."""
    return any(answer.hung for answer in seen.answers)


def goes_on(found: Trouble) -> bool:
    """Whether each kind of request succeeded right after a round."""
    return any(not broken(seen) for seen in found.after)


def on_time(table: Sequence[Case], rounds: Sequence[Observation]) -> bool:
    """Whether each late service was given up within 10 % of its deadline, and each other one in time, in one of the rounds."""
    late = any(case.is_late and given_up(case, rounds) > LATEST * case.deadline for case in table)
    return not late and told_apart(table, rounds)


def told_apart(table: Sequence[Case], rounds: Sequence[Observation]) -> bool:
    """Whether each case showed in one of the rounds what it is about: no machine was too busy for it."""
    return all(any(shown(case, place, seen) for seen in rounds) for place, case in enumerate(table))


def shown(case: Case, place: int, seen: Observation) -> bool:
    """Whether a case showed in a round what it is about: its service was asked, or, where that is not late, nothing was late."""
    return bool(calls_for(seen, case)) if case.is_late else not busy(seen.answers[place])


def given_up_early(found: Trouble) -> int:
    """Return how many requests a machine may have been too busy for, so that they were given up while they connected."""
    cut_short = sum(not shown(case, place, seen) for seen in found.rounds for place, case in enumerate(cases()))
    return cut_short + sum(busy(answer) for seen in found.after for answer in seen.answers)


def busy(answer: Answer) -> bool:
    """Say whether a machine may have been too busy for a request: a service was late, or the connection was lost meanwhile.

    That is no proof in one round, but it is in all of them; any other wrong answer is one in each.
    """
    stream = events(answer) if answer.status == HTTPStatus.OK and not readable(answer) else []
    late_in_stream = bool(stream) and stream[-1].name == "error" and stream[-1].data.get("status") == HTTPStatus.GATEWAY_TIMEOUT
    return answer.status == HTTPStatus.GATEWAY_TIMEOUT or late_in_stream or (answer.status == 0 and not answer.hung)


def given_up(case: Case, rounds: Sequence[Observation]) -> float:
    """Return after how many seconds a client was told that a service is late, from when that was asked, in the best round."""
    place = cases().index(case)
    asked = [(seen, [call.start for call in calls_for(seen, case)]) for seen in rounds]
    # Where it was asked in none, that is for others to say.
    return min((seen.answers[place].received - min(starts) for seen, starts in asked if starts), default=0.0)


def calls_for(seen: Observation, case: Case) -> list[Call]:
    """Return the calls of a case's service that were made for it."""
    words = words_of(case.ask)
    vectors = [call.answered for call in seen.calls if call.service == "embeddings" and call.mentions(words)]
    if case.service == "query":
        return [call for call in seen.calls if call.service == "query" and call.sent["query_embeddings"][0] in vectors]
    return [call for call in seen.calls if call.service == case.service and call.mentions(words)]


SEARCHES = 200
BURST_DEADLINE = 16.0
"""Seconds for an answer, and for a connection: the second hundred wait for the first, which a busy machine is slow to serve."""

BURST_IDLE = 5.0
"""Seconds for the first word on a connection, for the client may be slow. Anycorn keeps one for as long that is closed there."""

BURST_PING = 60.0
"""Seconds after which a client is asked for a sign of life: one that reads nothing is to be there still when the server stops."""

BURST_PATIENCE = 60.0
"""After how many seconds one of two hundred searches counts as hanging."""

SLOWER = (1.0, 2.0, 4.0, 7.0)
"""How much longer the embeddings service takes in each try, in seconds, so that a busy machine has the time to send all searches;
the last is the longest that leaves the second hundred their time."""

MIXED = (1.0, 3.0, 5.0, 7.0)
"""How much longer the queries of as many searches as there are places take in each try, in seconds: a busy machine has to come to
all of them before the first is answered. Late in that another service is called; in the last try its connections are closed by
then.
"""

LATE_IN = 3 / 4
"""After which part of that: sooner its calls would take places from queries that a busy machine has not come to yet."""

APART = 0.002
"""Seconds between two searches for each second in which all have to be there: a busy machine can accept them one by one."""

UNREAD = "/as-completed?seconds=0&tasks=50&at_once=3&kilobytes=512"
"""An answer that no system keeps as a whole for a client that does not read it."""

BURST_FAULTS = [
    (service, fault)
    for service in ("embeddings", "query")
    for fault in FAULTS
    if fault.kind not in {"slow", "silence", "drip", "huge"}
]
BURST_FAULTS += [(service, fault) for service in ("embeddings", "query") for fault in FAULTS if fault.label == "silence"] * 2
"""Twenty: what fails at once, and some silence. What a service sends slowly, or without end, would only keep the machine busy."""


@dataclass(frozen=True, slots=True)
class Burst:
    """What was seen when two hundred searches came at once, of which those in `cases` meet a fault at every attempt.

    Attributes:
        cases: The searches that have to fail, in the order of their answers, which come before all others.
        others: What was seen in the other tries, in which a machine may have been too busy.
        seen: All of them, in the first try in which all were served that are not to fail; else in the last.
        mixed: As many searches as there are places, and meanwhile calls to another service, to which connections were kept.
        peaks: How many calls were open at once, at the most, in each try.
        after: One search right after it.
        left: What was left.
        kept: Connections to services that were kept after that.
        unread: Clients that read nothing, of an answer and in a conversation, while the server was to stop.

    """

    cases: list[Case]
    others: list[Observation]
    seen: Observation
    mixed: Observation
    peaks: list[int]
    after: Observation
    left: Left
    kept: int
    unread: Unread


def run_a_burst(variant: Variant) -> Burst:
    """Send two hundred searches at once, twenty of them to fail; again, where a machine may have been too busy for so many."""
    failing = [Case(about(SEARCH, f"fail{number:02}"), *fault) for number, fault in enumerate(BURST_FAULTS)]
    asks = [case.ask for case in failing] + [about(SEARCH, f"{number:03}") for number in range(SEARCHES - len(failing))]
    peaks: list[int] = []
    tries: list[Observation] = []
    lab = {IDLE_SECONDS: f"{BURST_IDLE:g}", PING_SECONDS: f"{BURST_PING:g}"}
    settings = {**PATIENT, **lab, "UPSTREAM_DEADLINE": f"{BURST_DEADLINE:g}"}
    with serving(variant, settings=settings) as server:
        run(server, [SEARCH])
        idle = aftermath.look(server)
        while len(tries) < len(SLOWER) and not _all_in_time(failing, tries, peaks):
            for case in failing:
                server.upstreams.misbehave(case.service, case.fault.kind, marker=words_of(case.ask), **case.fault.fields)
            slower = SLOWER[len(peaks)]
            server.upstreams.misbehave("embeddings", "slow", seconds=slower, marker="budget")
            tries.append(run(server, _spread(asks, slower), patience=BURST_PATIENCE))
            server.upstreams.behave()
            peaks.append(most(tries[-1].calls))
        best = next(filter(served, tries), tries[-1])
        after, left = run(server, [SEARCH]), left_over(server, idle)
        others = [seen for seen in tries if seen is not best]
        mixed = run_mixed(server)
        kept, unread = spare_connections(server), stop_unread(server, UNREAD)
    if not unread.is_right:  # That may be noise.
        unread = first_good(range(TRIES - 1), lambda _: _stop_another(variant, settings), lambda unread: unread.is_right)
    return Burst(failing, others, best, mixed, peaks, after, left, kept, unread)


def _stop_another(variant: Variant, settings: Mapping[str, str]) -> Unread:
    with serving(variant, settings=settings) as server:
        return stop_unread(server, UNREAD)


def _spread(asks: Sequence[Ask], seconds: float) -> list[Ask]:
    """Let up to two hundred requests go out one after another, all of them in less than half of so many seconds."""
    return [replace(ask, after=place * APART * seconds) for place, ask in enumerate(asks)]


def _all_in_time(failing: Sequence[Case], tries: Sequence[Observation], peaks: Sequence[int]) -> bool:
    """Whether another try would prove no more: one was not too busy a machine's, and all places were taken in one."""
    return any(map(served, tries)) and max(peaks) >= MAX_CALLS and told_apart(failing, tries)


def run_mixed(server: Server) -> Observation:
    """Fill all places with queries, and ask for calls to another service meanwhile, to which connections have been kept."""
    return first_good(
        MIXED,
        lambda wait: _mix(server, wait),
        lambda seen: most_queries(seen) >= MAX_CALLS or most_answered(seen) > MAX_CALLS,
        more=MIXED[-1:],
        starved=lambda seen: seen.starved > MIXED[0],
    )


def most_answered(seen: Observation) -> int:
    """Return how many calls were open at once, at the most, without those that were given up.

    Such a call is over for its caller, and the service may see that late, or not at all.
    """
    return most_at_once(call for call in seen.calls if call.status is not None)


def most_queries(seen: Observation) -> int:
    """Return how many queries of the vector database were open at once, at the most."""
    return most_at_once(call for call in seen.calls if call.service == "query")


def _mix(server: Server, wait: float) -> Observation:
    half = MAX_CALLS // 2
    run(server, [Ask(f"/limited?tasks={half}&at_once={half}&seconds=0.1")])
    server.upstreams.misbehave("query", "slow", seconds=wait, marker="budget")
    searches = [about(SEARCH, f"mixed{number:03}") for number in range(MAX_CALLS)]
    seen = run(
        server, [*_spread(searches, wait / 2), Ask(f"/limited?tasks={half}&at_once={half}&seconds=0.1", after=LATE_IN * wait)]
    )
    server.upstreams.behave()
    return seen


def served(seen: Observation) -> bool:
    """Return whether all searches of a burst were answered that were not to fail."""
    return all(answer.status == HTTPStatus.OK for answer in seen.answers[len(BURST_FAULTS) :])


def most(calls: Sequence[Call]) -> int:
    """Return how many calls were open at once, at the most, as the services counted them."""
    return max((call.at_once for call in calls), default=0)

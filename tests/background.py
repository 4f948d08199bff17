"""Experiments that take long, each with a server of its own: begun before the first test, and looked at by the last ones.

What has not been begun when a test asks for it is made by that test: `once.py`.
"""

import asyncio
import contextlib
import math
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

from shared.lab import aftermath
from shared.lab.experiment import LOGGED, Answer, Ask, Observation, run, send
from shared.lab.failing_start import start_in_vain
from shared.lab.family import LEAVE, outlived, standing_still, started_by
from shared.lab.follow import Followed, background, body, follow, path_of
from shared.lab.host import CRASHING_N, PLANTED, Crash
from shared.lab.probes import PROBES
from shared.lab.probes_ending import End
from shared.lab.readers import Slow, leave, read_late, read_raw
from shared.lab.server import PATIENT, START_SECONDS, Server, serving
from shared.lab.stream import come_and_go
from shared.lab.talk import Hear, Pause, cancel, start
from shared.lab.talks import talked
from shared.lab.terminal import press_ctrl_c
from shared.lab.traits import Shown, all_measured, declared, measured
from shared.lab.tries import first_good
from shared.lab.variants import ROOT, Variant
from shared.lab.wire import kept_open
from shared.lesson.command import HOST, KEEP_ALIVE
from shared.lesson.contract import FACTORS, SOCKET, WORKERS
from shared.lesson.limits import MAX_SECONDS
from shared.lesson.request_id import HEADER
from shared.lesson.settings import UPSTREAM_DEADLINE
from shared.lesson.work import EARLY as FAILS_EARLY
from tests.computing import Computing, compute_to_the_end, count_forks
from tests.crowd import run_a_crowd
from tests.doors import run_at_doors
from tests.going_down import AT_CTRL_C, go_down_amid_work
from tests.stacks.experiments import run_stack, run_stack_end
from tests.trouble import (
    ASKS,
    LATE_HEAD,
    SEARCH,
    STREAM,
    Left,
    about,
    left_over,
    run_a_burst,
    run_in_trouble,
    spare_connections,
    words_of,
)

SILENT = ("embeddings", "query", "work")
SILENT_FAULTS = (("silence", 0.0), ("drip", 0.0), ("drip", LATE_HEAD))
"""In which ways a service does not come to the end of an answer, and after how many seconds that begins."""
TOLD_LATE = (
    about(SEARCH, "again"),
    Ask("/as-completed?tasks=1&seconds=0.01"),  # For no wait at all this server crashes.
    Ask("/ws", SOCKET, status=101, says=(start("a", 0.01), Hear("failed", "a", patience=3 * UPSTREAM_DEADLINE))),
)
"""A search whose service is busy when it is asked first, and silent then; a stream and a conversation whose service is silent."""

BUSY_FOR = 0.6 * UPSTREAM_DEADLINE
AGAIN_TOO_LATE = 1.3 * UPSTREAM_DEADLINE
"""Seconds that the first attempt takes; and in which that search is given up. Right: 1. Nearest wrong: 1.6, each its own."""

TRIES = 3

LATE = {502, 504}
"""What is answered where a service was late, or did not accept a connection in time: on a busy machine that may be noise."""

UNFORESEEN = (Crash.BARE, Crash.OUT_OF_A_GROUP)
CRASHING = Ask(*("/ws", SOCKET), status=101, says=(start("a", Crash.BARE), Hear("done", "a")))
CANCELLING = Ask(
    *("/ws", SOCKET),
    status=101,
    says=(start("a", Crash.ENDS_LATE), Hear("started", "a"), Pause(0.2), cancel("a"), Hear("cancelled", "a"), Pause(0.1)),
)
"""A conversation in which a task is cancelled that takes its time to end, and has a result then."""

CRASHING_WAITS = (
    *(Ask(f"{path}?seconds={Crash.BARE}") for path in ("/patient", "/attentive", "/deadline", "/deadline-thread")),
    *(Ask(f"{path}?seconds={Crash.BARE}") for path in ("/guarded", "/context")),
    Ask(f"/limited?tasks=1&at_once=1&seconds={Crash.BARE}"),
)
"""Requests of which the one wait fails: work, or a thread."""

CRASHING_WORK = Ask(f"/cpu?n={CRASHING_N}&limit={MAX_SECONDS:g}", status=500)

CRASHING_TOGETHER = tuple(Ask(f"{path}?seconds={Crash.BARE}") for path in ("/gather-fails", "/group-fails", "/first"))
"""Requests of which all waits fail together."""

CRASHING_STREAMS = (
    Ask(f"/answer-stream?query={quote(PLANTED)}", "POST"),
    Ask(f"/as-completed?tasks=1&seconds={Crash.BARE}"),
)


@dataclass(frozen=True, slots=True)
class Reader:
    """What was seen of a variant that a reader started: no lab, no settings, its own embedded upstreams.

    Attributes:
        line: What it printed first.
        answers: A search, then each waiting endpoint with its default wait, and the longest wait that is allowed.
        long: The answers to `LONG`.
        by_default: The answers to `BY_DEFAULT`, and then to work on the CPU that no worker did for longer than it may take.
        work: What was told of the work among these at last; or of the same again, where its service was late.
        idle: For how many seconds an idle connection stayed open, infinity if for long; None where its `/ping` was not answered.
        upstreams: How many processes it had started, for its upstreams and for work.
        left: How many of those were still there after it was killed.

    """

    line: str
    answers: list[Answer]
    long: list[Answer]
    by_default: list[Answer]
    work: Answer | None
    idle: float | None
    upstreams: int
    left: int


LONG = (
    Ask("/ws", SOCKET, status=101, says=(start("a", MAX_SECONDS), Hear("done", "a", patience=2 * MAX_SECONDS))),
    background(MAX_SECONDS - 1),
    Ask(f"/deadline?seconds={MAX_SECONDS:g}&limit={MAX_SECONDS - 4:g}", status=504),
    Ask(f"/deadline?seconds={MAX_SECONDS:g}", status=504),
    *(Ask(f"/{path}seconds={MAX_SECONDS:g}") for path in ("first?", "patient?", "attentive?", "context?", "limited?tasks=1&")),
    *(Ask(f"/{path}?seconds={MAX_SECONDS:g}") for path in ("parallel", "guarded")),
    Ask(f"/as-completed?tasks=1&seconds={MAX_SECONDS / FACTORS[0]:.3f}"),
)
"""The longest that may be asked for elsewhere: a limit or a pulse of the server's or the variant's own would end it sooner. From
the fifth on all have to be answered.
"""

DEFAULT_LIMIT = 1.0
"""Seconds of the deadline of `/deadline` and of `/deadline-thread` where none is asked for."""

BY_DEFAULT = (
    Ask(f"/deadline-thread?limit={MAX_SECONDS:g}"),
    *(Ask(path, status=504) for path in ("/deadline-thread", f"/deadline-thread?limit={DEFAULT_LIMIT:g}")),
    Ask("/cpu"),
)
"""What leaves numbers out of which no service behind learns: how long a thread works, its deadline, which is then asked for, and
how much is computed."""

COMPUTING_LIMIT, UNWORKED = 5.0, 7.5
"""Seconds of the deadline of `/cpu` where none is asked for; and midway to the nearest wrong, twice."""

THREAD_WORKS, TOO_LONG = 2.0, 3.0
"""Seconds for which the thread works where it is not told how long; and midway to the nearest wrong, twice."""

IDLE_TOO_LONG = KEEP_ALIVE + 1.5
"""Seconds for which an idle connection is not to stay open: midway to 5, the least of the servers' own defaults."""

LOOKS, PAUSE = 75, 0.2
"""How often to look whether the work among these has ended, and the seconds between two looks: longer than it takes."""


def run_as_a_reader(variant: Variant) -> Reader:
    """Start `python -m variants.NAME.serve`, ask it, kill it, and look for what it leaves."""
    command = [sys.executable, "-P", "-m", f"{variant.package}.serve", "--port", "0", "--loop", variant.loop]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CHROMA", "OPENAI"))}
    environment["PYTHONPATH"] = os.pathsep.join([str(variant.root), str(ROOT)])
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    with process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            found = re.search(r"http://[\d.:]+", line)
            if found:  # Its socket listens, so this waits until the server takes it.
                with urllib.request.urlopen(f"{found[0]}/ping", timeout=START_SECONDS):  # noqa: S310 - our own
                    pass
            asked = _ask_as_a_reader(found[0], process.pid) if found else ([], [], [], None, None)
            if found:  # What has computed has to be gone as well, when it is killed.
                send(found[0], [Ask("/cpu?n=1000")])
            upstreams = started_by(process.pid) if found else []
        finally:
            process.kill()
    left = outlived(upstreams, 2 * LEAVE)
    return Reader(line, *asked, len(upstreams), len(left))


def _ask_as_a_reader(url: str, server: int) -> tuple[list[Answer], list[Answer], list[Answer], Answer | None, float | None]:
    """Return the `answers`, the `long`, the `by_default`, the `work` and the `idle` of a `Reader`."""
    free = [Ask("/threaded"), Ask("/async"), Ask("/parallel"), Ask("/sequential"), Ask("/guarded")]
    free += [Ask(f"{path}?seconds={MAX_SECONDS:g}") for path in ("/async", "/threaded")]
    searched = in_time(url, [SEARCH])
    # Alone: what blocks the event loop blocks the closing as well.
    idle = first_good(
        range(TRIES), lambda _: kept_open(url, IDLE_TOO_LONG), lambda seconds: seconds is not None and math.isfinite(seconds)
    )
    with ThreadPoolExecutor(1) as beside:
        unworked = beside.submit(_ask_for_what_nobody_works_on, url, server)
        together = in_time(url, [*free, *LONG])
    answers, long = together[: len(free)], together[len(free) :]
    begun = next(answer for answer in long if answer.ask.method == "POST")
    work = first_good(
        range(TRIES), lambda number: _outcome(url, begun if number == 0 else send(url, [begun.ask])[0]), _is_no_noise
    )
    by_default = first_good(range(TRIES), lambda _: send(url, BY_DEFAULT), lambda seen: seen[0].seconds < TOO_LONG)
    # The last alone: others would wait for it, and a wait too short would not show.
    return [*searched, *answers, *in_time(url, [Ask("/sync")])], long, [*by_default, unworked.result()], work, idle


def _ask_for_what_nobody_works_on(url: str, server: int) -> Answer:
    """Ask for work on the CPU while the worker processes stand still, for longer than such work may take by default."""
    before = started_by(server)
    send(url, [Ask("/cpu?n=1000")] * WORKERS)
    workers = set(started_by(server)) - set(before)

    def once(_: int) -> Answer:
        with standing_still(workers, UNWORKED):
            return send(url, [Ask("/cpu?n=1000", status=504)])[0]

    return first_good(range(TRIES), once, lambda answer: answer.status == answer.ask.status)


def _outcome(url: str, begun: Answer) -> Answer | None:
    """Return what was told of a piece of work at last; None where one cannot ask."""
    path, told = path_of(begun), None
    for _ in range(LOOKS if path.startswith("/") else 0):
        told = send(url, [Ask(path)])[0]
        if body(told).get("state") != "running":
            break
        time.sleep(PAUSE)
    return told


def _is_no_noise(work: Answer | None) -> bool:
    """Return whether work has not failed because its service was late, which a busy machine may make it."""
    problem = body(work).get("problem") if work else None
    return not (isinstance(problem, dict) and problem.get("status") in LATE)


def in_time(url: str, asks: list[Ask]) -> list[Answer]:
    """Send requests; those again for which a machine may have been too busy.

    A service was late, a wait took half as long again, or the connection was lost: a server closes one on which nothing has come
    for two seconds, and the client, too, may be slow.
    """

    def late(answer: Answer) -> bool:
        if answer.status == 0 and not answer.hung:
            return True
        due, failed = answer.ask.due, answer.talk.first("failed")
        if failed and failed.message.get("status") in LATE:
            return True
        factor = max(FACTORS) if answer.ask.endpoint.streams else 1  # A task of a stream may take so many times its wait.
        return answer.status in LATE - {answer.ask.status} or bool(due and answer.seconds >= 1.5 * factor * due)

    answers = send(url, asks)
    for _ in range(TRIES - 1):
        again = [place for place, answer in enumerate(answers) if late(answer)]
        for place, answer in zip(again, send(url, [asks[place] for place in again]), strict=True):
            answers[place] = answer
    return answers


WHOLE = b"GET /async?seconds=0.2 HTTP/1.1\r\nHost: x\r\n\r\n"
SEARCHING = b"POST /search-demo?query=budget HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
THREADED = b"GET /threaded?seconds=0.2 HTTP/1.1\r\nHost: x\r\n\r\n"
STREAMS = 20
CUT_OFF = [WHOLE, SEARCHING, WHOLE[:20], SEARCHING[:40], THREADED] * 10


def depart(server: Server) -> tuple[list[Left], int]:
    """Let fifty clients leave half-way, in the request or while it waits, then twenty in mid-stream.

    Return what is left after each, and `spare_connections`.
    """
    run(server, [SEARCH])
    idle = aftermath.look(server)

    async def all_of_them() -> None:
        await asyncio.gather(*(_cut_off(server, request, after=0.05) for request in CUT_OFF))

    asyncio.run(all_of_them())
    time.sleep(0.3)  # As long as the longest of them waits; leaving does not stop every handler.
    left = [left_over(server, idle)]
    leave_streams(server)
    return [*left, left_over(server, idle)], spare_connections(server)


def leave_streams(server: Server) -> None:
    """Let clients leave after the first word of an answer: half of them while more come, half while the model is silent."""
    asks = [about(STREAM, f"leaves{number:02}") for number in range(STREAMS)]
    for ask in asks[::2]:
        server.upstreams.misbehave("chat", "stall", marker=words_of(ask), after=1)

    async def one_of_them(ask: Ask) -> None:
        with contextlib.suppress(TimeoutError):  # On a busy machine the word may not come before a deadline is over.
            await come_and_go(server, ask, b"event: token")

    async def all_of_them() -> None:
        await asyncio.gather(*map(one_of_them, asks))

    asyncio.run(all_of_them())
    server.upstreams.behave()


async def _cut_off(server: Server, request: bytes, after: float) -> None:
    """Send a request and leave without waiting for the answer."""
    address = urlsplit(server.url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(request)
    await writer.drain()
    await asyncio.sleep(after)
    writer.transport.abort()


@dataclass(frozen=True, slots=True)
class Ending:
    """What was seen of a server on its way: clients leave, upstreams are silent, then dead, errors come, and the end.

    Attributes:
        departed: What was left after fifty clients had left, and after twenty more had left in mid-stream.
        kept: Connections to services that were kept after that.
        after_departures: Requests after that.
        silent: Requests while an upstream is silent, and while it drips; for each service.
        late: The requests of `TOLD_LATE`, whose services are silent, the first one's only when it is asked a second time.
        crashes: Requests whose waits fail as nobody foresaw, bare and out of a task group: to /sequential, then to /parallel.
        crashed_waits: The requests of `CRASHING_WAITS`.
        crashed_worker: Work on the CPU that fails in its process as nobody foresaw.
        crashed_together: The answers to those of `CRASHING_TOGETHER`.
        mixed: A request whose wait fails, out of a task group, with an error of the stack's own and one that nobody foresaw.
        crash_log: What it printed of that one and of the first two of those.
        own_errors: Requests whose waits fail, out of a task group, or of one in another, with an error of the stack's own.
        crashed_work: Work in the background that fails as nobody foresaw, bare and out of a task group, and one that does not.
        crashed_talk: A conversation of which a task fails as nobody foresaw.
        cancelled_talk: The conversation of `CANCELLING`.
        crashed_streams: Streams that fail as nobody foresaw when they have begun.
        crashed_bytes: The same again, as it came over the wire.
        dead: A search while there are no upstreams, and a `/ping` after it.
        exit_code: What it ended with on SIGINT.
        listens: Whether its port still answered afterwards.
        log: All that it printed.

    """

    departed: list[Left]
    kept: int
    after_departures: Observation
    silent: dict[str, Observation]
    late: Observation
    crashes: list[Answer]
    crashed_waits: Observation
    crashed_worker: Observation
    crashed_together: list[Answer]
    mixed: Answer
    crash_log: str
    own_errors: list[Answer]
    crashed_work: tuple[list[Followed], Observation]
    crashed_talk: Observation
    cancelled_talk: Observation
    crashed_streams: list[Observation]
    crashed_bytes: list[bytes]
    dead: list[Answer]
    exit_code: int
    listens: bool
    log: str


def run_to_the_end(variant: Variant) -> Ending:
    """Lead a server through all that, and stop it."""
    with serving(variant, crash=True, settings=PATIENT) as server:
        departed, kept = depart(server)
        asks = [Ask("/ping"), SEARCH, Ask("/async?seconds=0")]
        after = first_good(
            range(TRIES), lambda _: run(server, asks), lambda seen: not any(one.status in LATE for one in seen.answers)
        )
        silent = {service: _silence(server, service) for service in SILENT}
        late = first_good(range(TRIES), lambda _: _tell_late(server), _told_in_time)
        alone = [Ask(f"/sequential?seconds={how}") for how in (*UNFORESEEN, Crash.OWN_BESIDE_ANOTHER)]
        crashed_alone = first_good(
            range(TRIES), lambda _: run(server, alone, linger=LOGGED), lambda seen: times_logged(seen) == len(alone)
        )
        *crashes, mixed = crashed_alone.answers
        crashes += [answer for how in UNFORESEEN for answer in send(server.url, [Ask(f"/parallel?seconds={how}")])]
        crashed_waits = first_good(
            range(TRIES),
            lambda _: run(server, CRASHING_WAITS, linger=LOGGED),
            lambda seen: times_logged(seen) == len(CRASHING_WAITS),
        )
        crashed_worker = first_good(
            range(TRIES), lambda _: run(server, [CRASHING_WORK], linger=LOGGED), lambda seen: times_logged(seen) > 0
        )
        crashed_together = send(server.url, CRASHING_TOGETHER)
        own = [Ask(f"{path}?seconds={Crash.OWN_OUT_OF_A_GROUP}") for path in ("/sequential", "/parallel")]
        own_errors = send(server.url, [*own, Ask(f"/sequential?seconds={Crash.OWN_OUT_OF_TWO_GROUPS}")])
        work = [*(background(how) for how in UNFORESEEN), background(0.5)]
        crashed_work = first_good(range(TRIES), lambda _: follow(server, work), lambda got: _crash_is_told(server, *got))
        crashed_talk = first_good(
            range(TRIES), lambda _: run(server, [CRASHING], linger=LOGGED), lambda seen: began(seen) and times_logged(seen) == 1
        )
        # Again, where the task was cancelled before it had begun its call, and so had nothing to end.
        cancelled_talk = first_good(range(TRIES), lambda _: run(server, [CANCELLING]), lambda seen: bool(seen.calls))
        crashed_streams = [_crash_stream(server, ask) for ask in CRASHING_STREAMS]
        crashed_bytes = [read_raw(server, ask) for ask in CRASHING_STREAMS]
        server.upstreams.stop()
        dead = send(server.url, [SEARCH]) + send(server.url, [Ask("/ping")])
        port = urlsplit(server.url).port
        exit_code = server.stop(signal.SIGINT)
        with socket.socket() as client:
            listens = client.connect_ex((HOST, port or 0)) == 0
        return Ending(
            departed=departed,
            kept=kept,
            after_departures=after,
            silent=silent,
            late=late,
            crashes=crashes,
            crashed_waits=crashed_waits,
            crashed_worker=crashed_worker,
            crashed_together=crashed_together,
            mixed=mixed,
            crash_log="\n".join(crashed_alone.printed),
            own_errors=own_errors,
            crashed_work=crashed_work,
            crashed_talk=crashed_talk,
            cancelled_talk=cancelled_talk,
            crashed_streams=crashed_streams,
            crashed_bytes=crashed_bytes,
            dead=dead,
            exit_code=exit_code,
            listens=listens,
            log=server.log(),
        )


def _crash_is_told(server: Server, followed: list[Followed], seen: Observation) -> bool:
    """Whether another try would show no more: work that failed took other work, or the whole server, with it, or all is told.

    It might show more where a busy machine lost a connection, or where the log was late, or the service of the one that succeeds.
    """
    if server.ended or send(server.url, [Ask("/ping")])[0].status == 0:
        return True
    if followed[-1].end.get("state") == "failed" or not all(one.begun.status for one in followed):
        return False
    return times_logged(seen) == len(UNFORESEEN) or not_begun(followed)


def not_begun(followed: list[Followed]) -> bool:
    """Return whether one of several pieces of work was not accepted."""
    return not all(one.path for one in followed)


def began(seen: Observation) -> bool:
    """Return whether a conversation has begun."""
    return seen.answers[0].status == CRASHING.status


PLACES = ("together.py", "host.py")
"""What the log may name as the place of an error that nobody foresaw: the chapter, or where it was planted."""


def is_placed(logged: str) -> bool:
    """Return whether what was logged of such an error says where it was raised, as a traceback does."""
    return any(place in logged for place in PLACES)


def times_logged(seen: Observation) -> int:
    """Return how often the console shows the error that the lab has planted: its words, whether its class is named or not."""
    return sum(line.count(PLANTED) for line in seen.printed)


def _crash_stream(server: Server, ask: Ask) -> Observation:
    """Ask for a stream that fails; again, where the log does not say so once: it may be late, or a service was."""

    def good(seen: Observation) -> bool:
        return seen.answers[0].status == ask.status and times_logged(seen) == 1

    return first_good(range(TRIES), lambda _: run(server, [ask], linger=LOGGED), good)


def _tell_late(server: Server) -> Observation:
    """Send the requests of `TOLD_LATE`."""
    words = words_of(TOLD_LATE[0])
    server.upstreams.misbehave("embeddings", "answer", marker=words, times=1, status=503, late=BUSY_FOR)
    server.upstreams.misbehave("embeddings", "silence", marker=words)
    server.upstreams.misbehave("work", "silence", count=len(TOLD_LATE) - 1)
    seen = run(server, TOLD_LATE)
    server.upstreams.behave()
    return seen


def _told_in_time(seen: Observation) -> bool:
    """Whether neither the search nor the conversation of `TOLD_LATE` took too long: a busy machine may."""
    return seen.answers[0].seconds < AGAIN_TOO_LATE and not talked(Observation(seen.answers[-1:]))


def _silence(server: Server, service: str) -> Observation:
    """Ask while a service is silent and while it drips; again, where the answer, or the service before, was late."""

    def once(_: int) -> Observation:
        for kind, late in SILENT_FAULTS:
            server.upstreams.misbehave(service, kind, late=late)
        seen = run(server, [ASKS[service]] * len(SILENT_FAULTS), linger=0.2)
        server.upstreams.behave()
        return seen

    def in_time(seen: Observation) -> bool:
        # Where the other service was late, the one that is silent was not asked.
        asked = [call for call in seen.calls if call.service == service]
        longest = max((call.seconds for call in asked), default=0.0)
        return max(seen.seconds, longest) < 1.5 * UPSTREAM_DEADLINE and len(asked) == len(SILENT_FAULTS)

    return first_good(range(TRIES), once, in_time)


SIDE_BY_SIDE = 2
"""Experiments of one variant that run at the same time, beside its tests, or beside one that a test makes; more would disturb."""

MANY, BIG, AT_ONCE = 50, 512, 3
"""Pieces of work, the kilobytes of each answer, and how many at once: more than any system keeps for a reader."""

STAYS = (1.2, 4.4, 5.0)
"""How long the work takes that a client has asked for, in seconds, for each try; it leaves after a quarter of that."""

SOON = 0.6
"""Within how many seconds the work has to end then. Right: at once, or after some hundredths. Nearest wrong: at a look that is
taken once a second, which comes 0.7 seconds later in the first try, 0.9 in the second and 0.75 in the third."""


@dataclass(frozen=True, slots=True)
class Departure:
    """What was seen when a client left `/attentive`.

    Attributes:
        unfinished: How much of the work was left when it had gone, in seconds.
        left: When that was, in seconds of `time.monotonic`.
        seen: What was seen.
        starved: For how many seconds the server had to wait for a processor, as far as one can know.

    """

    unfinished: float
    left: float
    seen: Observation
    starved: float

    @property
    def went_on(self) -> float:
        """For how many seconds the work went on after that."""
        return max((call.end or self.seen.ended + self.unfinished) - self.left for call in self.seen.calls)

    @property
    def was_broken_off(self) -> bool:
        """Whether the work was: at once, or at the next look."""
        return all(call.was_left for call in self.seen.calls) and self.went_on < SOON


@dataclass(frozen=True, slots=True)
class Aside:
    """What takes seconds and needs nothing else to be under way.

    Attributes:
        defaults: The requests of `DEFAULTS`.
        shown: What each probe saw of the stack, by key.
        slow: What came of a reader who did not read.
        attentive: What was seen when a client left `/attentive`.
        left: Tasks, threads and calls that were there after all clients had left, in words.
        log: What had been printed by then.
        computing: What became of work on the CPU at the end of all that, and at the server's.

    """

    defaults: Observation
    shown: dict[str, Shown]
    slow: Slow
    attentive: Departure
    left: list[str]
    log: str
    computing: Computing


DEFAULTS = {
    **{Ask(path): {2.0} for path in ("/patient", "/attentive")},
    Ask("/background", "POST", status=202): {2.0},
    **{Ask(path): {2.0, 2.0 / FAILS_EARLY} for path in ("/gather-fails", "/group-fails")},
    **{Ask(path): set(map(float, FACTORS)) for path in ("/first", "/as-completed")},
    **{Ask(path): {0.5} for path in ("/context", "/limited")},
    Ask(f"/deadline?limit={MAX_SECONDS:g}"): {2.0},
}
"""Requests that leave their numbers out, and for how many seconds they have the service work; each is known by its identifier."""


def name_of(ask: Ask) -> str:
    """Return the identifier of a request of `DEFAULTS`."""
    return ask.endpoint.path.strip("/")


def work_asked_for(seen: Observation, ask: Ask) -> set[float]:
    """Return for how many seconds a request has had the service work."""
    return {call.sent["seconds"] for call in seen.calls if call.task and call.sent["request_id"] == name_of(ask)}


def leave_out_numbers(server: Server) -> Observation:
    """Send the requests of `DEFAULTS`; again, where the service was not asked as it should be: it may have been late."""
    asks = [replace(ask, headers=((HEADER, name_of(ask)),)) for ask in DEFAULTS]
    return first_good(
        range(TRIES),
        lambda _: run(server, asks),
        lambda seen: all(work_asked_for(seen, ask) == right for ask, right in DEFAULTS.items()),
    )


def leave_work(server: Server, seconds: float) -> Departure:
    """Leave after a quarter of the work of so many seconds, and watch for as long as all of it takes."""
    before = server.starved
    left, seen = leave(server, f"/attentive?seconds={seconds}", seconds / 4, seconds)
    return Departure(seconds * 3 / 4, left, seen, max(0.0, server.starved - before))


def broken_off(departure: Departure) -> bool:
    """Return whether there was one call, and it was broken off in time."""
    return len(departure.seen.calls) == 1 and departure.was_broken_off


def run_aside(variant: Variant) -> Aside:
    """Look at a variant with probes, slow readers and clients that leave, and with work on the CPU, to its end."""
    stated = declared(variant)
    with serving(variant, settings={**PATIENT, "UPSTREAM_DEADLINE": "8"}) as server:
        run(server, [SEARCH, Ask("/threaded?seconds=0"), Ask("/deadline-thread?seconds=0")])
        defaults = leave_out_numbers(server)
        server.upstreams.wait_for_calls(MAX_SECONDS)
        idle = aftermath.look(server)
        attentive = first_good(
            *(STAYS, lambda stays: leave_work(server, stays), broken_off),
            more=STAYS[1:],
            starved=lambda departure: departure.starved > SOON / 2,
        )
        shown = {key: measured(server, PROBES[key], stated.get(key)) for key in PROBES if key.startswith("disconnect")}
        slow = read_late(server, f"/as-completed?seconds=0&tasks={MANY}&at_once={AT_ONCE}&kilobytes={BIG}")
        inside = aftermath.settled(server, lambda now: not now.more_than(idle) and not server.upstreams.open_calls())
        left = inside.more_than(idle) + ["a call to a service"] * server.upstreams.open_calls()
        log = server.log()  # What the other probes send is wrong on purpose, and may be logged as such.
        forks = count_forks(server)
        shown |= all_measured(server, {key: probe for key, probe in PROBES.items() if key not in shown}, stated)
        computing = compute_to_the_end(server, forks, shown["killed_worker"].seen)
        return Aside(defaults, shown, slow, attentive, left, log, computing)


SHUTDOWNS = "WORKBOOK_SHUTDOWNS"
"""The setting that says how often each server is stopped in the middle of everything; once, unless it is set."""


def run_going_down(variant: Variant) -> list[End]:
    """Stop a variant in the middle of everything, press Ctrl-C in a terminal, and let its start fail: once, or more often."""
    times = int(os.environ.get(SHUTDOWNS) or "1")
    return [End(go_down_amid_work(variant), press_ctrl_c(variant, work=AT_CTRL_C), start_in_vain(variant)) for _ in range(times)]


JOBS: dict[str, Callable[[Variant], Any]] = {
    "stack": run_stack,
    "stack_end": run_stack_end,
    "burst": run_a_burst,
    "doors": run_at_doors,
    "aside": run_aside,
    "ending": run_to_the_end,
    "trouble": run_in_trouble,
    "reader": run_as_a_reader,
    "crowd": run_a_crowd,
    "going_down": run_going_down,
}
"""Each under the name of its fixture, and the longest first, so that none is left over when all others have ended.

Only the crowd comes late: beside all the others its thousand tasks cost a tenth of the whole suite more, as was measured.
"""

MOSTLY_WAIT = {"doors", "reader"}
"""Those that leave the processor to others: one of them runs beside the `SIDE_BY_SIDE`."""

"""The client leaves: `leaving.py`, and the stream of `streaming.py`. What a stack does by default it declares."""

import contextlib
import json
import time

from shared.lab import aftermath
from shared.lab.causes import Cause
from shared.lab.complaints import complaints
from shared.lab.experiment import Ask, Observation, run
from shared.lab.finding import EARLY, Finding, sure
from shared.lab.places import AS_COMPLETED_ENDPOINT, SLOW_ASYNC_OPERATION, UNTIL_LEFT
from shared.lab.readers import CLOSE, asking
from shared.lab.server import Server
from shared.lab.traits import declared
from shared.lab.tries import first_good
from shared.lab.upstream import Call
from shared.lab.variants import Variant
from shared.lab.verdict import accuse, judge, prove
from shared.lesson.contract import TASKS
from shared.lesson.request_id import HEADER
from shared.lesson.work import FAILED
from tests.background import Aside
from tests.conftest import keep
from tests.trouble import NAMES, SEARCH, SETTLE, WITH_ANSWER, about, words_of

STAYS = (0.3, 0.8, 2.4)
"""How long each wait of `/sequential` takes, in seconds, for each try; the client leaves after a quarter of the first."""

STARTING, FINISHED, STOPPED = (f"[ASYNC] {what} {TASKS[0]}" for what in ("Starting", "Finished", "Stopped"))
NEXT = f"[ASYNC] Starting {TASKS[1]}"

IN_PIECES = (0.1, 0.2, 0.4)
"""Seconds between two pieces of a body, for each try."""

LONG_STAYS = (1.2, 2.4, 4.8)
"""How long a service takes for each of `LEAVING`, in seconds, for each try; their clients leave after an eighth of that."""

WORKING = ("/patient?", "/deadline?limit=10&", "/context?", "/group-fails?", "/limited?tasks=4&at_once=2&")
SLOWED = {"embeddings": about(SEARCH, "leaving1"), "chat": about(WITH_ANSWER, "leaving2")}
"""Searches, by the service that is made slow for each."""


def test_who_stays_is_answered(server: Server) -> None:
    """A client that waits gets its answer from both endpoints, in the time of the work, whoever else watches for it to leave."""

    def check(seen: Observation) -> list[Finding]:
        for answer in seen.answers:
            body, wait = json.loads(answer.body), answer.ask.wait
            sentence = f"{answer.ask.path} answered {body} after {answer.seconds:.2f} s"
            if body.keys() != {"result", "elapsed"} or body["result"] != f"{TASKS[0]} result":
                return sure(Cause.WRONG_ANSWER, f"{sentence}, and not the result of {TASKS[0]}")
            if answer.seconds < wait - EARLY:
                return sure(Cause.TOO_FAST, sentence)
            if answer.seconds >= 1.5 * wait:
                return [Finding(Cause.TOO_SLOW, f"{sentence}, and the work takes {wait:g} s", places=(at(answer.ask.path),))]
        if len(seen.calls) != len(seen.answers) or any(call.was_left for call in seen.calls):
            return sure(Cause.WRONG_CALL, f"two requests made {len(seen.calls)} calls, one each is right, and none is broken off")
        return []

    asks = ("/patient", "/attentive")
    keep(server, "/patient", prove(server, "answered", lambda wait: [Ask(f"{path}?seconds={wait}") for path in asks], check))


def test_who_still_sends_has_not_left(server: Server) -> None:
    """A client whose request has a body, which comes in pieces, is not taken for one that leaves."""

    def send_in_pieces(seconds: float) -> str:
        answer = b""
        with (
            asking(server, f"/attentive?seconds={4 * seconds}", f"{CLOSE}Transfer-Encoding: chunked\n") as client,
            contextlib.suppress(TimeoutError, ConnectionError),
        ):
            for piece in (b"1\r\na\r\n", b"1\r\nb\r\n", b"0\r\n\r\n"):
                time.sleep(seconds)
                client.sendall(piece)
            answer = client.recv(65_536)
        return answer.partition(b"\r\n")[0].decode()

    status = first_good(IN_PIECES, send_in_pieces, lambda status: " 200 " in status or " 503 " in status)
    if " 200 " not in status:
        seen = run(server, [Ask("/attentive?seconds=0")])
        sentence = f"a client that sent the body of its request to /attentive in pieces, and waits, got the answer {status!r}"
        judge(server, seen, sure(Cause.WRONG_ANSWER, f"{sentence}; it has not left", UNTIL_LEFT, at("/attentive")))


def at(path: str) -> tuple[str, str]:
    """Return where the function behind a path stands."""
    known = Ask(path).endpoint
    return known.module, known.function


def test_what_is_cancelled_ends(server: Server) -> None:
    """When the client leaves in the first of three waits, that one is not called finished, nor followed, before its time."""
    broken_off = declared(server.variant).get("disconnect_plain") == "broken-off"  # `test_character.py` verifies it.
    idle = aftermath.look(server)

    def left_in_the_first_wait(wait: float) -> Observation:
        # What gives up is gone. Where the handler runs on, it comes to its end before anything else is looked at.
        seen = run(server, [Ask(f"/sequential?seconds={wait}")], read_along=True, patience=wait / 4, linger=3.5 * wait)
        aftermath.settled(server, lambda inside: not inside.more_than(idle))
        return seen

    def wrong(seen: Observation) -> list[Finding]:
        return goes_on_early(seen) or (ends_there(seen) if broken_off else [])

    seen = first_good(STAYS, left_in_the_first_wait, lambda seen: STARTING in seen.printed and not wrong(seen))
    judge(server, seen, wrong(seen))


def goes_on_early(seen: Observation) -> list[Finding]:
    """Find that a wait was told to be finished, or the next one had begun, before its time was over."""
    answer = seen.answers[0]
    for line in seen.console:
        after = line.seen - answer.sent
        if line.text in {FINISHED, NEXT} and after < answer.ask.wait - EARLY:
            sentence = f"a client left {answer.ask.path} after {answer.seconds:.2f} s, and at {after:.2f} s the console said"
            sentence = f"{sentence} {line.text!r}: the first wait ends at {answer.ask.wait:.2f} s"
            return [Finding(Cause.UNCANCELLABLE, sentence, places=(SLOW_ASYNC_OPERATION,))]
    return []


def ends_there(seen: Observation) -> list[Finding]:
    """Find that a wait which had begun was not broken off when its client had left, or that another followed it."""
    answer = seen.answers[0]
    if STARTING not in seen.printed or (STOPPED in seen.printed and NEXT not in seen.printed):
        return []
    sentence = f"a client left {answer.ask.path} after {answer.seconds:.2f} s, and the console said {', '.join(seen.printed)}"
    return [Finding(Cause.GOES_ON, f"{sentence}; {STOPPED!r} is right, and nothing after it", places=(SLOW_ASYNC_OPERATION,))]


def test_every_call_ends_with_its_client(server: Server) -> None:
    """Where a stack breaks off what a client has left, that goes for the calls of other handlers than /patient as well."""
    if declared(server.variant).get("disconnect_plain") != "broken-off":  # `test_character.py` verifies it.
        return

    def left_early(wait: float) -> Observation:
        for service, ask in SLOWED.items():
            server.upstreams.misbehave(service, "slow", seconds=wait, marker=words_of(ask))
        asks = [Ask(f"{path}seconds={wait}", headers=((HEADER, f"leaving-{place}"),)) for place, path in enumerate(WORKING)]
        last = server.upstreams.last_call()
        seen = run(server, [*asks, *SLOWED.values()], patience=wait / 8)
        server.upstreams.wait_for_calls(SETTLE)
        seen.calls = server.upstreams.calls(last)
        server.upstreams.behave()
        return seen

    seen = first_good(LONG_STAYS, left_early, lambda seen: all(begun_for(seen)) and not calls_go_on(seen))
    judge(server, seen, calls_go_on(seen))


def begun_for(seen: Observation) -> list[list[Call]]:
    """Return, for each request, its calls of the service that takes long for it."""
    found = []
    for answer in seen.answers:
        mark = dict(answer.ask.headers).get(HEADER) or words_of(answer.ask)
        service = next((name for name, ask in SLOWED.items() if ask == answer.ask), "work")
        found.append([call for call in seen.calls if call.service == service and call.mentions(mark)])
    return found


def calls_go_on(seen: Observation) -> list[Finding]:
    """Find that a call was answered, or open for `SETTLE`, when its client had left; the one that is to fail may be answered."""
    for answer, calls in zip(seen.answers, begun_for(seen), strict=True):
        late = [call for call in calls if call.end is None or (call.end > answer.received and call.status not in {None, FAILED})]
        if late and not answer.status:
            took = f"worked on for {late[0].seconds:.2f} s, to the end" if late[0].end else f"still open {SETTLE:g} s later"
            sentence = (
                f"a client left {answer.ask.path} after {answer.seconds:.2f} s, and its call of the {NAMES[late[0].service]}"
            )
            sentence = f"{sentence} was {took}; this stack breaks off what a client has left"
            return [Finding(Cause.GOES_ON, sentence, places=(at(answer.ask.path),), ask=answer.ask)]
    return []


def test_the_way_to_stop_with_the_client(subject: Variant, aside: Aside) -> None:
    """Where a handler watches for it, what a client has left behind is broken off soon after."""
    departure = aside.attentive
    seen, unfinished = departure.seen, departure.unfinished
    if len(seen.calls) != 1:
        accuse(subject, seen, sure(Cause.WRONG_CALL, f"/attentive made {len(seen.calls)} calls, and one is right"))
    if not departure.was_broken_off:
        sentence = f"a client left /attentive with {unfinished:.1f} s of work to do, and it went on for {departure.went_on:.2f} s"
        accuse(subject, seen, sure(Cause.GOES_ON, sentence, UNTIL_LEFT))


def test_the_departed_leave_nothing(subject: Variant, aside: Aside) -> None:
    """Clients that leave a plain answer, a watched one and a stream leave no task, no thread and no call behind."""
    if aside.left:
        seen = aside.attentive.seen
        sentence = f"some seconds after clients had left /attentive, /patient and /as-completed there was still {aside.left[0]}"
        accuse(subject, seen, sure(Cause.LEAK, sentence, AS_COMPLETED_ENDPOINT))
    places = AS_COMPLETED_ENDPOINT, ("leaving", "attentive_endpoint")
    accuse(subject, aside.attentive.seen, complaints("clients left", aside.log, *places))

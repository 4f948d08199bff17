"""What belongs to a request goes along with it, and to no other: `context.py`."""

import json
import time
from collections.abc import Sequence

from shared.lab import aftermath
from shared.lab.causes import Cause
from shared.lab.experiment import Ask, Observation, run
from shared.lab.finding import EARLY, Finding, sure
from shared.lab.places import CALL_WORK, WITH_REQUEST_ID
from shared.lab.refusal import refused
from shared.lab.rules import broken
from shared.lab.server import Server
from shared.lab.tries import first_good
from shared.lab.verdict import judge, prove
from shared.lesson.contract import REQUESTS
from shared.lesson.limits import MAX_SECONDS
from shared.lesson.request_id import HEADER
from shared.lesson.work import FAILED
from tests.conftest import keep

MANY = 100
TRIES = 3
PLACES = {
    "request_id": WITH_REQUEST_ID,
    "task": ("context", "id_in_task"),
    "thread": ("context", "id_in_thread"),
    "call": CALL_WORK,
}
FORGED = ["two words", "x" * 65, "a;b", '"', "é"]
"""Identifiers that could make a line of a log or a header look like another."""


def identified(wait: float, number: int) -> Ask:
    """Return a request with an identifier of its own."""
    name = f"request-{number}"
    return Ask(f"/context?seconds={wait}", headers=((HEADER, f"{name}._-{'x' * (64 - 3 - len(name))}" if number % 2 else name),))


def found(place: str, got: object, right: str, others: Sequence[str]) -> list[Finding]:
    """Check that one place of a request found the request's own identifier."""
    if got == right:
        return []
    sentence = f"a request came with the {HEADER} {right}, and its {place} has {got!r}"
    if got in others:
        return sure(Cause.SHARED_STATE, f"{sentence}: that is another request's", PLACES[place])
    cause = Cause.WRONG_ANSWER if place == "request_id" and got else Cause.LOST_CONTEXT
    return sure(cause, sentence, PLACES[place])


def own_everywhere(seen: Observation) -> list[Finding]:
    """Check that each of many requests found its own identifier in all its parts, and sent it to the service behind once."""
    sent = [answer.ask.headers[0][1] for answer in seen.answers]
    for answer, right in zip(seen.answers, sent, strict=True):
        body = json.loads(answer.body)
        if body.keys() != PLACES.keys() - {"call"}:
            return sure(Cause.WRONG_ANSWER, f"/context answered with {', '.join(body)}")
        for place, got in body.items():
            if findings := found(place, got, right, sent):
                return findings
    carried = [call.sent["request_id"] for call in seen.calls]
    if strange := [got for got in carried if got not in sent]:
        return sure(Cause.LOST_CONTEXT, f"a call to the service behind carries the {HEADER} {strange[0]!r}", PLACES["call"])
    if sorted(carried) != sorted(sent):
        if len(carried) != len(sent):
            return sure(Cause.WRONG_CALL, f"{len(sent)} requests made {len(carried)} calls, and one each is right")
        twice = next(got for got in carried if carried.count(got) > 1)
        return sure(Cause.SHARED_STATE, f"the calls of different requests carry the same {HEADER} {twice}", PLACES["call"])
    return []


def test_the_same_everywhere_and_never_anothers(server: Server) -> None:
    """With a hundred requests at once each finds its own identifier in a task, in a thread and in its call."""

    def check(seen: Observation) -> list[Finding]:
        if findings := own_everywhere(seen):
            return findings
        early = [answer for answer in seen.answers if answer.seconds < answer.ask.wait - EARLY]
        return sure(Cause.TOO_FAST, f"{early[0].ask.path} took {early[0].seconds:.2f} s") if early else []

    def asks(wait: float) -> list[Ask]:
        return [identified(wait, number) for number in range(MANY)]

    keep(server, f"/context x {MANY}", prove(server, "each its own", asks, check))


def test_whoever_calls_says_for_whom(server: Server) -> None:
    """Each endpoint that waits for the service behind calls it under the identifier of its request."""
    rows = [row for row in REQUESTS if row.method == "GET" and "call_work" in {row.operation, *row.through}]
    paths = {row.function: f"{row.path}?seconds=0{'&limit=10' if 'limit' in row.parameters else ''}" for row in rows}
    asks = [Ask(paths[row.function], status=row.status, headers=((HEADER, row.function),)) for row in rows]
    seen = first_good(range(TRIES), lambda _: run(server, asks), lambda seen: not broken(seen))
    judge(server, seen, broken(seen))
    carried = [call.sent["request_id"] for call in seen.calls]
    for answer, row in zip(seen.answers, rows, strict=True):
        if row.function not in carried:
            others = sorted({*carried} - {each.function for each in rows})
            sentence = f"{answer.ask.path} came with the {HEADER} {row.function}, and no call to the service behind carries that"
            sentence = f"{sentence}; one carries {others[0]!r}" if others else sentence
            judge(server, seen, [Finding(Cause.LOST_CONTEXT, sentence, certain=True, places=(PLACES["call"],), ask=answer.ask)])


def test_a_failure_leaves_nothing(server: Server) -> None:
    """When the call for it fails, a request is answered, and its task goes on no longer."""
    before = aftermath.look(server)
    server.upstreams.misbehave("work", "answer", marker="name=", status=FAILED)  # All calls: some clients repeat a GET.
    seen = run(server, [Ask(f"/context?seconds={MAX_SECONDS:g}", status=502)])
    judge(server, seen, refused(seen.answers[0], 502, log="\n".join(seen.printed)))
    left = aftermath.settled(server, lambda now: not now.more_than(before))
    took = time.monotonic() - seen.began
    # Right: at once. Wrong: for ten seconds.
    if took > MAX_SECONDS / 2 or left.more_than(before):
        sentence = (
            f"{seen.answers[0].ask.path} was answered 502, for its call had failed, and its task went on: {took:.1f} s in all"
        )
        judge(server, seen, sure(Cause.RUNS_ON, sentence))


def test_one_is_made_where_none_is_given(server: Server) -> None:
    """Without an identifier, or with one that could forge something, each request gets a new one, the same everywhere."""
    asks = [Ask("/context?seconds=0.05") for _ in range(3)]
    asks += [Ask("/context?seconds=0.05", headers=((HEADER, forged),)) for forged in FORGED]
    seen = run(server, asks)
    judge(server, seen, broken(seen))
    made = []
    for answer in seen.answers:
        body = json.loads(answer.body)
        made.append(str(body["request_id"]))
        for place in ("task", "thread"):
            judge(server, seen, found(place, body[place], body["request_id"], made[:-1]))
    if "" in made or set(FORGED) & set(made):
        sentence = f"requests without a usable {HEADER} have {sorted(made)}, and not a new one each"
        judge(server, seen, sure(Cause.UNCHECKED, sentence, WITH_REQUEST_ID))
    if len(set(made)) < len(made) or sorted(made) != sorted(call.sent["request_id"] for call in seen.calls):
        sentence = f"{len(made)} requests without an {HEADER} of their own have {len(set(made))}"
        judge(server, seen, sure(Cause.SHARED_STATE, f"{sentence}, or their calls carry others", WITH_REQUEST_ID))

"""What a variant makes of upstreams that misbehave, and of bytes that are not HTTP."""

import json
import socket
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from shared.lab.causes import Cause
from shared.lab.experiment import Ask, run
from shared.lab.finding import sure
from shared.lab.follow import background, follow
from shared.lab.places import CALL_WORK, OPEN_CLIENT, SERVE, WORK_AND_TELL, WORK_IN_BACKGROUND, WORK_ON
from shared.lab.refusal import refused
from shared.lab.rules import broken
from shared.lab.server import Server
from shared.lab.stream import events
from shared.lab.talk import Hear, start
from shared.lab.talks import talked
from shared.lab.verdict import judge
from shared.lesson.contract import SOCKET
from shared.lesson.work import REPLICAS, WORK
from tests.trouble import ASKS, CALLED, FAULTS, NAMES, SEARCH, SERVICES, Fault, about

STATUSES = [201, 204, 301, 307, 400, 401, 404, 500, 502, 504]
BREAKS = ("drop", "reset", "half")
DEEP = "[" * 100_000

NOT_VECTORS = ["[]", "[NaN]", '["1"]', "[true]", "[1e999]", "1", "null"]
NOT_TITLES = ["[[{}]]", '[[{"title": 1}]]', '[[{"title": "\\ud800"}]]', "[[null]]", "[]", "null"]
NOT_CHOICES = ["[]", "[{}]", '[{"message": {}}]', '[{"message": {"content": null}}]', '[{"message": {"content": ["a"]}}]']
NOT_THE_AGREED_JSON = [
    *("not JSON", "", "null", "[]", "{}", "\\ud800", "\udcff", DEEP),
    *(f'{{"data": [{{"embedding": {vector}}}]}}' for vector in NOT_VECTORS),
    *(f'{{"metadatas": {titles}}}' for titles in NOT_TITLES),
    *(f'{{"choices": {choices}}}' for choices in NOT_CHOICES),
]

PATHS = ("/patient?", "/deadline?limit=10&", "/limited?tasks=1&", "/first?", "/attentive?", "/context?")
WORKING = [Ask(f"{path}seconds=0") for path in PATHS]
"""Requests that fail as the work service does; the limit is later than the deadline of the call itself."""

BROKE_OFF = "broke off its answer"
TOLD = {
    **dict.fromkeys(BREAKS, BROKE_OFF),
    "500": "answered with the status 500",
    "503": "answered with the status 503",
    "429": "is busy",
    "not JSON": "answered with something that is not the agreed JSON",
}
"""What a client is told of a service, by the fault that it shows."""


@pytest.mark.parametrize("service", SERVICES)
def test_an_upstream_breaks_off(server: Server, service: str) -> None:
    """A connection that ends before the answer, or in its middle, is a 502 that names the service."""
    for kind in BREAKS:
        server.upstreams.misbehave(service, kind, marker=kind)
    seen = run(server, [about(ASKS[service], kind) for kind in BREAKS])
    for answer in seen.answers:
        words, when = f"The {NAMES[service]} {BROKE_OFF}.", f"while the {service} service breaks off its answer"
        judge(server, seen, refused(answer, 502, words, when=when, log="\n".join(seen.printed)))


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.label in TOLD], ids=lambda fault: fault.label)
def test_the_work_service_fails(server: Server, fault: Fault) -> None:
    """So it is where a task is worked on, alone, in a race or under a deadline: what failed is told, and not that it was late."""
    server.upstreams.misbehave("work", fault.kind, marker="name=", **fault.fields)  # All calls: some clients repeat a GET.
    seen = run(server, WORKING)
    words, when = f"The {WORK} {TOLD[fault.label]}.", f"while the work service {fault.in_words}"
    pause = dict(fault.fields.get("headers", [])).get("Retry-After")
    for answer in seen.answers:
        judge(server, seen, refused(answer, fault.status, words, when=when, log="\n".join(seen.printed)))
        if not answer.operations:
            sentence = f"{answer.ask.path} {when} was answered {answer.status}, and no Server-Timing says that it was waited for"
            judge(server, seen, [replace(*sure(Cause.FALSE_REPORT, sentence), ask=answer.ask)])
        if (got := answer.headers.get("Retry-After")) != pause:
            sentence = f"{answer.ask.path} {when} with the Retry-After {pause}: the client got {got}"
            judge(server, seen, [replace(*sure(Cause.WRONG_ERROR, sentence), ask=answer.ask)])
    once = len(WORKING) - 1 + REPLICAS
    if fault.kind == "answer" and len(seen.calls) > once:  # What was broken off, a client may ask for again: a GET is safe.
        sentence = f"{when} {len(WORKING)} requests called it {len(seen.calls)} times, and {once} times at the most is right"
        judge(server, seen, sure(Cause.WRONG_CALL, sentence, CALL_WORK))
    stream = run(server, [Ask("/as-completed?tasks=1&seconds=0")])
    answer = stream.answers[0]
    problems = [event.data for event in events(answer) if event.name == "error"] if answer.body.endswith(b"\n\n") else []
    if not (len(problems) == 1 and says(problems[0], fault.status, words)):
        sentence = f"{when} {answer.ask.path} tells of {problems or 'no failure'}, and a {fault.status} with {words!r} is right"
        judge(server, stream, sure(Cause.SWALLOWED if not problems else Cause.WRONG_ERROR, sentence, WORK_ON))
    talk = run(server, [Ask("/ws", SOCKET, status=101, says=(start("a", 0), Hear("failed", "a")))])
    told = talk.answers[0].talk.first("failed")
    if told and not says(told.message, fault.status, words):
        sentence = f"{when} a task of a conversation is told as {told.message}, and {fault.status} is right, with {words!r}"
        judge(server, talk, sure(Cause.WRONG_ERROR, sentence, WORK_AND_TELL))
    judge(server, talk, talked(talk))
    followed, work = follow(server, [background(0)])
    if not says(followed[0].end.get("problem") or {}, fault.status, words):
        sentence = f"{when} work in the background is told as {followed[0].end}, and {fault.status} is right, with {words!r}"
        judge(server, work, sure(Cause.WRONG_ERROR, sentence, WORK_IN_BACKGROUND))


def says(told: Mapping[str, object], status: int, words: str) -> bool:
    """Return whether what is told of a failure elsewhere than in its answer has the status and the words of that answer."""
    return told.get("status") == status and str(told.get("detail")).startswith(words.rstrip("."))


@pytest.mark.parametrize("service", NAMES)
def test_an_upstream_answers_with_another_status(server: Server, service: str) -> None:
    """Any status but 200 is a 502 that names the service and the status; a redirect is not followed, and nothing is repeated."""
    for status in STATUSES:
        server.upstreams.misbehave(service, "answer", status=status, headers=[["Location", "/elsewhere"]])
    seen = run(server, [ASKS[service]] * len(STATUSES))
    words = [f"The {NAMES[service]} answered with the status {status}." for status in STATUSES]
    for answer in seen.answers:
        judge(server, seen, refused(answer, 502, words[0][:-5], log="\n".join(seen.printed)))
    details = [json.loads(answer.body)["detail"] for answer in seen.answers]
    if sorted(details) != words:
        judge(
            server,
            seen,
            sure(Cause.WRONG_ERROR, f"for the statuses {STATUSES} the details are {details}", CALLED[service]),
        )
    called = [call.service for call in seen.calls].count(service)
    if called != len(STATUSES):
        sentence = f"{len(STATUSES)} requests that met another status called the {service} service {called} times"
        judge(server, seen, sure(Cause.WRONG_CALL, sentence, CALLED[service]))


@pytest.mark.parametrize("service", NAMES)
def test_an_upstream_answers_with_something_else(server: Server, service: str) -> None:
    """An answer that is not the agreed JSON is a 502 that names the service."""
    for body in NOT_THE_AGREED_JSON:
        server.upstreams.misbehave(service, "answer", body=body)
    seen = run(server, [ASKS[service]] * len(NOT_THE_AGREED_JSON))
    for answer in seen.answers:
        words = f"The {NAMES[service]} answered with something that is not the agreed JSON."
        judge(server, seen, refused(answer, 502, words, log="\n".join(seen.printed)))


DATE = "Wed, 21 Oct 2026 07:28:00 GMT"
FAR = "Wed, 21 Oct 2026 07:28:00 +99999999999999999999"
PASSED_ON = {"7": "7", "": "1", "soon": "1", "-1": "1", DATE: DATE, FAR: "1", "9" * 5000: "1"}


@pytest.mark.parametrize("service", NAMES)
def test_an_upstream_is_busy(server: Server, service: str) -> None:
    """A 429 is a 503 with the upstream's `Retry-After`, or 1 where it gives none that can be read."""
    for given in PASSED_ON:
        server.upstreams.misbehave(service, "answer", status=429, headers=[["Retry-After", given]] if given else [])
    seen = run(server, [ASKS[service]] * len(PASSED_ON))
    for answer in seen.answers:
        words, when = f"The {NAMES[service]} is busy.", f"while the {service} service answers 429"
        judge(server, seen, refused(answer, 503, words, when=when, log="\n".join(seen.printed)))
    got = sorted(answer.headers.get("Retry-After", "nothing")[:40] for answer in seen.answers)
    if got != sorted(PASSED_ON.values()):
        sentence = (
            f"for a 429 of the {service} service with the Retry-After {[given[:40] for given in PASSED_ON]} the client got {got}"
        )
        judge(server, seen, sure(Cause.WRONG_ERROR, sentence, CALLED[service]))


def test_what_an_upstream_sets_is_not_kept(server: Server) -> None:
    """A cookie that a service sets, of whatever bytes, is not sent with another user's search, and spoils none."""
    for cookie in ("user=ada", "user=\xff"):
        server.upstreams.misbehave("embeddings", "answer", status=500, headers=[["Set-Cookie", cookie]])
    for _ in range(2):
        run(server, [SEARCH])
    seen = run(server, [SEARCH])
    if findings := broken(seen):
        sentence = f"after a service had set a cookie, {findings[0].sentence}"
        judge(server, seen, sure(Cause.SHARED_STATE, sentence, OPEN_CLIENT))
    cookies = [call.headers["cookie"] for call in seen.calls if "cookie" in call.headers]
    if cookies:
        sentence = f"a search sent the cookie {cookies[0]!r}, which an earlier one had been given"
        judge(server, seen, sure(Cause.SHARED_STATE, sentence, OPEN_CLIENT))


@pytest.mark.parametrize(
    "garbage",
    [b"\x16\x03\x01\x02\x00\x01", b"GARBAGE\r\n\r\n", b"GET /ping HTTP/1.1\r\nHost x\r\n\r\n"],
)
def test_garbage_gets_an_orderly_end(server: Server, garbage: bytes) -> None:
    """Bytes that are not HTTP are answered with a 400, a 505, or the end of the connection."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as client:
        client.sendall(garbage)
        client.shutdown(socket.SHUT_WR)
        try:
            answer: bytes | None = client.recv(65536)
        except ConnectionResetError:  # The end, said rudely: bytes of ours were still unread.
            answer = b""
        except TimeoutError:
            answer = None
    seen = run(server, [Ask("/ping")])
    judge(server, seen, broken(seen))
    if answer is None:
        sentence = f"{garbage!r} was sent, and then no more, and for ten seconds neither an answer nor an end came"
        judge(server, seen, sure(Cause.HANGS, sentence, SERVE))
    if answer and b" 400 " not in answer.splitlines()[0] and b" 505 " not in answer.splitlines()[0]:
        judge(server, seen, sure(Cause.WRONG_ERROR, f"{garbage!r} was answered {answer[:60]!r}"))

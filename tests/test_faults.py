"""What a variant makes of upstreams that misbehave, clients that leave, and the end."""

import asyncio
import math
import signal
import socket
import time
from urllib.parse import urlsplit

import pytest

from shared.lab.experiment import Ask, run, send
from shared.lab.host import PLANTED
from shared.lab.server import Server, serving
from shared.lesson.command import HOST
from shared.lesson.upstreams import DOCUMENTS, EMBEDDINGS
from tests.test_contract import problem

SEARCH = Ask("/search-demo?query=budget", "POST")
SERVICES = {"embeddings": EMBEDDINGS, "query": DOCUMENTS}
DEEP = "[" * 100_000

NOT_VECTORS = ["[]", "[NaN]", '["1"]', "[true]", "[1e999]", "1", "null"]
NOT_TITLES = ["[[{}]]", '[[{"title": 1}]]', '[[{"title": "\\ud800"}]]', "[[null]]", "[]", "null"]
NOT_THE_AGREED_JSON = [
    *("not JSON", "", "null", "[]", "{}", "\\ud800", DEEP),
    *(f'{{"data": [{{"embedding": {vector}}}]}}' for vector in NOT_VECTORS),
    *(f'{{"metadatas": {titles}}}' for titles in NOT_TITLES),
]


@pytest.mark.parametrize("service", SERVICES)
def test_an_upstream_breaks_off(server: Server, service: str) -> None:
    """A connection that ends before the answer, or in its middle, is a 502 that names the service."""
    for kind in ("drop", "half"):
        server.upstreams.misbehave(service, kind)
    for answer in run(server, [SEARCH, SEARCH]).answers:
        assert problem(answer, 502)["detail"] == f"The {SERVICES[service]} broke off its answer."


@pytest.mark.parametrize("service", SERVICES)
def test_an_upstream_answers_with_another_status(server: Server, service: str) -> None:
    """Any status but 200 is a 502 that names the service and the status; a redirect is not followed."""
    statuses = [201, 204, 301, 307, 400, 401, 404, 500, 503]
    for status in statuses:
        server.upstreams.misbehave(service, "answer", status=status, headers=[["Location", "/elsewhere"]])
    seen = run(server, [SEARCH] * len(statuses))
    details = sorted(str(problem(answer, 502)["detail"]) for answer in seen.answers)
    assert details == [f"The {SERVICES[service]} answered with the status {status}." for status in statuses]
    assert [call.service for call in seen.calls].count(service) == len(statuses)


@pytest.mark.parametrize("service", SERVICES)
def test_an_upstream_answers_with_something_else(server: Server, service: str) -> None:
    """An answer that is not the agreed JSON is a 502 that names the service."""
    for body in NOT_THE_AGREED_JSON:
        server.upstreams.misbehave(service, "answer", body=body)
    for answer in run(server, [SEARCH] * len(NOT_THE_AGREED_JSON)).answers:
        assert problem(answer, 502)["detail"] == f"The {SERVICES[service]} answered with something that is not the agreed JSON."


DATE = "Wed, 21 Oct 2026 07:28:00 GMT"
FAR = "Wed, 21 Oct 2026 07:28:00 +99999999999999999999"


@pytest.mark.parametrize(("given", "passed_on"), [("7", "7"), ("", "1"), ("soon", "1"), ("-1", "1"), (DATE, DATE), (FAR, "1")])
def test_an_upstream_is_busy(server: Server, given: str, passed_on: str) -> None:
    """A 429 is a 503 with the upstream's `Retry-After`, or 1 where it gives none that can be read."""
    server.upstreams.misbehave("embeddings", "answer", status=429, headers=[["Retry-After", given]] if given else [])
    answer = run(server, [SEARCH]).answers[0]
    problem(answer, 503)
    assert answer.headers["Retry-After"] == passed_on


def settle(server: Server, tasks: float, sockets: float) -> tuple[list[list[str]], int]:
    """Wait up to ten seconds until no more tasks and sockets live in the server than given; return those that do."""
    deadline = time.monotonic() + 10  # Some servers keep a departed client until their keep-alive time is over.
    while True:
        inside = server.look_inside()
        few = len(inside["tasks"]) <= tasks and inside["sockets"] <= sockets
        if few or time.monotonic() > deadline:
            return inside["tasks"], inside["sockets"]
        time.sleep(0.05)


async def cut_off(server: Server, request: bytes, after: float) -> None:
    """Send a request and leave without waiting for the answer."""
    address = urlsplit(server.url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(request)
    await writer.drain()
    await asyncio.sleep(after)
    writer.transport.abort()


def test_fifty_requests_cut_off_leave_nothing(server: Server) -> None:
    """Fifty clients that leave half-way, in the request or while it waits, leave no task, no connection and no call behind."""
    run(server, [SEARCH, Ask("/ping")])
    time.sleep(0.1)  # Connections just closed by the client are noticed within milliseconds.
    tasks, sockets = settle(server, math.inf, math.inf)
    whole = b"GET /async?seconds=0.2 HTTP/1.1\r\nHost: x\r\n\r\n"
    search = b"POST /search-demo?query=budget HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    requests = [whole, search, whole[:20], search[:40], b"GET /threaded?seconds=0.2 HTTP/1.1\r\nHost: x\r\n\r\n"] * 10

    async def all_of_them() -> None:
        await asyncio.gather(*(cut_off(server, request, after=0.05) for request in requests))

    asyncio.run(all_of_them())
    time.sleep(0.3)  # As long as the longest of them waits; leaving does not stop a handler.
    # A pool may keep the connections of ten searches to each of the two services: for use, and not by mistake.
    left_tasks, left_sockets = settle(server, len(tasks), sockets + 20)
    assert len(left_tasks) <= len(tasks), f"tasks left over: {left_tasks}"
    assert left_sockets <= sockets + 20, "connections left over"
    assert server.upstreams.open_calls() == 0
    assert [answer.status for answer in run(server, [Ask("/ping"), SEARCH, Ask("/parallel?seconds=0")]).answers] == [200] * 3


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
            answer = client.recv(65536)
        except ConnectionResetError:  # The end, said rudely: bytes of ours were still unread.
            answer = b""
    assert not answer or b" 400 " in answer.splitlines()[0] or b" 505 " in answer.splitlines()[0], answer
    assert run(server, [Ask("/ping")]).answers[0].status == 200


def test_crashes_dead_upstreams_and_the_end(server: Server) -> None:
    """An unforeseen error is a silent 500, logged once; dead upstreams are a 502; a signal leaves nothing listening."""
    with serving(server.variant, crash=True) as doomed:
        for seconds in (0, 1):  # A bare error, and one out of a task group.
            answer = send(doomed.url, [Ask(f"/sequential?seconds={seconds}")])[0][0]
            assert PLANTED not in str(problem(answer, 500))
        doomed.upstreams.stop()
        detail = problem(send(doomed.url, [SEARCH])[0][0], 502)["detail"]
        assert detail == f"The {EMBEDDINGS} cannot be reached."
        assert send(doomed.url, [Ask("/ping")])[0][0].status == 200
        port = urlsplit(doomed.url).port
        doomed.stop(signal.SIGINT)
        # Counted at the end, because a server may log after it has answered.
        assert doomed.log().count(f"RuntimeError: {PLANTED}") == 2, (
            f"each error is to be logged once, and not so:\n{doomed.log()}"
        )
        assert "KeyboardInterrupt" not in doomed.log()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, port), timeout=5)

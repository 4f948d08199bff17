"""The embedded upstreams misbehave as they are told to: which calls, how, and what the witness says of it."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import psutil
import pytest

from shared.lab.upstream import Call as Seen
from shared.lab.upstream import Upstreams
from shared.lesson.problems import UpstreamBroke, UpstreamFailed
from shared.lesson.settings import Settings, from_environment
from shared.lesson.upstreams import (
    Call,
    FoundDocument,
    StreamReader,
    answer_call,
    answer_stream_call,
    embedding_call,
    read_embedding,
    search_call,
)
from shared.upstream.services import CHAT_SECONDS, EMBEDDING_SECONDS

PAPERS = [FoundDocument("Q4 report", "Revenue in Q4 rose by 18 percent to 2.4 million euros, and costs in Q4 fell.")]


@pytest.fixture(scope="module")
def running() -> Iterator[Upstreams]:
    """Run the upstreams once for all tests here."""
    with Upstreams() as running:
        yield running


@pytest.fixture
def upstreams(running: Upstreams) -> Iterator[Upstreams]:
    """Give a test the upstreams, and forget afterwards what it planned."""
    yield running
    running.behave()


@pytest.fixture
def settings(upstreams: Upstreams) -> Settings:
    """Return where they are, as a variant would read it."""
    found = from_environment(upstreams.environment())
    assert found is not None
    return found


async def _send(call: Call, deadline: float) -> tuple[int, bytes]:
    timeout = aiohttp.ClientTimeout(total=deadline)
    async with (
        aiohttp.ClientSession(timeout=timeout) as client,
        client.post(call.url, json=call.body, headers=call.headers) as response,
    ):
        return response.status, await response.read()


def send(call: Call, deadline: float = 10) -> tuple[int, bytes]:
    """Send a call and return the status and the body; errors are the client's own."""
    return asyncio.run(_send(call, deadline))


def status(call: Call) -> int:
    """Send a call and return the status."""
    return send(call)[0]


def last(upstreams: Upstreams) -> Seen:
    """Return the last call as the witness saw it, once it is over."""
    upstreams.wait_for_calls(10)
    return upstreams.calls(upstreams.last_call() - 1)[0]


def raw(call: Call) -> bytes:
    """Send a call over a bare socket, and return all bytes until the orderly end of the connection."""
    address, body = urlsplit(call.url), json.dumps(call.body).encode()
    head = f"POST {address.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nContent-Length: {len(body)}\r\n\r\n"
    received = b""
    with socket.create_connection((address.hostname, address.port), timeout=10) as client:
        client.sendall(head.encode() + body)
        while piece := client.recv(65536):
            received += piece
    return received


def test_faults_meet_the_next_calls_of_their_service(upstreams: Upstreams, settings: Settings) -> None:
    """They come in the order in which they were planned, each as often as asked, and other services are left alone."""
    upstreams.misbehave("embeddings", "answer", count=2, status=418)
    upstreams.misbehave("embeddings", "answer", status=429, headers=[["Retry-After", "7"]], body="busy")
    call = embedding_call(settings, "budget")
    assert status(search_call(settings, [1.0] * 1536)) == 200
    assert [status(call) for _ in range(4)] == [418, 418, 429, 200]
    assert [seen.status for seen in upstreams.calls(upstreams.last_call() - 4)] == [418, 418, 429, 200]


def test_a_marker_meets_every_call_that_carries_it(upstreams: Upstreams, settings: Settings) -> None:
    """Marked calls fail at every attempt, alone or in a list, until told to forget; others never do."""
    upstreams.misbehave("embeddings", "answer", status=500, marker="cursed")
    marked = [embedding_call(settings, "a cursed budget"), embedding_call(settings, ["fine", "cursed"])]
    assert [status(call) for call in marked * 2] == [500] * 4
    assert status(embedding_call(settings, "budget")) == 200
    upstreams.behave()
    assert status(marked[0]) == 200


def test_a_marker_may_meet_each_text_a_few_times(upstreams: Upstreams, settings: Settings) -> None:
    """With `times`, the first attempts for each text fail, and the next succeed: what a retry is for."""
    upstreams.misbehave("embeddings", "answer", status=503, marker="flaky", times=1)
    first, second = embedding_call(settings, "flaky budget"), embedding_call(settings, "flaky report")
    assert [status(call) for call in (first, second, first, second)] == [503, 503, 200, 200]


def test_a_marker_is_found_behind_a_vector_and_in_a_chat(upstreams: Upstreams, settings: Settings) -> None:
    """A search carries no text, but the vector of one; a chat carries messages."""
    for service in ("query", "chat"):
        upstreams.misbehave(service, "answer", status=500, marker="cursed")
    for text, expected in (("a cursed budget", 500), ("budget", 200)):
        vector = read_embedding(json.loads(send(embedding_call(settings, text))[1]))
        assert status(search_call(settings, vector)) == expected
        assert status(answer_call(settings, text, PAPERS)) == expected
    assert status(answer_call(settings, "x", [FoundDocument("x", "cursed")])) == 500


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"service": "nonsense", "kind": "drop"}, "nonsense"),
        ({"service": "query", "kind": "nonsense"}, "nonsense"),
        ({"service": "query", "kind": "stall"}, "stall"),
        ({"service": "query", "kind": "drop", "nonsense": 1}, "nonsense"),
    ],
)
def test_a_fault_that_does_not_exist_is_refused(upstreams: Upstreams, wrong: dict[str, Any], said: str) -> None:
    """A test that misspells a fault must not pass because nothing went wrong."""
    with pytest.raises(ValueError, match=said):
        upstreams.misbehave(**wrong)


def test_a_dropped_connection_ends_without_an_answer(upstreams: Upstreams, settings: Settings) -> None:
    """`drop` is an orderly end before the first byte; the witness knows of no status."""
    upstreams.misbehave("embeddings", "drop")
    assert raw(embedding_call(settings, "budget")) == b""
    assert last(upstreams).status is None


def test_a_reset_connection_ends_with_an_error(upstreams: Upstreams, settings: Settings) -> None:
    """`reset` is what a crashed machine or a firewall sends: an error, and no end."""
    upstreams.misbehave("embeddings", "reset")
    with pytest.raises(ConnectionResetError):
        raw(embedding_call(settings, "budget"))
    assert last(upstreams).status is None


def test_an_answer_breaks_off_half_way(upstreams: Upstreams, settings: Settings) -> None:
    """`half` promises a thousand bytes, and sends ten."""
    upstreams.misbehave("query", "half")
    with pytest.raises(aiohttp.ClientPayloadError):
        send(search_call(settings, [1.0] * 1536))
    assert last(upstreams).status == 200


def test_a_slow_answer_is_right(upstreams: Upstreams, settings: Settings) -> None:
    """`slow` adds its seconds to the usual ones, and then nothing is wrong."""
    upstreams.misbehave("embeddings", "slow", seconds=0.3)
    began = time.monotonic()
    code, content = send(embedding_call(settings, "budget"))
    assert time.monotonic() - began >= EMBEDDING_SECONDS + 0.3 - 0.004
    assert code == 200
    assert read_embedding(json.loads(content)) == last(upstreams).answered


@pytest.mark.parametrize("kind", ["silence", "drip"])
def test_an_answer_never_comes(upstreams: Upstreams, settings: Settings, kind: str) -> None:
    """`silence` sends nothing and `drip` no end; a caller that leaves is seen leaving."""
    upstreams.misbehave("embeddings", kind)
    with pytest.raises(TimeoutError):
        send(embedding_call(settings, "budget"), deadline=0.3)
    seen = last(upstreams)
    assert seen.broken_off
    assert seen.end is not None
    assert 0.2 < seen.end - seen.start < 5  # Far from the minute that they would go on.


def test_a_huge_answer_is_never_in_memory(upstreams: Upstreams, settings: Settings) -> None:
    """`huge` sends as many bytes as asked for, and its process does not grow by them; nor when nobody reads."""
    size, process = 50_000_000, psutil.Process().children()[0]
    upstreams.misbehave("embeddings", "huge", count=2, size=size)
    before = process.memory_info().rss
    code, content = send(embedding_call(settings, "budget"))
    assert code == 200
    assert size <= len(content) < size + 100
    assert json.loads(content).keys() == {"data"}
    address, body = urlsplit(settings.openai_url), b'{"input": "x"}'
    with socket.create_connection((address.hostname, address.port)) as client:
        client.sendall(b"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        time.sleep(0.2)
        assert upstreams.open_calls() == 1
    assert process.memory_info().rss - before < size / 4
    assert last(upstreams).broken_off


def test_a_caller_that_leaves_is_no_error(capfd: pytest.CaptureFixture[str]) -> None:
    """Callers who read a part of a huge answer and leave are noted by the witness, and make no noise in the service's log."""
    count = 40  # Of so many, some leave just before a write: without care for that, each try showed several tracebacks.
    with Upstreams() as upstreams:
        upstreams.misbehave("embeddings", "huge", count=count)
        address, body = urlsplit(upstreams.environment()["OPENAI_BASE_URL"]), b'{"input": "x"}'
        for _ in range(count):
            with socket.create_connection((address.hostname, address.port)) as client:
                client.sendall(b"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
                read = 0
                while read < 2**20:
                    read += len(client.recv(2**16))
        assert last(upstreams).broken_off
        calls = upstreams.calls(0)
        assert [call.broken_off for call in calls] == [True] * count
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", ["drop", "reset", "half"])
def test_a_marker_breaks_every_attempt(upstreams: Upstreams, settings: Settings, kind: str) -> None:
    """A marked call fails as often as it is tried, in any way that a call can fail; others beside it are answered."""
    upstreams.misbehave("embeddings", kind, marker="cursed")
    for _ in range(3):
        with pytest.raises(aiohttp.ClientError):
            send(embedding_call(settings, "a cursed budget"))
        assert status(embedding_call(settings, "budget")) == 200


async def _read_stream(call: Call, deadline: float) -> AsyncIterator[str]:
    reader = StreamReader()
    timeout = aiohttp.ClientTimeout(total=deadline)
    async with (
        aiohttp.ClientSession(timeout=timeout) as client,
        client.post(call.url, json=call.body, headers=call.headers) as response,
    ):
        async for piece in response.content.iter_any():
            for token in reader.feed(piece):
                yield token
    reader.end()


def tokens(call: Call, deadline: float = 5) -> tuple[list[str], Exception | None]:
    """Return the tokens of a stream, and with what error it ended, if with one."""
    found: list[str] = []

    async def collect() -> None:
        async for token in _read_stream(call, deadline):
            found.append(token)  # noqa: PERF401 - they count even when an error follows

    try:
        asyncio.run(collect())
    except (TimeoutError, aiohttp.ClientError, UpstreamFailed) as error:
        return found, error
    return found, None


WORDS = ["Revenue ", "in ", "Q4 "]


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("cut", {}, aiohttp.ClientPayloadError),
        ("garbage", {"body": "data: nonsense\n\n"}, UpstreamFailed),
        ("garbage", {"body": 'data: {"error": {"message": "overloaded"}}\n\n'}, UpstreamFailed),
        ("garbage", {"body": ""}, UpstreamBroke),
        ("stall", {}, TimeoutError),
    ],
)
@pytest.mark.parametrize("after", [0, 3])
def test_a_stream_goes_wrong_after_some_tokens(
    upstreams: Upstreams, settings: Settings, kind: str, fields: dict[str, Any], expected: type[Exception], after: int
) -> None:
    """It sends as many tokens as told, and then breaks off, sends what it was given, or goes silent."""
    upstreams.misbehave("chat", kind, after=after, **fields)
    found, error = tokens(answer_stream_call(settings, "how was Q4?", PAPERS), deadline=1)
    assert found == WORDS[:after]
    assert type(error) is expected
    seen = last(upstreams)
    assert [token for token, _ in seen.answered["tokens"]] == WORDS[:after]
    assert seen.status == 200
    assert seen.broken_off == (kind == "stall")


def test_a_marker_breaks_every_stream(upstreams: Upstreams, settings: Settings) -> None:
    """A marked question's stream breaks off at every attempt; another's does not."""
    upstreams.misbehave("chat", "cut", after=1, marker="cursed")
    for _ in range(2):
        found, error = tokens(answer_stream_call(settings, "how was cursed Q4?", PAPERS))
        assert (found, type(error)) == (WORDS[:1], aiohttp.ClientPayloadError)
        assert tokens(answer_stream_call(settings, "how was Q4?", PAPERS))[1] is None


def test_a_stream_that_its_reader_leaves(upstreams: Upstreams, settings: Settings) -> None:
    """A reader who leaves after the second token ends the call there, before the rest is sent; the witness says when."""

    async def leave() -> float:
        arrived = 0
        async for _ in _read_stream(answer_stream_call(settings, "how was Q4?", PAPERS), 5):
            arrived += 1
            if arrived == 2:
                break
        return time.monotonic()

    left = asyncio.run(leave())
    seen = last(upstreams)
    sent = [when for _, when in seen.answered["tokens"]]
    assert (seen.status, seen.broken_off) == (200, True)
    assert 2 <= len(sent) < len(seen.answered["text"].split())
    assert seen.end
    assert sent[-1] <= seen.end < left + CHAT_SECONDS / 2


def test_a_stream_may_go_wrong_at_its_very_end(upstreams: Upstreams, settings: Settings) -> None:
    """After all tokens, and before it says that it is complete: a client that does not wait for that takes it for whole."""
    whole, error = tokens(answer_stream_call(settings, "how was Q4?", PAPERS))
    assert error is None
    upstreams.misbehave("chat", "garbage", after=len(whole), body="")
    found, error = tokens(answer_stream_call(settings, "how was Q4?", PAPERS))
    assert found == whole
    assert isinstance(error, UpstreamBroke)


def test_a_whole_answer_cannot_go_wrong_like_a_stream(upstreams: Upstreams, settings: Settings) -> None:
    """A fault for a stream that meets a whole answer says so, instead of doing nothing."""
    upstreams.misbehave("chat", "cut")
    code, content = send(answer_call(settings, "how was Q4?", PAPERS))
    assert code == 400
    assert b"stream" in content

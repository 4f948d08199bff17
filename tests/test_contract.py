"""The HTTP contract: shapes, limits, and what bad input is answered with."""

import importlib.metadata
import json
import platform
from urllib.parse import quote

import pytest

from shared.lab.experiment import Answer, Ask, run
from shared.lab.server import Server
from shared.lab.verdict import EARLY
from shared.lesson import limits
from shared.lesson.contract import ENDPOINTS, Endpoint
from shared.lesson.problems import MEDIA_TYPE

WAITING = [endpoint for endpoint in ENDPOINTS if endpoint.seconds is not None]
BAD_SECONDS = ["", "three", "nan", "inf", "-inf", "-0.1", "10.01", "1e999", "0x1", "1,5", "%00", "%FF"]
BAD_QUERIES = {
    "missing": "",
    "empty": "?query=",
    "bare": "?query",
    "spaces": "?query=+%20%09",
    "too long": f"?query={'x' * 1001}",
}


def problem(answer: Answer, status: int) -> dict[str, object]:
    """Return the problem details of an answer, after checking that they are."""
    assert answer.status == status, (
        f"{answer.ask.method} {answer.ask.path[:60]}: {answer.status} {answer.error} {answer.body[:200]!r}"
    )
    assert answer.headers["Content-Type"].partition(";")[0] == MEDIA_TYPE
    body: dict[str, object] = json.loads(answer.body)
    assert body.keys() == {"type", "title", "status", "detail"}
    assert body["status"] == status
    assert "Traceback" not in str(body["detail"])
    return body


def test_home_says_what_serves(server: Server) -> None:
    """`/` names the variant, and framework, event loop and server with their versions, as they are at run time."""
    body = json.loads(run(server, [Ask("/")]).answers[0].body)
    assert body.keys() == {"variant", "framework", "event_loop", "server", "python"}
    assert body["variant"] == server.variant.name
    assert body["python"] == platform.python_version()
    assert body["event_loop"].startswith(f"{server.variant.loop} ")
    for part in ("framework", "event_loop", "server"):
        name, version = body[part].split()
        installed = platform.python_version() if name == "asyncio" else importlib.metadata.version(name)
        assert version == installed, f"{part} is not what is installed here"


def test_ping(server: Server) -> None:
    """`/ping` answers `{"pong": true}` as JSON, and says nothing of waits."""
    answer = run(server, [Ask("/ping")]).answers[0]
    assert (answer.status, json.loads(answer.body)) == (200, {"pong": True})
    assert answer.headers["Content-Type"].partition(";")[0] == "application/json"
    assert not answer.operations


def test_shape_and_elapsed(server: Server) -> None:
    """Each waiting endpoint answers with its shape, and its `elapsed` is what was seen from outside."""
    three = ["task1 result", "task2 result", "task3 result"]
    together = {"results": three, "note": "3 x 0.1-second tasks completed in ~0.1 seconds!"}
    expected = {
        "/sync": (0.1, {"result": "sync_task result"}),
        "/threaded": (0.1, {"result": "threaded_task result"}),
        "/async": (0.1, {"result": "async_task result"}),
        "/sequential": (0.3, {"results": three, "note": "Sequential = 0.3 seconds"}),
        "/parallel": (0.1, together),
    }
    for path, (total, content) in expected.items():
        answer = run(server, [Ask(f"{path}?seconds=0.1&tab=1")]).answers[0]
        body = json.loads(answer.body)
        elapsed = body.pop("elapsed")
        assert body == content, f"{path} answers with another shape than the contract's"
        assert elapsed == f"{float(elapsed[:-1]):.2f}s"
        # Rounded to hundredths, so half of one either way.
        seen = f"{path} says {elapsed}, and was seen to take {answer.seconds:.3f} s"
        assert total - EARLY - 0.005 <= float(elapsed[:-1]) <= answer.seconds + 0.005, seen
        assert len(answer.operations) == (3 if "results" in body else 1), f"{path}: Server-Timing misses an operation"
        for operation in answer.operations:
            assert operation.end - operation.start >= 0.1 - EARLY, f"{path}: {operation.name} did not wait its time"


@pytest.mark.parametrize("endpoint", WAITING, ids=lambda endpoint: endpoint.path)
def test_bad_seconds(server: Server, endpoint: Endpoint) -> None:
    """A `seconds` that is no number from 0 to 10 is refused at once, in words that name it and what is allowed."""
    seen = run(server, [Ask(f"{endpoint.path}?seconds={bad}") for bad in BAD_SECONDS])
    for answer in seen.answers:
        detail = str(problem(answer, 422)["detail"])
        assert "seconds" in detail
        assert limits.RULES["seconds"] in detail
    assert "[" not in seen.printed, "something ran in spite of a bad parameter"


@pytest.mark.parametrize("query", BAD_QUERIES.values(), ids=BAD_QUERIES.keys())
def test_bad_query(server: Server, query: str) -> None:
    """A query that is missing, empty, only spaces or too long is refused before any service is called."""
    seen = run(server, [Ask(f"/search-demo{query}", "POST")])
    detail = str(problem(seen.answers[0], 422)["detail"])
    assert "query" in detail
    assert limits.RULES["query"] in detail
    assert not seen.calls


def test_a_thousand_characters_of_any_script(server: Server) -> None:
    """A query of 1,000 characters is searched for, whatever they are, and comes back unchanged."""
    characters = "xé漢😀"
    asks = [Ask(f"/search-demo?query={quote(character * 1000)}", "POST") for character in characters]
    for character, answer in zip(characters, run(server, asks).answers, strict=True):
        assert answer.status == 200, f"{character} x 1000: {answer.status} {answer.body[:200]!r}"
        assert json.loads(answer.body)["query"] == character * 1000


def test_unknown_path(server: Server) -> None:
    """An unknown path is a 404, and a trailing slash may be redirected instead."""
    problem(run(server, [Ask("/nowhere?x=%0d%0aX-Evil:1")]).answers[0], 404)
    answer = run(server, [Ask("/ping/")]).answers[0]
    assert answer.status in {307, 308, 404}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.path)
def test_other_method(server: Server, endpoint: Endpoint) -> None:
    """A known path with another method is a 405, and `Allow` says which it answers."""
    answer = run(server, [Ask(endpoint.path, "DELETE")]).answers[0]
    problem(answer, 405)
    assert endpoint.method in answer.headers["Allow"].replace(" ", "").split(",")


UNUSUAL_QUERIES = ["query=%FF%FE", "query=a&query=b", "query=%ED%A0%80", "query=%zz", "query=%00", f"query={'%61' * 900}"]


def test_unusual_queries_get_an_orderly_answer(server: Server) -> None:
    """What the contract leaves to the stack is still answered: never a 500, never a hang."""
    for answer in run(server, [Ask(f"/search-demo?{query}", "POST") for query in UNUSUAL_QUERIES]).answers:
        assert 200 <= answer.status < 500, f"{answer.ask.path}: {answer.status} {answer.error} {answer.body[:200]!r}"
        json.loads(answer.body)

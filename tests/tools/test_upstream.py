"""The embedded upstreams, asked over HTTP: formats, waits, the witness and the faults."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from shared.lab.upstream import Upstreams
from shared.lesson.settings import Settings, SettingsError, from_environment
from shared.lesson.upstreams import embedding_call, read_embedding, read_titles, search_call
from shared.upstream.services import EMBEDDING_SECONDS, QUERY_SECONDS


@pytest.fixture(scope="module")
def upstreams() -> Iterator[Upstreams]:
    """Run the upstreams once for all tests here."""
    with Upstreams() as running:
        yield running


@pytest.fixture
def settings(upstreams: Upstreams) -> Settings:
    """Return where they are, as a variant would read it."""
    found = from_environment(upstreams.environment())
    assert found is not None
    return found


def post(url: str, body: object) -> tuple[int, Any]:
    """Send JSON and return the status and the JSON that came back."""
    request = urllib.request.Request(url, json.dumps(body).encode())  # noqa: S310 - our own
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - our own
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_a_search_from_end_to_end(upstreams: Upstreams, settings: Settings) -> None:
    """A query becomes a vector, the vector finds documents, and the witness saw both calls with their waits."""
    last = upstreams.last_call()
    embed = embedding_call(settings, "Q4 report")
    vector = read_embedding(post(embed.url, embed.body)[1])
    find = search_call(settings, vector)
    assert read_titles(post(find.url, find.body)[1])[0] == "Q4 report"
    first, second = upstreams.calls(last)
    assert (first.service, second.service) == ("embeddings", "query")
    for call, wait in ((first, EMBEDDING_SECONDS), (second, QUERY_SECONDS)):
        assert call.end is not None
        assert call.end - call.start >= wait - 0.002
        assert not call.broken_off


@pytest.mark.parametrize(
    "body", [{}, [], None, {"input": 3}, {"input": []}, {"input": "x", "dimensions": 0}, {"input": "x", "dimensions": "x"}]
)
def test_a_bad_embeddings_request(settings: Settings, body: object) -> None:
    """What OpenAI refuses is refused with its status and in its format."""
    status, answer = post(f"{settings.openai_url}/embeddings", body)
    assert status == 400
    assert answer["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "body", [{}, [], None, {"query_embeddings": [[1.0]]}, {"query_embeddings": [[10**400]]}, {"query_embeddings": "x"}]
)
def test_a_bad_query(settings: Settings, body: object) -> None:
    """What Chroma refuses is refused with a client's error, and a vector of another length says both lengths."""
    status, answer = post(search_call(settings, []).url, body)
    assert status == 400
    assert answer["error"]


def test_chat(settings: Settings) -> None:
    """A chat completion has OpenAI's shape and takes its time."""
    began = time.monotonic()
    status, answer = post(f"{settings.openai_url}/chat/completions", {"messages": [{"role": "user", "content": "the budget"}]})
    assert status == 200
    assert "the budget" in answer["choices"][0]["message"]["content"]
    assert time.monotonic() - began >= 0.5 - 0.002


def test_a_planned_fault_meets_one_call(upstreams: Upstreams, settings: Settings) -> None:
    """A fault meets as many calls as it was planned for, of its service only."""
    upstreams.misbehave("embeddings", "answer", status=418)
    call = embedding_call(settings, "budget")
    assert post(call.url, call.body)[0] == 418
    assert post(call.url, call.body)[0] == 200


BASE = {"CHROMA_URL": "http://127.0.0.1:1", "OPENAI_API_KEY": "secret"}


@pytest.mark.parametrize(
    "wrong", [{"CHROMA_URL": "nonsense"}, {"OPENAI_BASE_URL": "ftp://x"}, {"OPENAI_API_KEY": ""}, {"CHROMA_URL": "http://[x"}]
)
def test_wrong_settings_are_named(wrong: dict[str, str]) -> None:
    """A setting that cannot be used is named in the message, and the key is never in it."""
    with pytest.raises(SettingsError) as caught:
        from_environment({**BASE, **wrong})
    assert next(iter(wrong)) in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_key_alone_does_not_call_real_services() -> None:
    """Without CHROMA_URL the embedded upstreams are wanted, whatever else is set; and a key is not shown."""
    assert from_environment({"OPENAI_API_KEY": "secret"}) is None
    assert "secret" not in repr(from_environment(BASE))


def test_work_takes_as_long_as_asked(upstreams: Upstreams) -> None:
    """The work service waits, answers with the status asked for, and the witness keeps what was asked."""
    last = upstreams.last_call()
    url = f"{upstreams.environment()['WORK_URL']}/work"
    request = urllib.request.Request(f"{url}?name=one&seconds=0.1", headers={"X-Request-ID": "mine"})  # noqa: S310 - our own
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - our own
        assert json.load(response) == {"name": "one", "seconds": 0.1}
    for query, status in {"name=one&status=503": 503, "seconds=1": 400, "name=one&seconds=nan": 400}.items():
        with pytest.raises(urllib.error.HTTPError, match=str(status)) as refused:
            urllib.request.urlopen(f"{url}?{query}", timeout=10)  # noqa: S310 - our own
        refused.value.close()
    call = upstreams.calls(last)[0]
    assert (call.service, call.task, call.sent["request_id"]) == ("work", "one", "mine")
    assert 0.098 <= call.seconds < 5
    assert not call.broken_off


def test_work_that_is_broken_off(upstreams: Upstreams) -> None:
    """When its caller leaves, a call ends at once, and the witness says so."""
    last = upstreams.last_call()
    with pytest.raises(TimeoutError):
        urllib.request.urlopen(f"{upstreams.environment()['WORK_URL']}/work?name=one&seconds=5", timeout=0.1)  # noqa: S310 - our own
    time.sleep(0.2)
    call = upstreams.calls(last)[0]
    assert call.broken_off
    assert call.seconds < 4

"""The embedded upstreams, asked over HTTP as a variant asks them: formats, waits, and what the witness saw."""

import gzip
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from shared.lab.upstream import Upstreams
from shared.lesson.settings import CHAT_MODEL, COLLECTION, EMBEDDING_MODEL, Settings, SettingsError, from_environment
from shared.lesson.upstreams import (
    Call,
    FoundDocument,
    StreamReader,
    answer_call,
    answer_stream_call,
    embedding_call,
    read_completion,
    read_documents,
    read_embedding,
    read_titles,
    search_call,
)
from shared.upstream.answers import NOTHING
from shared.upstream.services import CHAT_SECONDS, EMBEDDING_SECONDS, QUERY_SECONDS

KEY = {"Authorization": "Bearer not-a-secret"}
PAPERS = [
    FoundDocument("Q4 report", "Revenue in Q4 rose by 18 percent. December was quiet."),
    FoundDocument("Holidays", "Everybody has 28 days of paid holiday a year."),
]


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


def ask(url: str, body: bytes | None, headers: Mapping[str, str] = KEY) -> tuple[int, bytes]:
    """Send a request, a POST where there is a body, and return the status and the bytes that came back."""
    request = urllib.request.Request(url, body, dict(headers))  # noqa: S310 - our own
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - our own
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def post(url: str, body: object, headers: Mapping[str, str] = KEY) -> tuple[int, Any]:
    """Send JSON and return the status and the JSON that came back."""
    status, content = ask(url, json.dumps(body).encode(), headers)
    return status, json.loads(content)


def send(call: Call) -> Any:  # noqa: ANN401 - JSON is any
    """Send a call as a variant does, and return the JSON that came back."""
    status, answer = post(call.url, call.body, call.headers)
    assert status == 200, answer
    return answer


def test_a_search_from_end_to_end(upstreams: Upstreams, settings: Settings) -> None:
    """A query becomes a vector, the vector finds documents, and the witness saw both calls with their waits."""
    last = upstreams.last_call()
    vector = read_embedding(send(embedding_call(settings, "Q4 report")))
    found = send(search_call(settings, vector, texts=True))
    assert read_titles(found)[:2] == ["Q4 report", "Q3 report"]
    assert read_documents(found)[0].title == "Q4 report"
    assert "18 percent" in read_documents(found)[0].text
    first, second = upstreams.calls(last)
    assert (first.service, second.service) == ("embeddings", "query")
    assert second.answered == [read_titles(found)]
    for call, wait in ((first, EMBEDDING_SECONDS), (second, QUERY_SECONDS)):
        assert call.end is not None
        assert call.end - call.start >= wait - 0.002
        assert not call.broken_off
        assert call.status == 200


def test_a_search_without_texts_brings_none(settings: Settings) -> None:
    """What is not asked for does not travel, and titles can be read without it."""
    found = send(search_call(settings, read_embedding(send(embedding_call(settings, "budget")))))
    assert found["documents"] is None
    assert read_titles(found)[0] == "Budget for next year"


def test_the_witness_keeps_headers_that_matter(upstreams: Upstreams, settings: Settings) -> None:
    """It keeps the request's id, the client's name, what that can unpack, its cookies and the key, and nothing else."""
    last = upstreams.last_call()
    call = embedding_call(settings, "budget")
    post(call.url, call.body, {**call.headers, "X-Request-ID": "r1", "User-Agent": "reader", "Cookie": "a=b", "X-Other": "x"})
    seen = upstreams.calls(last)[0].headers
    kept = {"authorization": "Bearer not-a-secret", "x-request-id": "r1", "user-agent": "reader", "cookie": "a=b"}
    assert seen == {**kept, "accept-encoding": "identity"}  # Which Python's own client sends.


def test_what_is_compressed_for_whoever_accepts_it(upstreams: Upstreams, settings: Settings) -> None:
    """As behind a proxy, an answer comes compressed where the request accepts gzip, and else as it is."""
    calls = [embedding_call(settings, "budget"), search_call(settings, VECTOR), answer_call(settings, "budget", PAPERS)]
    asked = [(call.url, json.dumps(call.body).encode(), call.headers) for call in calls]
    for url, body, headers in [*asked, (f"{upstreams.environment()['WORK_URL']}/work?name=one", None, {})]:
        as_it_is = json.loads(ask(url, body, {**headers, "Accept-Encoding": "identity"})[1])
        status, content = ask(url, body, {**headers, "Accept-Encoding": "deflate, gzip;q=0.5"})
        assert status == 200
        assert json.loads(gzip.decompress(content)).keys() == as_it_is.keys()


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "not-a-secret", "Basic abc", "Bearer two words"])
@pytest.mark.parametrize("path", ["/embeddings", "/chat/completions"])
def test_a_call_without_a_key_is_refused(upstreams: Upstreams, settings: Settings, path: str, header: str | None) -> None:
    """A key in the form of RFC 6750 is asked for, with OpenAI's status and format; which key it is does not matter."""
    headers = {} if header is None else {"Authorization": header}
    status, answer = post(settings.openai_url + path, {"model": EMBEDDING_MODEL, "input": "x"}, headers)
    assert status == 401
    assert "Authorization" in answer["error"]["message"]
    assert upstreams.calls(upstreams.last_call() - 1)[0].status == 401


GOOD: dict[str, object] = {"model": EMBEDDING_MODEL, "input": "x"}
NO_INPUTS: list[object] = [None, 3, [], "", ["x", ""], ["x", 1], {}]
NO_DIMENSIONS: list[object] = [0, 1537, "x", 1.5, True]
NO_MODELS: list[object] = [None, "", 1]
NOT_EMBEDDINGS: list[object] = [
    *({**GOOD, "input": wrong} for wrong in NO_INPUTS),
    *({**GOOD, "dimensions": wrong} for wrong in NO_DIMENSIONS),
    *({**GOOD, "model": wrong} for wrong in NO_MODELS),
    {**GOOD, "encoding_format": "hex"},
    {},
    [],
    None,
]


@pytest.mark.parametrize("body", NOT_EMBEDDINGS)
def test_a_bad_embeddings_request(settings: Settings, body: object) -> None:
    """What OpenAI refuses is refused with its status and in its format."""
    status, answer = post(f"{settings.openai_url}/embeddings", body)
    assert status == 400
    assert answer["error"]["type"] == "invalid_request_error"
    assert answer["error"].keys() == {"message", "type", "param", "code"}


@pytest.mark.parametrize("path", ["/embeddings", "/chat/completions"])
def test_an_unknown_model_or_no_json(settings: Settings, path: str) -> None:
    """An unknown model is not found, as at OpenAI; a body that is not JSON is a bad request."""
    status, answer = post(settings.openai_url + path, {**GOOD, "model": "no-such-model"})
    assert (status, answer["error"]["code"]) == (404, "model_not_found")
    for body in (b"", b"{", b"[" * 100_000):
        assert ask(settings.openai_url + path, body)[0] == 400


VECTOR = [1.0] * 1536
NO_VECTORS: list[object] = ["x", [[None]], [["1"]], [[10**400]], [[True]], 3]
NO_COUNTS: list[object] = [-1, "3", 1.5, True]
NO_FIELDS: list[object] = [["nonsense"], "documents", [1]]
UNREADABLE: list[object] = [
    *({"query_embeddings": wrong} for wrong in NO_VECTORS),
    *({"query_embeddings": [VECTOR], "n_results": wrong} for wrong in NO_COUNTS),
    *({"query_embeddings": [VECTOR], "include": wrong} for wrong in NO_FIELDS),
    {"query_embeddings": [VECTOR], "ids": "x"},
    {},
    [],
    None,
]


@pytest.mark.parametrize("body", UNREADABLE)
def test_a_query_that_cannot_be_read(settings: Settings, body: object) -> None:
    """It is a 422 with a kind and a message, as from Chroma."""
    status, answer = post(search_call(settings, []).url, body)
    assert (status, answer["error"]) == (422, "ChromaError")
    assert answer["message"].startswith("Failed to deserialize")


@pytest.mark.parametrize(("vector", "said"), [([1.0], "dimension of 1536, got 1"), ([], "got 0"), ([*VECTOR, 1], "got 1537")])
def test_a_vector_of_another_length_is_refused(settings: Settings, vector: list[float], said: str) -> None:
    """The message says both lengths."""
    status, answer = post(search_call(settings, vector).url, {"query_embeddings": [vector]})
    assert (status, answer["error"]) == (400, "InvalidArgumentError")
    assert said in answer["message"]


@pytest.mark.parametrize("filters", [{"where": {"title": "Q4 report"}}, {"where_document": {"$contains": "Q4"}}])
def test_a_filter_is_refused_and_not_ignored(settings: Settings, filters: dict[str, object]) -> None:
    """The stand-in cannot choose documents by their content, and says so rather than answer wrongly."""
    status, answer = post(search_call(settings, VECTOR).url, {"query_embeddings": [VECTOR], **filters})
    assert status == 400
    assert next(iter(filters)) in answer["message"]


def test_an_unknown_collection(settings: Settings) -> None:
    """An identifier that no collection has is not found; a name in its place is not an identifier."""
    for collection, expected in (("00000000-0000-4000-8000-000000000000", 404), ("workbook", 400)):
        assert (
            post(search_call(replace(settings, collection=collection), VECTOR).url, {"query_embeddings": [VECTOR]})[0] == expected
        )
    assert settings.collection == COLLECTION


def test_an_answer_comes_from_the_documents(settings: Settings) -> None:
    """A chat completion answers with what the given documents say, the same each time, and takes its time."""
    began = time.monotonic()
    said = read_completion(send(answer_call(settings, "how was Q4?", PAPERS)))
    assert time.monotonic() - began >= CHAT_SECONDS - 0.002
    assert said.startswith("Revenue in Q4 rose by 18 percent.")
    assert read_completion(send(answer_call(settings, "how was Q4?", PAPERS))) == said
    assert read_completion(send(answer_call(settings, "how many days of holiday?", PAPERS))).startswith("Everybody has 28 days")


@pytest.mark.parametrize(("query", "papers"), [("how was Q4?", []), ("zzz", PAPERS)])
def test_an_answer_that_no_document_holds(settings: Settings, query: str, papers: list[FoundDocument]) -> None:
    """What does not stand in the documents is not answered; the instruction beside them is none."""
    assert read_completion(send(answer_call(settings, query, papers))) == NOTHING


MESSAGES = [{"role": "user", "content": "x"}]
NO_MESSAGES: list[object] = [None, [], "x", [{}], [{"role": "user"}], [{"role": "user", "content": 1}]]


@pytest.mark.parametrize(
    "wrong",
    [*({"messages": wrong} for wrong in NO_MESSAGES), {"messages": MESSAGES, "stream_options": {"include_usage": True}}],
)
def test_a_bad_chat_request(settings: Settings, wrong: dict[str, object]) -> None:
    """What OpenAI refuses is refused with its status, and names what is wrong."""
    status, answer = post(f"{settings.openai_url}/chat/completions", {"model": CHAT_MODEL, **wrong})
    assert status == 400
    assert answer["error"]["param"] in wrong


def test_a_stream_is_sent_word_by_word(upstreams: Upstreams, settings: Settings) -> None:
    """A stream brings the words of the whole answer, spread over its time, each after the witness noted that it was sent."""
    call = answer_stream_call(settings, "how was Q4?", PAPERS)
    request = urllib.request.Request(call.url, json.dumps(call.body).encode(), dict(call.headers))  # noqa: S310 - our own
    reader, arrived = StreamReader(), []
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - our own
        assert response.headers["Content-Type"].startswith("text/event-stream")
        while piece := response.read1():
            arrived += [(token, time.monotonic()) for token in reader.feed(piece)]
    reader.end()
    seen = upstreams.calls(upstreams.last_call() - 1)[0]
    assert [token for token, _ in arrived] == [token for token, _ in seen.answered["tokens"]]
    assert "".join(token for token, _ in arrived) == seen.answered["text"]
    assert all(there >= sent for (_, there), (_, sent) in zip(arrived, seen.answered["tokens"], strict=True))
    pace = CHAT_SECONDS / len(arrived)
    assert seen.answered["tokens"][0][1] - seen.start >= pace - 0.002
    assert seen.answered["tokens"][-1][1] - seen.start >= CHAT_SECONDS - 0.002
    assert seen.status == 200
    assert not seen.broken_off


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


def test_models_can_be_chosen() -> None:
    """The models are settings, with defaults where they are not set or empty."""
    default, chosen = (
        from_environment({**BASE, "OPENAI_CHAT_MODEL": ""}),
        from_environment({**BASE, "OPENAI_CHAT_MODEL": "gpt-x"}),
    )
    assert default is not None
    assert chosen is not None
    assert (default.chat_model, chosen.chat_model) == (CHAT_MODEL, "gpt-x")
    assert answer_call(chosen, "x", []).body["model"] == "gpt-x"


def test_a_key_alone_does_not_call_real_services() -> None:
    """Without CHROMA_URL the embedded upstreams are wanted, whatever else is set; and a key is not shown."""
    assert from_environment({"OPENAI_API_KEY": "secret"}) is None
    assert "secret" not in repr(from_environment(BASE))
    assert "secret" not in repr(answer_call(Settings("http://x", "http://x", "secret"), "x", []))


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

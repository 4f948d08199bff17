"""Searches in a real Chroma server. What it should have found, it is asked itself, with the embedding that the witness saw."""

import contextlib
import json
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from shared.lab.causes import Cause
from shared.lab.experiment import Answer, Observation, run
from shared.lab.finding import Finding, sure
from shared.lab.places import GET_ANSWER, GET_EMBEDDING, LIFESPAN, SEARCH_DOCUMENTS, STREAM_ANSWER
from shared.lab.refusal import refused
from shared.lab.rules import broken
from shared.lab.server import Server
from shared.lab.stream import events
from shared.lab.upstream import most_at_once
from shared.lab.variants import Variant
from shared.lab.verdict import judge, prove
from shared.lesson.collection import with_collection
from shared.lesson.settings import from_environment
from shared.lesson.upstreams import read_titles, search_call
from tests.chroma.conftest import upstreams_with
from tests.chroma_server import free_port, run_index, serving_chroma

# These need no witness of the vector database, and so hold here as they stand.
from tests.test_search import (
    MANY,
    QUERIES,
    search,
    test_a_second_search_is_served_while_the_first_waits,
    test_console_names_both_steps,
)
from tests.trouble import SEARCH, STREAM, WITH_ANSWER

__all__ = ["test_a_second_search_is_served_while_the_first_waits", "test_console_names_both_steps"]


def found_by_chroma(server: Server, embedding: Sequence[float]) -> list[str]:
    """Ask Chroma itself for the titles of the documents nearest to an embedding."""
    settings = from_environment(server.upstreams.environment())
    assert settings
    call = search_call(with_collection(settings), embedding)
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(call.url, json.dumps(call.body).encode(), headers)  # noqa: S310 - our own
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - our own
        return read_titles(json.load(response))


def wrong_answer(server: Server, answer: Answer, seen: Observation, query: str) -> list[Finding]:
    """Find what is wrong with the answer to a query, given what the embeddings service answered and Chroma finds for it."""
    asked, body = f"a search for {query!r}", json.loads(answer.body)
    embeddings = [call for call in seen.calls if call.service == "embeddings" and call.sent.get("input") == query]
    if len(embeddings) != 1:
        return sure(Cause.WRONG_CALL, f"for {asked} the embeddings service was asked {len(embeddings)} times, and not once")
    titles = [{"title": title} for title in found_by_chroma(server, embeddings[0].answered)]
    if body["query"] != query or body["results"] != titles:
        return sure(
            Cause.WRONG_ANSWER,
            f"{asked} answered {body['query']!r} with {body['results']}; Chroma finds {titles}",
            SEARCH_DOCUMENTS,
        )
    return []


def test_search_finds_what_chroma_finds(server: Server) -> None:
    """Two searches at once find what Chroma finds, each its own, and first the title that a person would look for."""
    seen = run(server, [search(query) for query in QUERIES])
    judge(server, seen, broken(seen))
    for answer, (query, title) in zip(seen.answers, QUERIES.items(), strict=True):
        judge(server, seen, wrong_answer(server, answer, seen, query))
        first = json.loads(answer.body)["results"][0]["title"]
        if not first.startswith(title):
            judge(server, seen, sure(Cause.WRONG_ANSWER, f"a search for {query!r} found first {first!r}, and not {title!r}"))
    others = {call.service for call in seen.calls} - {"embeddings"}
    if others:
        judge(
            server,
            seen,
            sure(Cause.WRONG_CALL, f"with CHROMA_URL set, embedded services were called too: {others}", SEARCH_DOCUMENTS),
        )


def ungrounded(server: Server, seen: Observation) -> list[Finding]:
    """Find what is wrong with the calls of one answered question: the model is asked once, with what Chroma found and holds."""
    services = [call.service for call in seen.calls]
    if services != ["embeddings", "chat"]:
        return sure(Cause.WRONG_CALL, f"one question called {', '.join(services) or 'nothing'}, and not embeddings, chat")
    embedding, chat = seen.calls
    before = "".join(str(message["content"]) for message in chat.sent["messages"][:-1])
    missing = [title for title in found_by_chroma(server, embedding.answered) if title not in before]
    if missing or "9 million" not in before:
        what = f"the document {missing[0]!r}" if missing else "what stands in the documents"
        return sure(Cause.WRONG_CALL, f"the language model was asked without {what}", SEARCH_DOCUMENTS)
    return []


def test_an_answer_from_what_chroma_finds(server: Server) -> None:
    """With `answer=true` the model answers from the documents that Chroma found, and what it says is passed on."""
    seen = run(server, [WITH_ANSWER])
    judge(server, seen, broken(seen))
    judge(server, seen, wrong_answer(server, seen.answers[0], seen, "budget"))
    judge(server, seen, ungrounded(server, seen))
    got, said = json.loads(seen.answers[0].body).get("answer"), seen.calls[-1].answered["text"]
    if got != said:
        judge(server, seen, sure(Cause.WRONG_ANSWER, f"the answer is {got!r}; the model said {said!r}", GET_ANSWER))


def test_a_stream_from_what_chroma_finds(server: Server) -> None:
    """A stream tells first what Chroma found, and then what the model says of it."""
    seen = run(server, [STREAM])
    judge(server, seen, broken(seen))
    judge(server, seen, ungrounded(server, seen))
    first, *tokens, _ = events(seen.answers[0])
    titles = [{"title": title} for title in found_by_chroma(server, seen.calls[0].answered)]
    if first.data["results"] != titles:
        sentence = f"the first event has the documents {first.data['results']}, and Chroma finds {titles}"
        judge(server, seen, sure(Cause.WRONG_ANSWER, sentence, STREAM_ANSWER))
    got, said = "".join(token.data["text"] for token in tokens), seen.calls[-1].answered["text"]
    if got != said:
        judge(server, seen, sure(Cause.WRONG_ANSWER, f"the client was told {got!r}; the model said {said!r}", STREAM_ANSWER))


def test_many_searches_at_once(server: Server) -> None:
    """Forty searches at once are embedded together, and each finds its own."""
    queries = [f"{query} {number}" for number in range(MANY // 2) for query in QUERIES]

    def check(seen: Observation) -> list[Finding]:
        for answer, query in zip(seen.answers, queries, strict=True):
            if findings := wrong_answer(server, answer, seen, query):
                return findings
        # Right: all, or nearly so on a busy machine. Nearest wrong: half of them, as pools of connections often have.
        if (most := most_at_once(seen.calls)) <= MANY / 2:
            sentence = f"of {MANY} searches at once at most {most} were embedded at the same time"
            return [Finding(Cause.LIMITED, sentence, places=(GET_EMBEDDING,))]
        return []

    prove(server, "together", lambda _: [search(query) for query in queries], check)


def connections(server: Server) -> set[int]:
    """Return the ports at the server's ends of its connections to Chroma: a new connection gets a new one."""
    port = urlsplit(server.upstreams.environment()["CHROMA_URL"]).port
    found = psutil.Process(server.process.pid).net_connections("tcp")
    connected = [one for one in found if one.status == psutil.CONN_ESTABLISHED]
    return {one.laddr.port for one in connected if getattr(one.raddr, "port", None) == port}


def test_a_search_opens_no_new_connection(server: Server) -> None:
    """Chroma is asked over a connection that is kept, and not over a new one for each search."""
    run(server, [SEARCH])
    before = connections(server)
    seen = run(server, [SEARCH])
    judge(server, seen, broken(seen))
    after = connections(server)
    if not before & after or after - before:
        sentence = f"after one search there were connections to Chroma from the ports {before}, and after another from {after}"
        judge(server, seen, sure(Cause.CLIENT_PER_REQUEST, sentence, LIFESPAN))


def test_an_embedding_of_another_length(server: Server) -> None:
    """Chroma refuses a vector that is not as long as its own; that is a 502, and the next search is right."""
    server.upstreams.misbehave("embeddings", "answer", body='{"data": [{"embedding": [0.25, -1, 3]}]}')
    seen = run(server, [SEARCH])
    judge(server, seen, refused(seen.answers[0], 502, "The vector database answered with the status 400."))
    if server.upstreams.environment()["OPENAI_API_KEY"] in server.log() + str(seen.answers):
        judge(server, seen, sure(Cause.TELLS_SECRETS, "the console or an answer shows the key of the embeddings service"))
    seen = run(server, [SEARCH])
    judge(server, seen, broken(seen))


def test_chroma_is_gone_and_comes_back(subject: Variant, chroma_program: Path, tmp_path: Path) -> None:
    """While no Chroma runs, a search is a 502 that says so; when it runs again, the next search is right."""
    port = free_port()
    with contextlib.ExitStack() as stack:
        with serving_chroma(chroma_program, tmp_path, port) as url:
            upstreams = stack.enter_context(upstreams_with(url))
            assert run_index(upstreams.environment()).returncode == 0
            server = stack.enter_context(Server(subject, upstreams))
            seen = run(server, [SEARCH])
            judge(server, seen, broken(seen))
        for _ in range(2):
            seen = run(server, [SEARCH])
            judge(server, seen, refused(seen.answers[0], 502, "The vector database"))
        with serving_chroma(chroma_program, tmp_path, port):
            seen = run(server, [SEARCH])
            judge(server, seen, broken(seen))

"""A search that calls two services: `search.py`. The evidence is what the services saw."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote_plus

import pytest

from shared.lab import checks
from shared.lab.causes import Cause
from shared.lab.experiment import Answer, Ask, Observation, run
from shared.lab.finding import EARLY, Finding, sure
from shared.lab.places import (
    CALL_UPSTREAM,
    CALL_WORK,
    GET_ANSWER,
    GET_EMBEDDING,
    OPEN_CLIENT,
    SEARCH_DEMO,
    SEARCH_DOCUMENTS,
    STREAM_ANSWER,
)
from shared.lab.rules import IN_WORDS, broken
from shared.lab.server import Server
from shared.lab.stream import events
from shared.lab.tries import first_good
from shared.lab.upstream import Call, most_at_once
from shared.lab.verdict import judge, prove
from shared.lesson.settings import EMBEDDING_MODEL
from shared.lesson.upstreams import MAX_IDLE
from shared.upstream.answers import NOTHING
from shared.upstream.services import EMBEDDING_SECONDS, QUERY_SECONDS
from tests.conftest import keep
from tests.trouble import CALLED, SEARCH, SERVICES, STREAM, TASK, WITH_ANSWER

SEARCH_SECONDS = EMBEDDING_SECONDS + QUERY_SECONDS
TRIES = (SEARCH_SECONDS, SEARCH_SECONDS, 0.8, 1.6, 3.2)
"""How long a search takes in each try, in seconds: the services are told to be slower, well within a call's deadline here."""
QUERIES = {"Q4 report": "Q4 report", "budget": "Budget"}
MANY = 40
SOME, FEW = 25, 5
"""Searches that come together, and connections that noise may cost them."""

KEPT_TRIES = (0.8, 0.8, 1.6, 1.6, 2.4)
"""How long they take in each try, in seconds."""


def search(query: str, after: float = 0) -> Ask:
    """Return the request that searches for a query."""
    return Ask(f"/search-demo?query={quote_plus(query)}", "POST", after)


def slower(server: Server, seconds: float, asks: list[Ask]) -> list[Ask]:
    """Tell the services to take so long for a search, in seconds in all and each half of what is more; return the requests."""
    server.upstreams.behave()
    if more := seconds - SEARCH_SECONDS:
        for service in ("embeddings", "query"):
            server.upstreams.misbehave(service, "slow", count=len(asks), seconds=more / 2)
    return asks


def took(seen: Observation, service: str) -> float:
    """Return how long a service took at the least, in seconds."""
    return min((call.end - call.start for call in seen.calls if call.service == service and call.end), default=0.0)


def right_answer(answer: Answer, seen: Observation, query: str) -> list[Finding]:
    """Find what is wrong with the answer to a query, given what the services were asked and answered meanwhile."""
    body = json.loads(answer.body)
    asked = f"a search for {query!r}"
    if body.keys() != {"query", "embedding_length", "results", "elapsed_ms"}:
        return sure(Cause.WRONG_ANSWER, f"{asked} was answered with {', '.join(body)}")
    if body["query"] != query:
        others = [other.ask.path for other in seen.answers if other is not answer]
        mixed_up = Cause.SHARED_STATE if search(str(body["query"])).path in others else Cause.WRONG_ANSWER
        return sure(mixed_up, f"{asked} was answered with the query {body['query']!r}")
    embeddings = [call for call in seen.calls if call.service == "embeddings" and call.sent.get("input") == query]
    vectors = [call.answered for call in embeddings]
    finds = [call for call in seen.calls if call.service == "query" and call.sent.get("query_embeddings", [None])[0] in vectors]
    if not embeddings or not finds:
        missing = ("embeddings service", GET_EMBEDDING) if not embeddings else ("vector database", SEARCH_DOCUMENTS)
        return sure(Cause.WRONG_CALL, f"for {asked} the {missing[0]} was not asked with what it should be asked", missing[1])
    titles = [{"title": title} for title in finds[0].answered[0]]
    if body["results"] != titles or not titles:
        everything = [call.answered[0] for call in seen.calls if call.service == "query" and call.answered]
        everything = [found for found in everything if found != finds[0].answered[0]]  # A part of its own is nobody else's.
        theirs = any([result.get("title") for result in body["results"]] == found[: len(body["results"])] for found in everything)
        cause = Cause.SHARED_STATE if theirs and titles else Cause.WRONG_ANSWER
        return sure(cause, f"{asked} found {body['results']}, and the vector database had answered {titles}")
    if body["embedding_length"] != len(embeddings[0].answered):
        sentence = f"{asked} gives an embedding_length of {body['embedding_length']}; it was {len(embeddings[0].answered)}"
        return sure(Cause.WRONG_ANSWER, sentence)
    return []


def test_search_finds_what_a_person_expects(server: Server) -> None:
    """Two searches at once find the title that a person would look for, each its own."""
    seen = run(server, [search(query) for query in QUERIES])
    judge(server, seen, broken(seen))
    for answer, (query, title) in zip(seen.answers, QUERIES.items(), strict=True):
        judge(server, seen, right_answer(answer, seen, query))
        first = json.loads(answer.body)["results"][0]["title"]
        if not first.startswith(title):
            judge(server, seen, sure(Cause.WRONG_ANSWER, f"a search for {query!r} found first {first!r}, and not {title!r}"))


def test_search_calls_each_service_once_and_in_order(server: Server) -> None:
    """The embedding is asked for once, with the key; the vector database once it has arrived, with that embedding."""
    seen = run(server, [search("Q4 report")])
    judge(server, seen, broken(seen))
    judge(server, seen, wrong_calls(seen.calls))
    if "documents" in seen.calls[1].sent.get("include", []):
        sentence = "the search asks for the texts of what is found, and nobody reads them"
        judge(server, seen, sure(Cause.WRONG_CALL, sentence, SEARCH_DOCUMENTS))
    judge(server, seen, untold(seen.answers[0], seen.calls))


def wrong_calls(calls: Sequence[Call]) -> list[Finding]:
    """Find what is wrong with the calls that one search made."""
    services = [call.service for call in calls]
    if services != ["embeddings", "query"]:
        return sure(Cause.WRONG_CALL, f"one search called {', '.join(services) or 'nothing'}, and not embeddings, then query")
    embedding, find = calls
    if (embedding.sent.get("input"), embedding.sent.get("model")) != ("Q4 report", EMBEDDING_MODEL):
        return sure(
            Cause.WRONG_CALL, f"the embeddings service was asked {embedding.sent}, and not for 'Q4 report'", GET_EMBEDDING
        )
    for call, right in ((embedding, "Bearer not-a-secret"), (find, None)):
        if (got := call.headers.get("authorization")) != right:  # The key is for the one that it is the key of.
            cause = Cause.WRONG_CALL if right else Cause.TELLS_SECRETS
            return sure(
                cause,
                f"the {call.service} service got the authorization {got!r}",
                GET_EMBEDDING if right else SEARCH_DOCUMENTS,
                OPEN_CLIENT,
                CALL_UPSTREAM,
            )
    if embedding.end is None or find.start < embedding.end:
        return sure(Cause.WRONG_CALL, "the vector database was asked before the embedding had arrived", SEARCH_DEMO)
    if find.sent["query_embeddings"] != [embedding.answered]:
        return sure(Cause.WRONG_CALL, "the search does not carry the embedding that had arrived", SEARCH_DOCUMENTS)
    return []


def untold(answer: Answer, calls: Sequence[Call]) -> list[Finding]:
    """Find that `Server-Timing` says less of a call than the service saw."""
    for operation, call in zip(answer.operations, calls, strict=True):
        told, took = operation.end - operation.start, (call.end or call.start) - call.start
        if told < took - EARLY:
            sentence = f"Server-Timing says that {operation.name} took {told:.3f} s, and the service worked for {took:.3f} s"
            return sure(Cause.FALSE_REPORT, sentence, GET_EMBEDDING if operation.name == "embedding" else SEARCH_DOCUMENTS)
    return []


@pytest.mark.parametrize("vector", [[0.25, -1, 3], [number / 8 for number in range(3_000)]], ids=len)
def test_whatever_the_services_answer_is_passed_on(server: Server, vector: list[float]) -> None:
    """An embedding of another length is carried as it is, and the titles are those of the vector database."""
    server.upstreams.misbehave("embeddings", "answer", body=json.dumps({"data": [{"embedding": vector}]}))
    server.upstreams.misbehave("query", "answer", body='{"metadatas": [[{"title": "One"}, {"title": "Two"}]]}')
    seen = run(server, [search("budget")])
    judge(server, seen, broken(seen))
    sent = seen.calls[-1].sent.get("query_embeddings")
    if sent != [vector]:
        sentence = f"the embedding was {str(vector)[:40]}, {len(vector)} numbers, and the vector database was asked for"
        judge(
            server,
            seen,
            sure(Cause.WRONG_CALL, f"{sentence} {str(sent)[:40]}, {len((sent or [[]])[0])} numbers", SEARCH_DOCUMENTS),
        )
    body = json.loads(seen.answers[0].body)
    if (body["embedding_length"], body["results"]) != (len(vector), [{"title": "One"}, {"title": "Two"}]):
        sentence = f"for an embedding of length {len(vector)} and the titles One and Two the answer is"
        judge(server, seen, sure(Cause.WRONG_ANSWER, f"{sentence} {seen.answers[0].body[:120]!r}"))


FOUND = (("Prices <2026> & more", "A long paper. " * 400), ("The same title", "One of two."), ("The same title", "Two of two."))
"""Titles and texts of documents: one is long, and two have one title."""


def test_whatever_is_found_is_handed_on(server: Server) -> None:
    """Each document that is found is told, and handed to the model as a whole, however long it is, and whatever its title."""
    titles, texts = [{"title": title} for title, _ in FOUND], [text for _, text in FOUND]
    server.upstreams.misbehave("query", "answer", 2, body=json.dumps({"metadatas": [titles], "documents": [texts]}))
    seen = run(server, [WITH_ANSWER, STREAM])
    judge(server, seen, broken(seen))
    with_answer, stream = seen.answers
    for answer, results in ((with_answer, json.loads(with_answer.body)["results"]), (stream, events(stream)[0].data["results"])):
        if results != titles:
            sentence = f"the vector database found {titles}, and the client was told {results}"
            judge(server, seen, [replace(*sure(Cause.WRONG_ANSWER, sentence, SEARCH_DOCUMENTS), ask=answer.ask)])
    for call in seen.calls:
        handed = str(call.sent["messages"][0]["content"]) if call.service == "chat" else ""
        if handed and (missing := next((text for text in texts if text not in handed), None)):
            sentence = f"a document of {len(missing):,} characters was found, {missing[:14]!r} and so on, and the model was not"
            place = STREAM_ANSWER if call.sent.get("stream") else GET_ANSWER
            judge(server, seen, sure(Cause.WRONG_CALL, f"{sentence} given it as a whole", place, SEARCH_DOCUMENTS))


def test_nothing_may_be_found(server: Server) -> None:
    """A vector database that finds nothing is no failure: the answer has no titles, and the model is asked all the same."""
    server.upstreams.misbehave("query", "answer", 3, body='{"metadatas": [[]], "documents": [[]]}')
    asks = [search("budget"), WITH_ANSWER, STREAM]
    seen = run(server, asks)
    plain, with_answer, stream = seen.answers
    judge(server, seen, broken(seen, IN_WORDS))
    for answer in (plain, with_answer):
        if (found := json.loads(answer.body).get("results")) != []:
            judge(server, seen, sure(Cause.WRONG_ANSWER, f"nothing was found, and the answer has the results {found}"))
    said = json.loads(with_answer.body).get("answer")
    told = "".join(str(event.data.get("text")) for event in events(stream) if event.name == "token")
    for answer, got in ((with_answer, said), (stream, told)):
        if got != NOTHING:
            sentence = f"nothing was found for {answer.ask.path}, the model says {NOTHING!r} to that, and the client got {got!r}"
            judge(server, seen, [replace(*sure(Cause.WRONG_ANSWER, sentence), ask=answer.ask)])
    judge(server, seen, broken(seen))


def test_a_second_search_is_served_while_the_first_waits(server: Server) -> None:
    """'budget' arrives while 'Q4 report' waits for its embedding; both take their own time, and /ping is free."""

    def check(seen: Observation) -> list[Finding]:
        if blocked := checks.holds_the_loop(seen, took(seen, "embeddings")):
            return blocked
        embeddings = [call for call in seen.calls if call.service == "embeddings"]
        due = took(seen, "embeddings") + took(seen, "query")
        if embeddings[1].start >= (embeddings[0].end or 0):
            return [
                Finding(
                    Cause.LIMITED, "'budget' was not embedded while 'Q4 report' waited for its embedding", places=(GET_EMBEDDING,)
                )
            ]
        slowest = max(answer.seconds for answer in seen.answers)
        if slowest >= 1.5 * due:
            sentence = f"of two searches, one begun while the other waited, one took {slowest:.2f} s; {due:.2f} are right"
            both_late = min(answer.seconds for answer in seen.answers) >= 1.5 * due
            return [Finding(Cause.TOO_SLOW if both_late else Cause.LIMITED, sentence)]
        return []

    asks = [search("Q4 report"), search("budget", after=EMBEDDING_SECONDS / 2)]
    verdict = prove(server, "together", lambda seconds: slower(server, seconds, asks), check, TRIES)
    keep(server, "/search-demo, then another", verdict)


def test_many_searches_take_about_one(server: Server) -> None:
    """Forty searches at once take about as long as one, and the embeddings service sees all forty at once."""

    def check(seen: Observation) -> list[Finding]:
        wrong = [f for answer, query in zip(seen.answers, queries, strict=True) for f in right_answer(answer, seen, query)]
        if wrong:
            return wrong
        most = {
            service: most_at_once(call for call in seen.calls if call.service == service) for service in ("embeddings", "query")
        }
        embedding, query = took(seen, "embeddings"), took(seen, "query")
        # Right: one search, and the work on forty answers. Nearest wrong that embeds together: forty queries one after another.
        if most["embeddings"] == MANY and seen.seconds < embedding + (1 + MANY) * query / 2:
            return []
        sentence = (
            f"{MANY} searches at once took {seen.seconds:.2f} s: {embedding + query:.2f} are right; at once the embeddings "
            f"service saw at most {most['embeddings']}, and the vector database {most['query']}"
        )
        if most["embeddings"] == 1 and (blocked := checks.holds_the_loop(seen, embedding)):
            return blocked
        alone = most["embeddings"] == 1  # That no two of forty ever met is no noise.
        places = (GET_EMBEDDING, OPEN_CLIENT) if most["embeddings"] < MANY else (SEARCH_DOCUMENTS, OPEN_CLIENT)
        return [Finding(Cause.LIMITED, sentence, certain=alone, places=places)]

    queries = [f"{query} {number}" for number in range(MANY // 2) for query in QUERIES]
    asks = [search(query) for query in queries]
    keep(server, f"/search-demo x {MANY}", prove(server, "together", lambda seconds: slower(server, seconds, asks), check, TRIES))


@pytest.mark.parametrize("ask", [SEARCH, WITH_ANSWER, TASK], ids=["search", "answer", "work"])
def test_one_client_for_the_whole_server(server: Server, ask: Ask) -> None:
    """A request soon after another opens no connection: the client is opened once, and not once a request.

    The connection on which a stream came may be lost with it, for it is left when the model has said that it is done.
    """
    first = run(server, [ask])
    judge(server, first, broken(first))
    earlier = server.upstreams.calls(after=0)
    for _ in range(2):
        known, last = {call.peer for call in earlier}, {call.service: call.end or math.inf for call in earlier}
        seen = run(server, [ask])
        judge(server, seen, broken(seen))
        # On a busy machine a pool may have closed meanwhile what had been unused for long.
        new = [call for call in seen.calls if call.peer not in known and call.start - last[call.service] < MAX_IDLE / 2]
        if new:
            services = " and ".join(call.service for call in new)
            sentence = f"{ask.method} {ask.endpoint.path} after others opened {len(new)} new connections, to {services}"
            places = (CALL_WORK,) if ask is TASK else (OPEN_CLIENT, CALLED[new[0].service])
            judge(server, seen, [replace(*sure(Cause.CLIENT_PER_REQUEST, sentence, *places), ask=ask)])
        earlier += seen.calls


def test_as_many_connections_are_kept_as_were_used(server: Server) -> None:
    """Searches that come together soon after as many others open no connections: what those had used is kept for the next."""

    def once(seconds: float) -> tuple[Observation, bool, list[Finding]]:
        first, second = (run(server, slower(server, seconds, [search("budget")] * SOME)) for _ in range(2))
        earlier = server.upstreams.calls(after=0)[: -len(second.calls)]
        findings = broken(first) or broken(second) or opened(first, second, earlier)
        # Where a busy machine let few of them meet, few connections were needed; where it was late, they may have been closed.
        shown = min(map(met, (first, second))) > SOME - FEW and unused(first, second) < MAX_IDLE / 2
        return first if broken(first) else second, shown, findings

    seen, _, findings = first_good(KEPT_TRIES, once, lambda got: got[2][0].certain if got[2] else got[1])
    judge(server, seen, findings)


def unused(first: Observation, second: Observation) -> float:
    """Return for how many seconds the connections of the first requests were unused when the second called, at the most."""
    calls = [[[call for call in seen.calls if call.service == service] for seen in (first, second)] for service in SERVICES[:2]]
    return max(
        min((call.start for call in now), default=math.inf) - max((call.end or math.inf for call in before), default=0.0)
        for before, now in calls
    )


def met(seen: Observation) -> int:
    """Return how many calls of either service were open at once."""
    return min(most_at_once(call for call in seen.calls if call.service == service) for service in ("embeddings", "query"))


def opened(first: Observation, second: Observation, earlier: Sequence[Call]) -> list[Finding]:
    """Find that searches opened connections to a service that had as many already as they need."""
    known = {call.peer for call in earlier}
    for service in ("embeddings", "query"):
        before, now = ([call for call in seen.calls if call.service == service] for seen in (first, second))
        used = len({call.peer for call in before})
        new = len({call.peer for call in now} - known)
        # Right: as many as are needed besides. Wrong: nearly all, where a pool keeps a few alone.
        if new > max(0, most_at_once(now) - used) + FEW and unused(first, second) < MAX_IDLE / 2:
            sentence = f"{SOME} searches at once had {used} connections to the {service} service, and as many right after them"
            return [Finding(Cause.CLIENT_PER_REQUEST, f"{sentence} opened {new} new ones", places=(OPEN_CLIENT,))]
    return []


def test_console_names_both_steps(server: Server) -> None:
    """The console shows the embedding, then the search, and nothing of what was searched for."""
    seen = run(server, [search("a confidential matter")])
    judge(server, seen, broken(seen, IN_WORDS))
    expected = [f"[ASYNC] {what} {step}" for step in ("embedding", "search") for what in ("Starting", "Finished")]
    for secret, what in (("confidential", "query"), ("not-a-secret", "key")):
        if any(secret in line for line in seen.printed):
            judge(server, seen, sure(Cause.TELLS_SECRETS, f"the console shows the {what}: {seen.printed}"))
    # A warning of Python's, and the line of code beneath it, are for others to tell.
    shown = [line for line in seen.printed if "Warning: " not in line and not line.startswith("  ")]
    if shown != expected:
        judge(server, seen, sure(Cause.FALSE_REPORT, f"for a search the console shows {shown}, and not {expected}"))

"""A search that calls two services: `search.py`. The evidence is what the services saw."""

import json

import pytest

from shared.lab import verdict
from shared.lab.experiment import Ask, Observation, run
from shared.lab.server import Server
from shared.lab.verdict import Finding, prove
from shared.upstream.services import EMBEDDING_SECONDS, QUERY_SECONDS
from tests.conftest import keep_verdict

SEARCH_SECONDS = EMBEDDING_SECONDS + QUERY_SECONDS
TRIES = [SEARCH_SECONDS] * 5  # The services take what they take, so later tries cannot wait longer: there are more of them.


def search(query: str, after: float = 0) -> Ask:
    """Return the request that searches for a query."""
    return Ask(f"/search-demo?query={query}", "POST", after)


def test_search_finds_what_a_person_expects(server: Server) -> None:
    """The first title is the one a person would look for, and the answer has the contract's shape."""
    expected = {"Q4+report": "Q4 report", "budget": "Budget"}
    for answer, (query, title) in zip(run(server, [search(q) for q in expected]).answers, expected.items(), strict=True):
        body = json.loads(answer.body)
        assert (body["query"], body["embedding_length"]) == (query.replace("+", " "), 1536)
        assert body["results"][0]["title"].startswith(title)
        assert all(result.keys() == {"title"} for result in body["results"])
        elapsed = int(body["elapsed_ms"].removesuffix("ms")) / 1000
        assert SEARCH_SECONDS - 0.01 <= elapsed <= answer.seconds + 0.001, "elapsed_ms is not what was seen from outside"


def test_search_starts_after_its_embedding_and_carries_it(server: Server) -> None:
    """The vector database is asked once the embedding has arrived, with that embedding."""
    first, second = run(server, [search("Q4+report")]).calls
    assert (first.service, second.service) == ("embeddings", "query")
    assert first.sent["input"] == "Q4 report"
    assert first.end is not None
    assert second.start >= first.end, "the vector database was asked before the embedding had arrived"
    assert second.sent["query_embeddings"] == [pytest.approx(first.answered)], "the search does not carry the embedding"


def test_a_second_search_is_served_while_the_first_waits(server: Server) -> None:
    """'budget' arrives while 'Q4 report' waits for its embedding; both take their own time, and /ping is free."""

    def two(_: float) -> Observation:
        return run(server, [search("Q4+report"), search("budget", after=EMBEDDING_SECONDS / 2)], ping=True)

    def check(seen: Observation, _: float) -> list[Finding]:
        embeddings = [call for call in seen.calls if call.service == "embeddings"]
        if embeddings[1].start >= (embeddings[0].end or 0):
            sentence = "'budget' was not embedded while 'Q4 report' waited"
            return [Finding("one after another", sentence, "a lock, a limit or a blocking call makes searches take turns")]
        if any(answer.seconds >= 1.5 * SEARCH_SECONDS for answer in seen.answers):
            return [Finding("too slow", "a search waited for another", "they share something that only one can hold")]
        return [] if seen.slowest_ping < EMBEDDING_SECONDS / 2 else verdict.frees(seen, EMBEDDING_SECONDS)

    keep_verdict(server, "/search-demo, then another", prove(two, check, "together", server.variant.name, TRIES))


def test_twenty_searches_take_about_one(server: Server) -> None:
    """Twenty searches at once take about as long as one, and the services see all twenty at once."""

    def twenty(_: float) -> Observation:
        return run(server, [search("budget")] * 20, ping=True)

    def check(seen: Observation, _: float) -> list[Finding]:
        at_once = max(call.at_once for call in seen.calls)
        if at_once < 15:  # Right: twenty. Nearest wrong that is still fast: pools of ten.
            return [
                Finding("limited", f"of 20 searches at once, the services saw {at_once}", "a limit or a lock holds some back")
            ]
        # Right: one search. Nearest wrong that embeds together: twenty queries one after another.
        return verdict.frees(seen, SEARCH_SECONDS, bound=(SEARCH_SECONDS + EMBEDDING_SECONDS + 20 * QUERY_SECONDS) / 2)

    keep_verdict(server, "/search-demo x 20", prove(twenty, check, "together", server.variant.name, TRIES))


def test_one_client_for_the_whole_server(server: Server) -> None:
    """Searches after the first open no connection: the client is opened once, and not once a request."""
    run(server, [search("budget")])
    known = {call.peer for call in server.upstreams.calls(after=0)}
    calls = [call for _ in range(2) for call in run(server, [search("budget")]).calls]
    new = [call.service for call in calls if call.peer not in known]
    message = f"two more searches opened {len(new)} new connections ({', '.join(new)}): is a client opened for each request?"
    assert not new, message


def test_console_names_both_steps(server: Server) -> None:
    """The console shows the embedding, then the search."""
    printed = run(server, [search("budget")]).printed.splitlines()
    expected = [f"[ASYNC] {what} {step}" for step in ("embedding", "search") for what in ("Starting", "Finished")]
    assert printed == expected

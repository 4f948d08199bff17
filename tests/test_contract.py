"""The HTTP contract: what serves, limits, and what bad input is answered with."""

import contextlib
import importlib.metadata
import json
import platform
from dataclasses import replace
from urllib.parse import quote

import pytest

from shared.lab.causes import Cause
from shared.lab.experiment import Ask, run
from shared.lab.finding import sure
from shared.lab.places import GET_ANSWER, GET_EMBEDDING, HANDLE_ERROR, STREAM_ANSWER
from shared.lab.refusal import refused
from shared.lab.rules import broken
from shared.lab.server import Server
from shared.lab.stream import events
from shared.lab.variants import Variant, groups
from shared.lab.verdict import accuse, judge
from shared.lesson import limits
from shared.lesson.contract import ENDPOINTS, REQUESTS, Endpoint
from tests.background import DEFAULTS, Aside, work_asked_for

WAITING = [endpoint for endpoint in ENDPOINTS if endpoint.seconds is not None]
SEARCHING = [endpoint for endpoint in ENDPOINTS if endpoint.module in {"search", "answers"}]
BAD_ANSWERS = [
    *("", "maybe", "2", "null", "truefalse", "%00"),
    *("1", "0", "yes", "no", "on", "off", "t", "y", "True", "FALSE", "true+"),
]
LIMITED = [endpoint for endpoint in ENDPOINTS if endpoint.parameters]
BAD_SECONDS = ["", "three", "nan", "inf", "-inf", "-0.1", "10.01", "1e999", "0x1", "1,5", "%00", "%FF"]
BAD_COUNTS = ["", "three", "0", "-1", "51", "1.5", "nan", "inf", "1e999", "0x1", "1,5", "%00", "%FF"]
BAD_KILOBYTES = [bad for bad in BAD_COUNTS if bad not in {"0", "51"}] + ["1025"]
BAD_NS = [bad for bad in BAD_COUNTS if bad != "51"] + ["2000001"]
BAD = {"seconds": BAD_SECONDS, "limit": BAD_SECONDS, "tasks": BAD_COUNTS, "at_once": BAD_COUNTS, "kilobytes": BAD_KILOBYTES}
BAD |= {"fails": BAD_ANSWERS, "n": BAD_NS}
BAD_QUERIES = {
    "missing": "",
    "empty": "?query=",
    "bare": "?query",
    "spaces": "?query=+%20%09",
    "too long": f"?query={'x' * 1001}",
}


def test_work_has_its_defaults(subject: Variant, aside: Aside) -> None:
    """Who does not say how long gets the documented time: the service behind is asked for it."""
    for ask, right in DEFAULTS.items():
        if (got := work_asked_for(aside.defaults, ask)) != right:
            sentence = (
                f"{ask.method} {ask.path} had the service work for {sorted(got)} s, and by default {sorted(right)} are right"
            )
            accuse(subject, aside.defaults, [replace(*sure(Cause.WRONG_CALL, sentence), ask=ask)])


def version_of(package: str) -> str:
    """Return the version of an installed package; empty where there is none of that name."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError, ValueError):  # The second for an empty name.
        return importlib.metadata.version(package)
    return ""


def test_home_says_what_serves(server: Server) -> None:
    """`/` names the variant, and framework, event loop and server with their versions, as they are at run time."""
    seen = run(server, [Ask("/")])
    judge(server, seen, broken(seen))
    body = json.loads(seen.answers[0].body)
    if body.keys() != {"variant", "framework", "event_loop", "server", "python"}:
        judge(server, seen, sure(Cause.WRONG_ANSWER, f"/ answered with {', '.join(body)}"))
    expected = {"variant": server.variant.name, "python": platform.python_version()}
    for part in ("framework", "event_loop", "server"):
        name = body[part].partition(" ")[0]
        version = platform.python_version() if name == "asyncio" else version_of(name)
        if not version:
            hint = "; SERVERS in shared/lesson/identity.py names the servers that it can find" if part == "server" else ""
            sentence = f"/ says that its {part} is {body[part]!r}, and no such package is installed{hint}"
            judge(server, seen, sure(Cause.WRONG_ANSWER, sentence))
        expected[part] = f"{server.variant.loop if part == 'event_loop' else name} {version}"
    # A group names the framework first; a variant without one, such as a reader's own, may name any that is installed.
    group = groups().get(server.variant.name, [body["framework"].partition(" ")[0]])
    if body["framework"].partition(" ")[0] != group[0]:
        judge(server, seen, sure(Cause.WRONG_ANSWER, f"/ says that its framework is {body['framework']}, and it is {group[0]}"))
    if wrong := {part: body[part] for part in expected if body[part] != expected[part]}:
        judge(server, seen, sure(Cause.WRONG_ANSWER, f"/ answered {wrong}, and there is {expected}"))


def test_ping(server: Server) -> None:
    """`/ping` answers `{"pong": true}` as JSON, and says nothing of waits."""
    seen = run(server, [Ask("/ping")])
    judge(server, seen, broken(seen))
    if json.loads(seen.answers[0].body) != {"pong": True}:
        judge(server, seen, sure(Cause.WRONG_ANSWER, f"/ping answered {seen.answers[0].body!r}"))


@pytest.mark.parametrize("endpoint", WAITING, ids=lambda endpoint: endpoint.path)
def test_bad_seconds(server: Server, endpoint: Endpoint) -> None:
    """A `seconds` that is no number from 0 to 10 is refused at once, in words that name it and what is allowed."""
    seen = run(server, [Ask(f"{endpoint.path}?seconds={bad}") for bad in BAD_SECONDS])
    place = ((endpoint.module, endpoint.function),)
    for answer in seen.answers:
        findings = refused(answer, 422, "seconds", limits.RULES["seconds"], log="\n".join(seen.printed))
        judge(server, seen, findings)
    if any(line.startswith("[") for line in seen.printed):
        sentence = f"{endpoint.path} printed {seen.printed[0]!r} in spite of a bad parameter"
        judge(server, seen, sure(Cause.UNCHECKED, sentence, *place))


TOO_MUCH = 503
"""What work is answered with that there is no place for."""


@pytest.mark.parametrize("endpoint", LIMITED, ids=lambda endpoint: endpoint.path)
def test_bad_parameters(server: Server, endpoint: Endpoint) -> None:
    """A parameter beyond its limits is refused at once, in words that name it and what is allowed, before anything is begun."""
    asks = [(name, Ask(f"{endpoint.path}?{name}={bad}", endpoint.method)) for name in endpoint.parameters for bad in BAD[name]]
    seen = run(server, [ask for _, ask in asks])
    for (name, _), answer in zip(asks, seen.answers, strict=True):
        if answer.status == TOO_MUCH and endpoint.module == "background":
            sentence = f"{answer.ask.path}, one of {len(asks)} requests with a bad parameter, was answered {TOO_MUCH}"
            sentence = f"{sentence}, and 422 is right: others have taken places, though nothing is begun for them"
            judge(server, seen, sure(Cause.UNCHECKED, sentence, (endpoint.module, endpoint.function)))
        judge(server, seen, refused(answer, 422, name, limits.RULES[name], log="\n".join(seen.printed)))
    if seen.calls or any(line.startswith("[") for line in seen.printed):
        sentence = f"{endpoint.path} began to work in spite of a bad parameter"
        judge(server, seen, sure(Cause.UNCHECKED, sentence, (endpoint.module, endpoint.function)))


EDGES = (
    *(f"/as-completed?tasks=1&seconds=0&kilobytes={edge}" for edge in (0, limits.MAX_KILOBYTES)),
    *(f"/as-completed?tasks={edge}&at_once={edge}&seconds=0" for edge in (limits.MIN_TASKS, limits.MAX_TASKS)),
    *(f"/limited?tasks={edge}&at_once={edge}&seconds=0" for edge in (limits.MIN_TASKS, limits.MAX_TASKS)),
)
"""Requests for the least and the most of what is counted; of other numbers other tests ask for both."""


def test_the_least_and_the_most_are_allowed(server: Server) -> None:
    """A number may be as small, and as large, as is said."""
    seen = run(server, [Ask(edge) for edge in EDGES])
    judge(server, seen, broken(seen))


@pytest.mark.parametrize("endpoint", WAITING, ids=lambda endpoint: endpoint.path)
def test_shortest_seconds(server: Server, endpoint: Endpoint) -> None:
    """0 is a wait as well, however it is written, and so is a thousandth of a second."""
    seen = run(server, [Ask(f"{endpoint.path}?seconds={short}") for short in ("0", "0.0", "1e-3")])
    judge(server, seen, broken(seen))


@pytest.mark.parametrize("endpoint", SEARCHING, ids=lambda endpoint: endpoint.path)
@pytest.mark.parametrize("query", BAD_QUERIES.values(), ids=BAD_QUERIES.keys())
def test_bad_query(server: Server, endpoint: Endpoint, query: str) -> None:
    """A query that is missing, empty, only spaces or too long is refused before any service is called."""
    seen = run(server, [Ask(f"{endpoint.path}{query}", "POST")])
    judge(server, seen, refused(seen.answers[0], 422, "query", limits.RULES["query"], log="\n".join(seen.printed)))
    if seen.calls:
        judge(server, seen, sure(Cause.UNCHECKED, f"a query that is refused was sent to the {seen.calls[0].service} service"))


def test_bad_answer(server: Server) -> None:
    """An `answer` that is neither true nor false is refused before any service is called; false is as if it were not there."""
    seen = run(server, [Ask(f"/search-demo?query=budget&answer={bad}", "POST") for bad in BAD_ANSWERS])
    for answer in seen.answers:
        judge(server, seen, refused(answer, 422, "answer", limits.RULES["answer"], log="\n".join(seen.printed)))
    if seen.calls:
        judge(server, seen, sure(Cause.UNCHECKED, f"a request that is refused called the {seen.calls[0].service} service"))
    seen = run(server, [Ask("/search-demo?query=budget&answer=false", "POST")])
    judge(server, seen, broken(seen))
    if "answer" in json.loads(seen.answers[0].body) or any(call.service == "chat" for call in seen.calls):
        judge(server, seen, sure(Cause.WRONG_ANSWER, "with answer=false there is an answer"))


READ_TWICE = "C++ 100%25 a=b&c#d?e;f/\n%20+"
"""What becomes something else when it is decoded a second time, or taken for a part of the address."""

CALLS_WITH_A_QUERY = {"embeddings": GET_EMBEDDING, "chat": GET_ANSWER}


def test_a_thousand_characters_of_any_script(server: Server) -> None:
    """A query of 1,000 characters goes to each service as a whole, whatever they are, and comes back unchanged."""
    # The last has what might be changed on its way: a capital, spaces, an accent in its letter and accents beside theirs.
    queries = [*(character * 1000 for character in "xé漢😀"), READ_TWICE + "x" * (1000 - len(READ_TWICE))]
    queries += [" Zoë,  " + "e\N{COMBINING ACUTE ACCENT}" * 496 + " "]
    asks = [Ask(f"/search-demo?query={quote(query)}", "POST") for query in queries]
    asks += [Ask(f"/search-demo?query={quote(query)}&answer=true", "POST") for query in queries[-2:]]
    asks += [Ask(f"/answer-stream?query={quote(query)}", "POST") for query in queries[-2:]]
    seen = run(server, asks)
    judge(server, seen, broken(seen))
    told = [json.loads(answer.body)["query"] for answer in seen.answers[:-2]]
    told += [events(stream)[0].data.get("query") for stream in seen.answers[-2:]]
    for query, answer, back in zip([*queries, *queries[-2:] * 2], seen.answers, told, strict=True):
        if back != query:
            sentence = f"the query {query[:20]!r} and so on came back as {str(back)[:20]!r} and so on"
            judge(server, seen, [replace(*sure(Cause.WRONG_ANSWER, sentence), ask=answer.ask)])
    for call in seen.calls:
        if call.service == "query":
            continue  # What it is given is a vector.
        given = str(call.sent["input"] if call.service == "embeddings" else call.sent["messages"][-1]["content"])
        if given not in queries:
            sentence = f"the {call.service} service was given {given[:8]!r} and so on, {len(given):,} characters"
            sentence += ", and that is none of the queries of 1,000 characters that were sent"
            place = STREAM_ANSWER if call.sent.get("stream") else CALLS_WITH_A_QUERY[call.service]
            judge(server, seen, sure(Cause.WRONG_CALL, sentence, place))


def test_unknown_path(server: Server) -> None:
    """An unknown path is a 404, and a trailing slash may be redirected instead."""
    seen = run(server, [Ask("/nowhere?x=%0d%0aX-Evil:1"), Ask("/ping/")])
    judge(server, seen, refused(seen.answers[0], 404))
    if seen.answers[1].status not in {307, 308, 404}:
        judge(server, seen, sure(Cause.WRONG_ERROR, f"/ping/ was answered {seen.answers[1].status}", HANDLE_ERROR))


@pytest.mark.parametrize("endpoint", REQUESTS, ids=lambda endpoint: endpoint.path)
def test_other_method(server: Server, endpoint: Endpoint) -> None:
    """A known path with another method is a 405, and `Allow` says which it answers; HEAD and OPTIONS are left to the stack.

    With all that the right method needs, no other begins anything.
    """
    path, other = f"{endpoint.example}?query=budget&seconds=0", "GET" if endpoint.method == "POST" else "POST"
    seen = run(server, [Ask(path, other), Ask(path, "DELETE"), Ask(path, "OPTIONS")])
    for answer in seen.answers[:2]:
        judge(server, seen, refused(answer, 405))
        allowed = answer.headers.get("Allow", "")
        if set(allowed.replace(" ", "").split(",")) - {"HEAD", "OPTIONS"} != {endpoint.method}:
            sentence = f"{answer.ask.method} {endpoint.path}: the 405 has {allowed!r} for Allow, and {endpoint.method} is right"
            judge(server, seen, sure(Cause.WRONG_ERROR, sentence, (endpoint.module, endpoint.function), HANDLE_ERROR))
    if seen.calls:
        sentence = f"{other}, DELETE and OPTIONS {endpoint.path} called the {seen.calls[0].service} service"
        judge(server, seen, sure(Cause.ANY_METHOD, sentence, (endpoint.module, endpoint.function)))
    if seen.answers[2].status >= 500 or not seen.answers[2].status:
        judge(server, seen, refused(seen.answers[2], 405))


UNUSUAL_QUERIES = ["query=%FF%FE", "query=a&query=b", "query=%ED%A0%80", "query=%zz", "query=%00", f"query={'%61' * 900}"]


def test_unusual_queries_get_an_orderly_answer(server: Server) -> None:
    """What the contract leaves to the stack is still answered: never a 500, never a hang."""
    seen = run(server, [Ask(f"/search-demo?{query}", "POST") for query in UNUSUAL_QUERIES])
    for answer in seen.answers:
        if not 200 <= answer.status < 500:
            judge(server, seen, refused(answer, 422, log="\n".join(seen.printed)))


def test_nothing_a_client_sends_forges_a_line_of_the_log(server: Server) -> None:
    """Line breaks in a path, a parameter or a query never begin a line of the console, whether it is answered or refused."""
    forged = "%0d%0aforged%0d%0a"
    asks = [Ask(f"/nowhere{forged}"), Ask(f"/async?seconds={forged}"), Ask(f"/search-demo?query=a{forged}", "POST")]
    for service in ("embeddings", "chat", "chat"):
        server.upstreams.misbehave(service, "drop")
    searches = ("/search-demo?query=b{}", "/search-demo?query=c{}&answer=true", "/answer-stream?query=d{}")
    seen = run(server, [*asks, *(Ask(path.format(forged), "POST") for path in searches)])
    if any(line.startswith("forged") for line in seen.printed):
        sentence = f"a line break in a request began a line of its own in the log: {seen.printed}"
        judge(server, seen, sure(Cause.TELLS_SECRETS, sentence))

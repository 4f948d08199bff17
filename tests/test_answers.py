"""An answer from the documents found, whole or as it is written. The evidence is what the model saw."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.lab.causes import Cause
from shared.lab.experiment import Answer, Ask, Observation, run
from shared.lab.finding import EARLY, Finding, sure
from shared.lab.places import ANSWER_STREAM, GET_ANSWER, SEARCH_DOCUMENTS, SERVE, STREAM_ANSWER, STREAM_UPSTREAM
from shared.lab.rules import answered, broken, misstated
from shared.lab.server import Server
from shared.lab.stream import PATIENCE, SeenEvent, events, leave, readable, told
from shared.lab.upstream import Call, most_at_once
from shared.lab.variants import Variant
from shared.lab.verdict import accuse, judge, prove
from shared.upstream.services import CHAT_SECONDS
from tests.conftest import keep
from tests.doors import ANSWERS, MANY_EVENTS, OVERDUE, PART, Doors
from tests.trouble import SETTLE, STREAM, WITH_ANSWER, about, busy, words_of

FEW_TOKENS = Ask(
    "/answer-stream?query=%3F", "POST"
)  # To this the model has nothing to say, in five words, a tenth of a second each.
MANY, DOZEN = 20, 12
TOPICS = ("money", "holiday", "coffee", "wifi")
LATER = 0.2
"""Seconds by which a service is slower than ever: far less than it is given."""

LONG = 80
"""Characters of a text that is not shown as a whole."""

SOON = 0.05  # seconds in which a token has to be with the client
TRIES = [CHAT_SECONDS] * 5  # The model takes what it takes, so later tries cannot wait longer: there are more of them.

SLOWER = (CHAT_SECONDS, CHAT_SECONDS, 1.5, 3.0, 4.0)
"""How long the model takes in each try where many are to meet, in seconds: it is told to be slower, within its deadline here."""


def ungrounded(calls: Sequence[Call]) -> list[Finding]:
    """Find what is wrong with the calls that one answered question made."""
    services = [call.service for call in calls]
    if services != ["embeddings", "query", "chat"]:
        return sure(Cause.WRONG_CALL, f"one question called {', '.join(services) or 'nothing'}, and not embeddings, query, chat")
    _, find, chat = calls
    if find.end is None or chat.start < find.end:
        return sure(Cause.WRONG_CALL, "the language model was asked before the documents had been found")
    *before, question = [str(message["content"]) for message in chat.sent["messages"]]
    if question != "budget":
        return sure(Cause.WRONG_CALL, f"the language model was asked {question!r}, and not 'budget'")
    if (got := chat.headers.get("authorization")) != "Bearer not-a-secret":
        return sure(Cause.WRONG_CALL, f"the language model got the authorization {got!r}", GET_ANSWER, STREAM_ANSWER)
    missing = [title for title in find.answered[0] if title not in "".join(before)]
    if missing or "9 million" not in "".join(before):
        what = f"the document {missing[0]!r}" if missing else "what stands in the documents"
        return sure(Cause.WRONG_CALL, f"the language model was asked without {what}", SEARCH_DOCUMENTS)
    return []


def test_an_answer_from_the_documents(server: Server) -> None:
    """With `answer=true` the model is asked once, from the documents found, and what it says is passed on, beside the rest."""
    seen = run(server, [WITH_ANSWER])
    judge(server, seen, broken(seen))
    judge(server, seen, ungrounded(seen.calls))
    body, said = json.loads(seen.answers[0].body), seen.calls[-1].answered["text"]
    if body.get("answer") != said:
        judge(
            server, seen, sure(Cause.WRONG_ANSWER, f"the answer is {body.get('answer')!r}; the model said {said!r}", GET_ANSWER)
        )
    without = json.loads(run(server, [Ask("/search-demo?query=budget", "POST")]).answers[0].body)
    if body.keys() != {*without, "answer"} or body["results"] != without["results"]:
        judge(server, seen, sure(Cause.WRONG_ANSWER, f"with answer=true the answer holds {', '.join(body)}"))


SAYS = {"unusual": "Ünïcode, \n lines\u2028 and 'quotes' \"\\ \t", "nothing": "", "long": "The model has much to say. " * 400}


def test_whatever_the_model_answers_is_passed_on(server: Server) -> None:
    """An answer is the model's, to the letter."""
    asks = {name: about(WITH_ANSWER, name) for name in SAYS}
    for name, text in SAYS.items():
        body = json.dumps({"choices": [{"message": {"content": text}}]})
        server.upstreams.misbehave("chat", "answer", marker=words_of(asks[name]), body=body)
    seen = run(server, [*asks.values()])
    judge(server, seen, broken(seen))
    for answer, text in zip(seen.answers, SAYS.values(), strict=True):
        if (got := json.loads(answer.body).get("answer")) != text:
            sentence = f"the model said {short(text)}, and the answer is {short(got)}"
            judge(server, seen, [replace(*sure(Cause.WRONG_ANSWER, sentence, GET_ANSWER), ask=answer.ask)])


PIECES = ["Two", " ", "lines:", "\n\n", "\t- one\u2028", "Ünd", "."]


def test_each_piece_of_an_answer_is_passed_on(server: Server) -> None:
    """Each piece that the model sends is told as it is, also where it is nothing but a space or the end of a line."""
    chunks = [json.dumps({"choices": [{"delta": {"content": piece}}]}) for piece in PIECES]
    server.upstreams.misbehave("chat", "answer", body="".join(f"data: {chunk}\n\n" for chunk in [*chunks, "[DONE]"]))
    seen = run(server, [STREAM])
    judge(server, seen, broken(seen))
    got = [event.data.get("text") for event in events(seen.answers[0]) if event.name == "token"]
    if got != PIECES:
        judge(
            server, seen, sure(Cause.WRONG_ANSWER, f"the model sent the pieces {PIECES}, and the client got {got}", STREAM_ANSWER)
        )


def short(text: object) -> str:
    """Return a text as it is told in a sentence: how long it is, where it is long."""
    return f"{text[:20]!r} and so on, {len(text)} characters" if isinstance(text, str) and len(text) > LONG else repr(text)


def test_a_stream_tells_all(server: Server) -> None:
    """The documents come first, then each piece that the model sent, in order, then where the time went."""
    # A service takes longer than ever, so whoever says how long it took has to measure.
    server.upstreams.misbehave("embeddings", "slow", seconds=LATER)
    seen = run(server, [STREAM])
    judge(server, seen, broken(seen))
    judge(server, seen, ungrounded(seen.calls))
    judge(server, seen, unstreamed(seen.calls[-1]) or wordless(seen.answers[0]))
    first, *tokens, last = events(seen.answers[0])
    titles = [{"title": title} for title in seen.calls[1].answered[0]]
    if first.data != {"query": "budget", "results": titles}:
        judge(
            server,
            seen,
            sure(Cause.WRONG_ANSWER, f"the first event is {first.data}, and the documents found are {titles}", STREAM_ANSWER),
        )
    got, said = [event.data for event in tokens], [{"text": text} for text, _ in seen.calls[2].answered["tokens"]]
    if got != said:
        judge(server, seen, sure(Cause.WRONG_ANSWER, f"the model sent {said}, and the client got {got}", STREAM_ANSWER))
    judge(server, seen, untold(last, seen))


def test_a_stream_ends_when_the_model_says_so(server: Server) -> None:
    """When the model has said that it is done, the client is told at once, though the connection to the model stays open."""
    server.upstreams.misbehave("chat", "linger")
    seen = run(server, [STREAM])
    judge(server, seen, broken(seen))


def untold(last: SeenEvent, seen: Observation) -> list[Finding]:
    """Find that the last event says something else of the time than was seen."""
    if last.data.keys() != {"elapsed_ms", "timings"}:
        return sure(
            Cause.WRONG_ANSWER, f"the last event holds {', '.join(last.data)}, and not elapsed_ms, timings", STREAM_ANSWER
        )
    names = [timing["name"] for timing in last.data["timings"]]
    if names != ["embedding", "search", "answer"]:
        return sure(
            Cause.FALSE_REPORT,
            f"the last event has the timings {', '.join(names)}, and not embedding, search, answer",
            STREAM_ANSWER,
        )
    for timing, call in zip(last.data["timings"], seen.calls, strict=True):
        # The stream of an answer ends for its reader before the service has done what is left to do.
        ended = call.answered["tokens"][-1][1] if call.service == "chat" else call.end
        told, took = timing["dur"] / 1000, (ended or call.start) - call.start
        if told < took - EARLY:
            sentence = f"the last event says that {timing['name']} took {told:.3f} s, and the service worked for {took:.3f} s"
            return sure(Cause.FALSE_REPORT, sentence, STREAM_ANSWER)
    worked, took = seen.calls[-1].answered["tokens"][-1][1] - seen.calls[0].start, last.received - seen.began
    if misstated(last.data["elapsed_ms"], worked, took):
        sentence = (
            f"the last event says that {last.data['elapsed_ms']} had passed; the services worked for {worked * 1000:.0f} ms"
        )
        return sure(Cause.FALSE_REPORT, f"{sentence}, and the client was told after {took * 1000:.0f} ms", STREAM_ANSWER)
    return []


def test_a_slow_reader_is_not_the_models_lateness(subject: Variant, doors: Doors) -> None:
    """Who reads nothing until the model's deadline is long over still gets all: it is for the waits for the model alone."""
    answer = doors.unread.answers[0]
    accuse(subject, doors.unread, broken(doors.unread, (answered,)) or readable(answer))
    told_all = events(answer)
    names = [event.name for event in told_all]
    if names != ["documents", *["token"] * MANY_EVENTS, "done"]:
        last = str(told_all[-1].data["detail"]).rstrip(".") if "error" in names else "no more"
        got = f"{names.count('token')} of {MANY_EVENTS} parts of the answer, and then: {last}"
        sentence = f"the model answered {answer.ask.endpoint.path} at once, and has {ANSWERS:g} s; a client that read nothing for"
        sentence = f"{sentence} {ANSWERS + OVERDUE:g} s got {got}"
        accuse(
            subject, doors.unread, [Finding(Cause.NO_DEADLINE, sentence, places=(STREAM_UPSTREAM, STREAM_ANSWER), ask=answer.ask)]
        )


def test_a_character_may_come_in_two_pieces(subject: Variant, doors: Doors) -> None:
    """A long answer comes cut anywhere, also in the middle of a character, and is passed on to the letter."""
    answer = doors.unread.answers[0]
    accuse(subject, doors.unread, broken(doors.unread, (answered,)) or readable(answer))
    texts = [str(event.data.get("text")) for event in events(answer) if event.name == "token"]
    for number, text in enumerate(texts, start=1):
        if text != PART:
            others = "".join(dict.fromkeys(text.replace(PART[0], "")))
            sentence = f"the model said {PART[0]!r} {len(PART):,} times, in pieces that were cut anywhere; part {number} of the"
            sentence = f"{sentence} answer has it {text.count(PART[0]):,} times" + (f", and {others!r}" if others else "")
            accuse(subject, doors.unread, sure(Cause.WRONG_ANSWER, sentence, STREAM_ANSWER, STREAM_UPSTREAM))


def test_no_event_waits_for_the_next(server: Server) -> None:
    """The documents arrive before the model has said a word, and each of its words before the next; the first within 50 ms."""

    def check(seen: Observation) -> list[Finding]:
        if findings := unstreamed(seen.calls[-1]) or wordless(seen.answers[0]):
            return findings
        first, *tokens, _ = events(seen.answers[0])
        sent = [moment for _, moment in seen.calls[-1].answered["tokens"]]
        if first.received >= sent[0]:
            return [
                Finding(
                    Cause.HELD_BACK,
                    "the documents arrived only when the model had sent its first word",
                    places=(ANSWER_STREAM, STREAM_ANSWER),
                )
            ]
        for number, (token, following) in enumerate(zip(tokens, sent[1:], strict=False), start=1):
            if token.received >= following:
                sentence = f"word {number} of the answer arrived when the model had already sent the next"
                return [Finding(Cause.HELD_BACK, sentence, places=(ANSWER_STREAM, STREAM_ANSWER, STREAM_UPSTREAM))]
        if (late := tokens[0].received - sent[0]) >= SOON:
            return [
                Finding(
                    Cause.HELD_BACK,
                    f"the first word arrived {late:.3f} s after it was sent",
                    places=(ANSWER_STREAM, STREAM_ANSWER, STREAM_UPSTREAM),
                )
            ]
        return []

    keep(server, "/answer-stream", prove(server, "as it comes", lambda _: [FEW_TOKENS], check, TRIES))


def slow_down_the_model(server: Server, seconds: float, count: int) -> None:
    """Have the model take so many seconds in all for so many answers."""
    server.upstreams.behave()
    if more := seconds - CHAT_SECONDS:
        server.upstreams.misbehave("chat", "slow", count=count, seconds=more)


def test_many_streams_at_once(server: Server) -> None:
    """Twenty clients are told an answer at once, each its own."""

    def check(seen: Observation) -> list[Finding]:
        chats = [call for call in seen.calls if call.service == "chat"]
        for answer in seen.answers:
            asked, (documents, *words, _) = words_of(answer.ask), events(answer)
            query, got = str(documents.data.get("query")), "".join(event.data["text"] for event in words)
            said = [call.answered["text"] for call in chats if call.mentions(asked)]
            if asked not in query or said != [got]:
                sentence = f"of {MANY} clients at once, the one whose query holds {asked!r} was told the answer {got!r}"
                sentence = f"{sentence} to {query!r}, and to its own the model said {' and '.join(map(repr, said)) or 'nothing'}"
                return sure(Cause.SHARED_STATE, sentence, ANSWER_STREAM, STREAM_ANSWER)
        if (most := most_at_once(chats)) < MANY:
            return [Finding(Cause.LIMITED, f"for {MANY} streams at once the model was asked for {most} answers at once")]
        return []

    def asks(seconds: float) -> list[Ask]:
        slow_down_the_model(server, seconds, MANY)
        return [Ask(f"/answer-stream?query={TOPICS[number % 4]}+budget+client{number:02}", "POST") for number in range(MANY)]

    prove(server, "together", asks, check, SLOWER)


def test_many_answers_at_once(server: Server) -> None:
    """A dozen searches with an answer ask the model at once."""

    def check(seen: Observation) -> list[Finding]:
        if (most := most_at_once(call for call in seen.calls if call.service == "chat")) < DOZEN:
            sentence = f"for {DOZEN} searches with an answer at once the model was asked for {most} answers at once"
            return [Finding(Cause.LIMITED, sentence, places=(GET_ANSWER,))]
        return []

    def asks(seconds: float) -> list[Ask]:
        slow_down_the_model(server, seconds, DOZEN)
        return [WITH_ANSWER] * DOZEN

    prove(server, "together", asks, check, SLOWER)


def unstreamed(chat: Call) -> list[Finding]:
    """Find that the model was asked for a whole answer, where each word is to be passed on as it comes."""
    if chat.sent.get("stream") is True:
        return []
    return sure(
        Cause.HELD_BACK, "for a stream the language model was asked for a whole answer: without stream: true", STREAM_ANSWER
    )


def wordless(answer: Answer) -> list[Finding]:
    """Find that a stream came to a good end without a word of the answer."""
    if any(event.name == "token" for event in events(answer)):
        return []
    return sure(Cause.WRONG_ANSWER, f"{answer.ask.path} came to its end, and told no word of the answer", STREAM_ANSWER)


LEAVES = {"flows": 5, "stalls": 2}
"""How often to leave: a model that sends on is done after half a second, a silent one is waited for until long after that."""


@pytest.mark.parametrize("kind", LEAVES)
def test_leaving_ends_the_call(server: Server, kind: str) -> None:
    """A client that leaves in mid-stream ends the call to the model, whether that sends on or is silent."""
    for tries_left in reversed(range(LEAVES[kind])):
        if kind == "stalls":
            server.upstreams.misbehave("chat", "stall", after=1)
        last = server.upstreams.last_call()
        try:
            left = leave(server, STREAM, b"event: token")
        except TimeoutError:  # What comes when nobody leaves may say why.
            server.upstreams.behave()
            whole = run(server, [STREAM])
            answer = whole.answers[0]
            judge(server, whole, [] if busy(answer) else told(answer, "done") or wordless(answer))
            if not tries_left:
                cause = Cause.HELD_BACK if kind == "stalls" else Cause.TOO_SLOW
                sentence = f"{STREAM.path} did not tell the first word of its answer within {PATIENCE:g} s"
                judge(server, whole, [Finding(cause, sentence, places=(STREAM_ANSWER, ANSWER_STREAM), ask=STREAM)])
            continue
        server.upstreams.wait_for_calls(SETTLE)  # Far from the deadline.
        seen = Observation(run(server, [Ask("/ping")]).answers, calls=server.upstreams.calls(last))
        call = seen.calls[-1]
        if call.service == "chat" and call.was_left:
            return
        if not tries_left:
            state = "was still open" if call.end is None else f"ended {max(0.0, call.end - left):.2f} s later, with all its words"
            sentence = f"a client left after the first word of its answer, and the call to the model {state}"
            judge(
                server,
                seen,
                [Finding(Cause.GOES_ON, sentence, places=(ANSWER_STREAM, STREAM_ANSWER, STREAM_UPSTREAM, SERVE), ask=STREAM)],
            )

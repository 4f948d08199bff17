"""The reader of a language model's stream: cut anywhere, written in any way that the format allows, and gone wrong."""

import json

import pytest

from shared.lesson.problems import UpstreamBroke, UpstreamFailed
from shared.lesson.stream import MAX_EVENT, StreamReader

TOKENS = ["Kaffee ", "für ", "Zoë: ", "\N{HOT BEVERAGE}\n", "data: [DONE] ", "5 €"]


def event(delta: dict[str, object] | None, **others: object) -> str:
    """Return the data of an event; with None for the delta, one without a choice."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": None}]
    return json.dumps({"object": "chat.completion.chunk", "choices": choices, **others}, ensure_ascii=False)


EVENTS = [
    event({"role": "assistant", "content": ""}),
    *(event({"content": token}) for token in TOKENS),
    event({"content": None}),
    event({}),
    event(None, usage={"total_tokens": 7}),
    "[DONE]",
]
SPLIT_JSON = EVENTS[1].replace(", ", ",\n", 1)
"""The same event with its JSON on two lines, which the format sends as two fields of data."""


def stream(line_end: str, before: str = "", colon: str = ": ", events: list[str] | None = None) -> bytes:
    """Return a stream with the given ends of lines, something before each event, and something between a name and its value."""
    rows = [before + "".join(f"data{colon}{line}\n" for line in data.split("\n")) for data in events or EVENTS]
    return "".join(row + "\n" for row in rows).replace("\n", line_end).encode()


STREAMS = {
    "as OpenAI writes it": stream("\n"),
    "two characters at the end of a line": stream("\r\n"),
    "the oldest end of a line": stream("\r"),
    "no space after the colon": stream("\n", colon=":"),
    "comments and other fields": stream("\n", before=": keep the connection\nid: 7\nevent: x\nretry\nnonsense\n"),
    "empty events between": stream("\r\n", before="\n\n"),
    "data on two lines": stream("\r\n", events=[EVENTS[0], SPLIT_JSON, *EVENTS[2:]]),
    "a mark of the byte order": b"\xef\xbb\xbf" + stream("\n", events=EVENTS[1:]),
    "more after the end": stream("\n") + b"data: nonsense\n\n",
}
streams = pytest.mark.parametrize("sent", STREAMS.values(), ids=STREAMS.keys())


def read(*pieces: bytes) -> list[str]:
    """Return the tokens of a stream that comes in pieces, and is complete."""
    reader = StreamReader()
    tokens = [token for piece in pieces for token in reader.feed(piece)]
    assert reader.done
    reader.end()
    return tokens


@streams
def test_a_stream_may_be_cut_anywhere(sent: bytes) -> None:
    """In one piece, byte by byte, and cut in two at every place, it holds the same tokens."""
    assert read(sent) == TOKENS
    assert read(*(bytes([byte]) for byte in sent)) == TOKENS
    for place in range(len(sent) + 1):
        assert read(sent[:place], b"", sent[place:]) == TOKENS, f"cut before byte {place}: {sent[:place][-20:]!r}"


def test_a_token_is_there_as_soon_as_its_event_is_complete() -> None:
    """A reader that waited for more would hold back the answer: the empty line is enough."""
    reader = StreamReader()
    first, second = (f"data: {event({'content': token})}\r\n\r\n".encode() for token in TOKENS[:2])
    assert reader.feed(first) == TOKENS[:1]
    assert reader.feed(second[:-3]) == []
    assert reader.feed(second[-3:]) == TOKENS[1:2]
    assert not reader.done


@streams
def test_a_stream_that_ends_too_early_is_broken(sent: bytes) -> None:
    """Wherever it ends before `[DONE]` and the empty line behind it, its reader hears of it."""
    # The last characters: of an end of a line in two characters, the second changes nothing any more.
    complete = sent.index(b"[DONE]", sent.rindex(b"5 \xe2\x82\xac")) + len(b"[DONE]")
    for place in range(0, complete, 7):
        reader = StreamReader()
        reader.feed(sent[:place])
        with pytest.raises(UpstreamBroke, match="language model"):
            reader.end()


GARBAGE = {
    "not JSON": "data: nonsense\n\n",
    "JSON that JSON has not": 'data: {"choices": NaN}\n\n',
    "another kind of JSON": "data: []\n\n",
    "a number": "data: 1\n\n",
    "a number on two lines": 'data: {"choices": [], "created": 1\ndata: 2}\n\n',
    "no choices": "data: {}\n\n",
    "choices that are none": 'data: {"choices": null}\n\n',
    "a choice that is none": 'data: {"choices": [null]}\n\n',
    "a choice without a delta": 'data: {"choices": [{}]}\n\n',
    "a delta that is none": 'data: {"choices": [{"delta": "x"}]}\n\n',
    "a content that is no text": 'data: {"choices": [{"delta": {"content": 7}}]}\n\n',
    "half a character": 'data: {"choices": [{"delta": {"content": "\\ud800"}}]}\n\n',
    "deep brackets": f"data: {'[' * 60_000}\n\n",
    "a line without an end": f"data: {'x' * MAX_EVENT}",
    "an event without an end": "data\n" * (MAX_EVENT + 1),
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_a_stream_that_is_not_as_agreed(garbage: str) -> None:
    """It fails as an upstream that answered wrongly, also when it comes in many pieces, and goes on failing."""
    reader, bad = StreamReader(), garbage.encode()
    with pytest.raises(UpstreamFailed, match="The language model") as caught:
        _ = [reader.feed(bad[start : start + 1_000]) for start in range(0, len(bad), 1_000)]
    assert caught.value.status == 502
    with pytest.raises(UpstreamFailed, match=str(caught.value)):
        reader.feed(b"")


@pytest.mark.parametrize("size", [1, 10, 1_000])
def test_what_came_before_a_failure_is_not_lost(size: int) -> None:
    """However the stream is cut into pieces, the good tokens come first, and then the failure."""
    sent = "".join(f"data: {data}\n\n" for data in (*EVENTS[:4], "nonsense", EVENTS[4])).encode()
    reader, found = StreamReader(), []

    def feed_all() -> None:
        for start in range(0, len(sent), size):
            found.extend(reader.feed(sent[start : start + size]))
        reader.end()

    with pytest.raises(UpstreamFailed, match="not the agreed JSON"):
        feed_all()
    assert found == TOKENS[:3]


def test_an_error_in_a_stream_is_told_from_nonsense() -> None:
    """A model may fail half-way, when its status has long been sent; that it said so is worth knowing, its words are not."""
    with pytest.raises(UpstreamFailed, match="broke off its answer with an error") as caught:
        StreamReader().feed(b'data: {"error": {"message": "overloaded"}}\n\n')
    assert "overloaded" not in caught.value.detail


def test_what_follows_the_end_is_not_kept() -> None:
    """After `[DONE]` nothing is read, however long it is."""
    reader = StreamReader()
    reader.feed(b"data: [DONE]\n\n")
    assert reader.feed(b"x" * (MAX_EVENT + 1)) == []


def test_a_long_stream_is_no_long_event() -> None:
    """The limit is for one event, and not for the answer."""
    reader, piece = StreamReader(), f"data: {event({'content': 'word '})}\n\n".encode()
    count = 2 * MAX_EVENT // len(piece)
    assert len(reader.feed(piece * count)) == count

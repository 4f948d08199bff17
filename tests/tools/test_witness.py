"""The witness keeps what tests ask for, and no more memory than that takes."""

import json
import tracemalloc

import pytest

from shared.upstream.witness import KEPT, Witness, from_json

VECTOR = [number / 3 for number in range(1536)]
QUERY = {"query_embeddings": [VECTOR], "n_results": 3, "include": ["metadatas"]}
MEGABYTES = 40.0
"""What the witness may take up. Right: 25, for 1,536 numbers of 8 bytes each and some. Lists of floats: 100."""


def test_what_is_told_is_what_came() -> None:
    """Vectors come out of it as they went in, in what was sent and in what was answered; and so does all else."""
    witness = Witness()
    texts = {"input": ["a", "b"], "numbers": [1, 2], "mixed": [1.5, 2], "empty": [], "deep": {"none": None}}
    with witness.watch("query", "here", QUERY, {}) as call:
        call.answered = [["A", "B"]]
    with witness.watch("embeddings", "here", texts, {"cookie": "a"}) as call:
        call.answered = VECTOR
        report = witness.report(1)
        assert report["open"] == 1
    calls = json.loads(json.dumps(witness.report()), object_hook=from_json)["calls"]
    assert [(call["sent"], call["answered"]) for call in calls] == [(QUERY, [["A", "B"]]), (texts, VECTOR)]
    assert [type(number) for number in calls[1]["sent"]["mixed"]] == [float, int]


def test_the_witness_forgets() -> None:
    """It keeps the last calls only, and their vectors in little space, however many there were."""
    witness = Witness()
    tracemalloc.start()
    try:
        for _ in range(2 * KEPT):
            with witness.watch("query", "here", {"query_embeddings": [[number + 0.5 for number in range(1536)]]}, {}):
                pass
        kept = tracemalloc.get_traced_memory()[0] / 2**20
    finally:
        tracemalloc.stop()
    calls = witness.report(witness.last - 1)["calls"]
    assert isinstance(calls, list)
    assert [call["id"] for call in calls] == [2 * KEPT]
    assert len(list(witness._calls)) == KEPT  # noqa: SLF001 - a report of all would itself take what is bounded here
    assert kept < MEGABYTES, f"{kept:.0f} MB for {KEPT} calls"


@pytest.mark.parametrize("pieces", [["a ", "b"], []])
def test_the_tokens_of_a_stream_are_told_in_pairs(pieces: list[str]) -> None:
    """A token stands beside when it was sent, also while the stream is under way."""
    witness = Witness()
    with witness.watch("chat", "here", {"stream": True}, {}) as call:
        call.answered = {"text": "a b", "tokens": []}
        for moment, piece in enumerate(pieces):
            call.answered["tokens"].append((piece, float(moment)))
        report = witness.report()["calls"]
        assert isinstance(report, list)
        assert report[0]["answered"]["tokens"] == [[piece, float(moment)] for moment, piece in enumerate(pieces)]
    after = witness.report()["calls"]
    assert isinstance(after, list)
    assert after[0]["answered"] == {"text": "a b", "tokens": [[piece, float(moment)] for moment, piece in enumerate(pieces)]}

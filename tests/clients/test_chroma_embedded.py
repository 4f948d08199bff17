"""What only the embedded vector database does, seen by Chroma's own client: its time, its witness, its faults, its limits."""

import time

import chromadb
import pytest
from chromadb.errors import ChromaError

from shared.lab.upstream import Upstreams
from shared.lesson.settings import COLLECTION_NAME
from shared.upstream.embedding import embed
from shared.upstream.services import QUERY_SECONDS
from tests.clients.chroma_client import connect

VECTOR = embed("budget")
EARLY = 0.002  # Seconds by which a timer may end too soon.


@pytest.fixture
def workbook(upstreams: Upstreams) -> chromadb.Collection:
    """Return the collection that variants search."""
    client = connect(upstreams.environment()["CHROMA_URL"])
    return client.get_collection(COLLECTION_NAME, embedding_function=None)


def test_a_search_takes_its_time_and_is_seen(workbook: chromadb.Collection, upstreams: Upstreams) -> None:
    """A search takes as long as the lesson says, and the witness sees it and what was found."""
    began = time.monotonic()
    workbook.query(query_embeddings=VECTOR, n_results=1)
    assert time.monotonic() - began >= QUERY_SECONDS - EARLY
    seen = upstreams.calls(upstreams.last_call() - 1)[0]
    assert (seen.service, seen.answered) == ("query", [["Budget for next year"]])
    assert str(workbook.id) == upstreams.environment()["CHROMA_COLLECTION"]


def test_an_error_of_the_server(workbook: chromadb.Collection, upstreams: Upstreams) -> None:
    """A search that meets a fault fails in the client, and the next one is right."""
    upstreams.misbehave("query", "answer", status=500, body='{"error": "InternalError", "message": "on fire"}')
    with pytest.raises(ChromaError, match="on fire"):
        workbook.query(query_embeddings=VECTOR)
    assert workbook.query(query_embeddings=VECTOR, n_results=1)["ids"] == [["budget-for-next-year"]]


def test_filters_and_other_measures_are_refused(workbook: chromadb.Collection, upstreams: Upstreams) -> None:
    """What the embedded one cannot do it says: a wrong answer would be worse than none."""
    with pytest.raises(ChromaError, match="knows no where"):
        workbook.query(query_embeddings=VECTOR, where={"title": "Budget for next year"})
    client = connect(upstreams.environment()["CHROMA_URL"])
    with pytest.raises(ChromaError, match="knows no space 'ip'"):
        client.create_collection("products", configuration={"hnsw": {"space": "ip"}}, embedding_function=None)

"""Chroma's own client cannot tell the embedded vector database from a Chroma server: `nox -s chroma` asks both the same."""

from collections.abc import Iterator, Sequence

import chromadb
import pytest
from chromadb.api import ClientAPI
from chromadb.api.types import Metadata
from chromadb.errors import ChromaError, InvalidArgumentError, NotFoundError

from shared.lesson.settings import COLLECTION_NAME
from shared.upstream.documents import DOCUMENTS
from shared.upstream.embedding import embed
from tests.clients.chroma_client import connect

VECTORS: list[Sequence[float]] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.7, 0.7, 0.0]]


@pytest.fixture
def client(chroma_url: str) -> ClientAPI:
    """Return the client, told only where the server is."""
    return connect(chroma_url)


@pytest.fixture
def collection(client: ClientAPI) -> Iterator[chromadb.Collection]:
    """Return a collection of three documents, which is deleted afterwards."""
    made = client.create_collection("drinks", metadata={"of": "the house"}, embedding_function=None)
    titles: list[Metadata] = [{"title": name} for name in ("Tea", "Coffee", "Both")]
    made.add(["tea", "coffee", "both"], VECTORS, titles, ["Tea is hot.", "Coffee is strong.", "Half and half."])
    yield made
    client.delete_collection("drinks")


def test_the_lessons_collection(client: ClientAPI) -> None:
    """The collection that variants search is there under its name, with all documents, and finds what a person expects."""
    found = client.get_collection(COLLECTION_NAME, embedding_function=None)
    assert found.name in [each.name for each in client.list_collections()]
    assert found.count() == len(DOCUMENTS)
    near = found.query(query_embeddings=embed("Q4 report"), n_results=3)
    assert near["ids"][0][0] == "q4-report"
    assert near["metadatas"]
    assert near["metadatas"][0][0] == {"title": "Q4 report"}
    assert near["documents"]
    assert near["documents"][0][0].startswith("Revenue in Q4")
    assert near["distances"]
    assert near["distances"][0] == sorted(near["distances"][0])


def test_a_client_asks_what_the_server_is(client: ClientAPI) -> None:
    """The server is alive, has a version, and says how much it takes at once."""
    assert client.heartbeat() > 0
    assert client.get_version().startswith("1.")
    assert client.get_max_batch_size() > 0


def test_documents_are_kept(collection: chromadb.Collection) -> None:
    """What was added is counted, and comes back with what is asked for of it."""
    assert collection.count() == 3
    found = collection.get(["coffee"], include=["embeddings", "documents", "metadatas"])
    assert (found["ids"], found["documents"], found["metadatas"]) == (["coffee"], ["Coffee is strong."], [{"title": "Coffee"}])
    assert found["embeddings"] is not None
    assert list(found["embeddings"][0]) == VECTORS[1]
    assert collection.get(limit=1, offset=1)["ids"] == ["coffee"]
    assert collection.peek(2)["ids"] == ["tea", "coffee"]


def test_adding_keeps_and_upserting_replaces(collection: chromadb.Collection) -> None:
    """A taken identifier keeps its document when it is added again, and gets the new one when it is upserted."""
    for put, expected in ((collection.add, "Tea is hot."), (collection.upsert, "Tea is cold.")):
        put(["tea"], [VECTORS[0]], documents=["Tea is cold."])
        assert collection.get(["tea"])["documents"] == [expected]
    assert collection.count() == 3


def test_a_search_for_several_vectors(collection: chromadb.Collection) -> None:
    """Each vector gets a row of its own, nearest first, and only what was asked for comes with it."""
    found = collection.query(query_embeddings=VECTORS[:2], n_results=2, include=["distances"])
    assert found["ids"] == [["tea", "both"], ["coffee", "both"]]
    assert found["distances"]
    assert found["distances"][0] == pytest.approx([0, 0.3**2 + 0.7**2], abs=1e-6)  # The square of the distance, unless told.
    assert found["documents"] is None
    among = collection.query(query_embeddings=[VECTORS[0]], ids=["coffee"])
    assert among["ids"] == [["coffee"]]


def test_a_search_by_angle(client: ClientAPI) -> None:
    """A collection may ask for another measure: the angle, of which the cosine is taken from 1."""
    made = client.create_collection("angles", configuration={"hnsw": {"space": "cosine"}}, embedding_function=None)
    made.add(["here"], [3.0, 0.0])
    asked: list[Sequence[float]] = [[1.0, 0.0], [0.0, 5.0], [2.0, 2.0]]
    found = made.query(query_embeddings=asked)
    client.delete_collection("angles")
    assert found["distances"]
    assert [row[0] for row in found["distances"]] == pytest.approx([0, 1, 1 - 0.5**0.5], abs=1e-6)


def test_a_collection_is_made_once(client: ClientAPI, collection: chromadb.Collection) -> None:
    """A name that is taken is refused, or gives the collection that has it."""
    with pytest.raises(ChromaError, match="already exists"):
        client.create_collection(collection.name, embedding_function=None)
    same = client.get_or_create_collection(collection.name, embedding_function=None)
    assert (same.id, same.metadata) == (collection.id, {"of": "the house"})


def test_errors_are_of_their_kind(client: ClientAPI, collection: chromadb.Collection) -> None:
    """No such collection, and a vector of another length, become the exceptions that the client has for them."""
    with pytest.raises(NotFoundError, match="nonesuch"):
        client.get_collection("nonesuch", embedding_function=None)
    with pytest.raises(InvalidArgumentError, match="dimension of 3, got 2"):
        collection.query(query_embeddings=[1.0, 0.0])
    with pytest.raises(InvalidArgumentError, match="dimension of 3, got 2"):
        collection.add(["water"], [1.0, 0.0])
    assert collection.count() == 3

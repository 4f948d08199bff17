"""The collections of the embedded vector database, in memory. One is there from the beginning, and holds the thirty documents."""

import uuid

from shared.lesson.settings import COLLECTION, COLLECTION_NAME, EMBEDDING_MODEL
from shared.upstream.collection import Collection, Entry, Metadata, StoreError
from shared.upstream.documents import DOCUMENTS, Document
from shared.upstream.embedding import embed
from shared.upstream.vectors import of_document


class UnknownError(StoreError):
    """There is no collection of that name or id."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Collection [{name}] does not exist")


class TakenError(StoreError):
    """There is a collection of that name already."""


class Store:
    """All collections, by their names."""

    def __init__(self) -> None:
        workbook = Collection(COLLECTION, COLLECTION_NAME, {"embedding_model": EMBEDDING_MODEL})
        workbook.put([_entry(document) for document in DOCUMENTS], replace=True)
        self._collections = {workbook.name: workbook}

    def all(self) -> list[Collection]:
        """Return all collections, the oldest first."""
        return list(self._collections.values())

    def by_name(self, name: str) -> Collection:
        """Return the collection of that name, or raise an UnknownError."""
        if name not in self._collections:
            raise UnknownError(name)
        return self._collections[name]

    def by_id(self, identifier: str) -> Collection:
        """Return the collection of that id, or raise an UnknownError."""
        for collection in self._collections.values():
            if collection.id == identifier:
                return collection
        raise UnknownError(identifier)

    def create(self, name: str, metadata: Metadata | None, space: str, *, or_get: bool) -> Collection:
        """Return a new collection; where the name is taken, the one that has it, as it is, or without `or_get` a TakenError."""
        if name in self._collections and not or_get:
            raise TakenError(f"Collection [{name}] already exists")
        return self._collections.setdefault(name, Collection(str(uuid.uuid4()), name, metadata, space))

    def delete(self, name: str) -> None:
        """Forget the collection of that name, or raise an UnknownError."""
        del self._collections[self.by_name(name).name]


def _entry(document: Document) -> Entry:
    vector = of_document(embed(document.title), embed(document.text))
    return Entry(document.id, vector, document.text, {"title": document.title})

"""A collection of the embedded vector database: documents with vectors of one length, in memory."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.upstream.vectors import Numbers, distance, numbers, squared_distance

Metadata = Mapping[str, object]

SPACES = ("cosine", "l2")
"""How vectors can be compared: by the angle between them, or by the square of their distance, which is Chroma's default."""


class StoreError(Exception):
    """The database cannot do what it was asked for; the message says why, in Chroma's words where it has some."""


@dataclass(slots=True)
class Entry:
    """One document, with what it was added with.

    Attributes:
        id: Its name in the collection.
        vector: What it is found by.
        document: Its text.
        metadata: What else is known of it.
        numbers: The vector again, as it is compared.

    """

    id: str
    vector: Sequence[float]
    document: str | None = None
    metadata: Metadata | None = None
    numbers: Numbers = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.numbers = numbers(self.vector)


@dataclass(slots=True)
class Collection:
    """Documents whose vectors are all of one length.

    Attributes:
        id: What the REST interface calls it.
        name: What its owner calls it.
        metadata: What its owner wrote on it.
        space: How its vectors are compared, one of `SPACES`.
        dimension: How many numbers each vector has; None until the first has come.
        entries: The documents by their ids, in the order in which they came.

    """

    id: str
    name: str
    metadata: Metadata | None = None
    space: str = "cosine"
    dimension: int | None = None
    entries: dict[str, Entry] = field(default_factory=dict)

    def put(self, entries: Sequence[Entry], *, replace: bool) -> None:
        """Add documents, all or none; one whose id is taken replaces the other, or without `replace` is left out.

        Raises:
            StoreError: A vector is of another length than the others.

        """
        if not entries:
            return
        dimension = self.dimension or len(entries[0].vector)
        for entry in entries:
            self._check(entry.vector, dimension)
        self.dimension = dimension
        for entry in entries:
            if replace or entry.id not in self.entries:
                self.entries[entry.id] = entry

    def nearest(self, vector: Sequence[float], count: int, ids: Sequence[str] | None = None) -> list[tuple[Entry, float]]:
        """Return the `count` documents nearest to a vector with their distances, nearest first; equals keep their order.

        Raises:
            StoreError: The vector is of another length than the documents', or holds a number that is not finite.

        """
        if self.dimension is None:
            return []
        self._check(vector, self.dimension)
        among = self.chosen(ids)
        if self.space == "cosine":
            compared = numbers(vector)
            distances = [(entry, distance(compared, entry.numbers)) for entry in among]
        else:
            distances = [(entry, squared_distance(vector, entry.vector)) for entry in among]
        return sorted(distances, key=lambda found: found[1])[:count]

    def chosen(self, ids: Sequence[str] | None) -> list[Entry]:
        """Return the documents of these ids, as far as there are any; all of them for None."""
        return [entry for entry in self.entries.values() if ids is None or entry.id in ids]

    @staticmethod
    def _check(vector: Sequence[float], dimension: int) -> None:
        if len(vector) != dimension:
            raise StoreError(f"Collection expecting embedding with dimension of {dimension}, got {len(vector)}")
        if not all(map(math.isfinite, vector)):
            raise StoreError("The vector holds a number that is not finite.")

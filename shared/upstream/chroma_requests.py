"""How requests to Chroma's REST interface are read.

The format is that of Chroma's server (https://docs.trychroma.com, and `/docs` on any such server), as its own client and server
speak it: the tests in `tests/clients` hold this one against both.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.upstream.collection import SPACES, Entry, StoreError

FIELDS = ("embeddings", "documents", "uris", "metadatas", "distances")
"""What a request may ask to have in the answer."""

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]")


class MalformedError(Exception):
    """A request's JSON is not what the interface asks for; the message says where."""


@dataclass(frozen=True, slots=True)
class Query:
    """What a search asks for: which vectors, how many documents for each, among which ids (None: all), and what of them."""

    vectors: list[list[float]]
    count: int
    ids: list[str] | None
    include: list[str]


def read_object(body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON is any
    """Return a body that is a JSON object."""
    if not isinstance(body, dict):
        raise MalformedError("expected an object")
    return body


def read_query(body: Any) -> Query:  # noqa: ANN401 - JSON is any
    """Return what a search asks for."""
    asked = read_object(body)
    refuse_filters(asked)
    include = read_include(asked, ("documents", "metadatas", "distances"))
    return Query(_vectors(asked, "query_embeddings"), read_number(asked, "n_results", 10), read_texts(asked, "ids"), include)


def read_entries(body: dict[str, Any]) -> list[Entry]:
    """Return the documents to add, given in columns."""
    ids, vectors = read_texts(body, "ids") or [], _vectors(body, "embeddings")
    columns = [vectors, *(body.get(name) or [None] * len(ids) for name in ("documents", "metadatas"))]
    if any(not isinstance(column, list) or len(column) != len(ids) for column in columns):
        raise StoreError("Inconsistent number of IDs, embeddings, documents, URIs and metadatas")
    return [Entry(*row) for row in zip(ids, *columns, strict=True)]


def read_name(body: dict[str, Any]) -> str:
    """Return the name for a new collection."""
    name = body.get("name")
    if not isinstance(name, str):
        raise MalformedError("name: expected a string")
    if not _NAME.fullmatch(name):
        rule = "3-512 characters from [a-zA-Z0-9._-], starting and ending with a character in [a-zA-Z0-9]"
        raise StoreError(f"Validation error: name: Expected a name containing {rule}. Got: {name}")
    return name


def read_space(body: dict[str, Any]) -> str:
    """Return how the vectors of a new collection are to be compared."""
    try:
        index = (body.get("configuration") or {}).get("hnsw") or {}
        space = index.get("space") or "l2"
    except AttributeError:
        raise MalformedError("configuration: expected an object, with an object hnsw in it") from None
    if space not in SPACES:
        raise StoreError(f"The embedded vector database knows no space {space!r}; a Chroma server may.")
    return str(space)


def read_texts(body: dict[str, Any], name: str) -> list[str] | None:
    """Return a list of strings, or None where there is none."""
    texts = body.get(name)
    if texts is not None and not (isinstance(texts, list) and all(isinstance(text, str) for text in texts)):
        raise MalformedError(f"{name}: expected a list of strings")
    return texts


def read_number(body: dict[str, Any], name: str, default: int) -> int:
    """Return a whole number, not below 0."""
    number = default if body.get(name) is None else body[name]
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise MalformedError(f"{name}: expected a whole number, not below 0")
    return number


def read_include(body: dict[str, Any], default: Sequence[str]) -> list[str]:
    """Return which fields the answer is to include."""
    include = read_texts(body, "include")
    if not set(include or ()) <= set(FIELDS):
        raise MalformedError(f"include: expected some of {', '.join(FIELDS)}")
    return list(default) if include is None else include


def refuse_filters(body: dict[str, Any]) -> None:
    """Refuse what would choose documents by their content: a wrong answer would be worse than none."""
    for name in ("where", "where_document"):
        if body.get(name):
            raise StoreError(f"The embedded vector database knows no {name}; a Chroma server does.")


def _vectors(body: dict[str, Any], name: str) -> list[list[float]]:
    try:
        return [_numbers(vector) for vector in body[name]]
    except (KeyError, TypeError, OverflowError):
        raise MalformedError(f"{name}: expected a list of lists of numbers") from None


def _numbers(values: list[Any]) -> list[float]:
    if not set(map(type, values)) <= {int, float}:
        raise TypeError
    return list(map(float, values))

"""What a variant says to its upstreams, and how it reads what they answer. The calls themselves are the variants' own.

The formats are those of OpenAI's embeddings endpoint (https://platform.openai.com/docs/api-reference/embeddings) and of the
query endpoint in version 2 of Chroma's REST interface (https://docs.trychroma.com).
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, NoReturn

from shared.lesson.problems import UpstreamBusy, UpstreamFailed
from shared.lesson.settings import Settings

EMBEDDINGS: Final = "embeddings service"
DOCUMENTS: Final = "vector database"
RESULTS: Final = 3  # documents that a search returns

_DATABASE = "/api/v2/tenants/default_tenant/databases/default_database"


@dataclass(frozen=True, slots=True)
class Call:
    """One POST request to an upstream.

    Attributes:
        service: What the upstream is called in messages.
        url: Where to send it.
        body: What to send, as JSON.
        headers: What to send along; may hold a secret, so it is not shown.
        deadline: How long the whole answer may take, in seconds.

    """

    service: str
    url: str
    body: Mapping[str, object] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    deadline: float


def embedding_call(settings: Settings, query: str) -> Call:
    """Return the call that turns a query into a vector."""
    body = {"model": settings.embedding_model, "input": query, "encoding_format": "float"}
    headers = {"Authorization": f"Bearer {settings.openai_key}"}
    return Call(EMBEDDINGS, f"{settings.openai_url}/embeddings", body, headers, settings.deadline)


def search_call(settings: Settings, embedding: Sequence[float]) -> Call:
    """Return the call that finds the documents nearest to a vector."""
    body = {"query_embeddings": [list(embedding)], "n_results": RESULTS, "include": ["metadatas", "distances"]}
    url = f"{settings.chroma_url}{_DATABASE}/collections/{settings.collection}/query"
    return Call(DOCUMENTS, url, body, {}, settings.deadline)


def read_answer(call: Call, status: int, headers: Mapping[str, str], content: bytes) -> Any:  # noqa: ANN401 - JSON is any
    """Return the JSON that an upstream answered with.

    Raises:
        UpstreamBusy: It answered 429.
        UpstreamFailed: It answered with another status than 200, or with something that is not JSON.

    """
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise UpstreamBusy(call.service, headers.get("Retry-After"))
    if status != HTTPStatus.OK:
        raise UpstreamFailed(call.service, f"answered with the status {status}")
    try:
        return json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):  # RecursionError: brackets nested a few thousand deep.
        raise _unexpected(call.service) from None


def read_embedding(answer: Any) -> list[float]:  # noqa: ANN401 - JSON is any
    """Return the vector in an embeddings answer.

    Raises:
        UpstreamFailed: There is none, or it holds something else than finite numbers.

    """
    try:
        embedding = [_number(value) for value in answer["data"][0]["embedding"]]
    except (KeyError, IndexError, TypeError, ValueError, OverflowError):
        raise _unexpected(EMBEDDINGS) from None
    if not embedding:
        raise _unexpected(EMBEDDINGS)
    return embedding


def read_titles(answer: Any) -> list[str]:  # noqa: ANN401 - JSON is any
    """Return the titles in a query answer, nearest first.

    Raises:
        UpstreamFailed: They are not where they should be.

    """
    try:
        return [_text(metadata["title"]) for metadata in answer["metadatas"][0]]
    except (KeyError, IndexError, TypeError, ValueError):
        raise _unexpected(DOCUMENTS) from None


def _unexpected(service: str) -> UpstreamFailed:
    return UpstreamFailed(service, "answered with something that is not the agreed JSON")


def _refuse_constant(name: str) -> NoReturn:
    # Python reads NaN and Infinity, which JSON does not have (RFC 8259, section 6).
    raise ValueError(name)


def _number(value: object) -> float:
    # In Python True is an int; in JSON it is not a number.
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError
    return float(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    # JSON can spell half a character ("\ud800"), which cannot be sent on: encode() refuses it with a ValueError.
    value.encode()
    return value

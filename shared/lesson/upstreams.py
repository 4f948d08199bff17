"""What a variant says to its upstreams, and how it reads what they answer. The calls themselves are the variants' own.

The formats are those of OpenAI's embeddings endpoint (https://platform.openai.com/docs/api-reference/embeddings) and of the
query endpoint in version 2 of Chroma's REST interface (https://docs.trychroma.com). What is said to a language model stands in
`chat`, how its stream is read in `stream`; all of it can be had from here.
"""

from collections.abc import Sequence
from typing import Any, Final

from shared.lesson.calls import (
    MAX_CALLS,
    MAX_IDLE,
    Call,
    Content,
    check_status,
    numbers,
    read_answer,
    retry_pause,
    text,
    unexpected,
)
from shared.lesson.chat import CHAT, FoundDocument, answer_call, answer_stream_call, read_completion
from shared.lesson.settings import Settings
from shared.lesson.stream import StreamReader

__all__ = [
    "CHAT",
    "DOCUMENTS",
    "EMBEDDINGS",
    "MAX_CALLS",
    "MAX_IDLE",
    "RESULTS",
    "Call",
    "Content",
    "FoundDocument",
    "StreamReader",
    "answer_call",
    "answer_stream_call",
    "check_status",
    "embedding_call",
    "read_answer",
    "read_completion",
    "read_documents",
    "read_embedding",
    "read_titles",
    "retry_pause",
    "search_call",
]

EMBEDDINGS: Final = "embeddings service"
DOCUMENTS: Final = "vector database"
RESULTS: Final = 3  # documents that a search returns

DATABASE: Final = "/api/v2/tenants/default_tenant/databases/default_database"


def embedding_call(settings: Settings, query: str | Sequence[str]) -> Call:
    """Return the call that turns a query into a vector, or several texts into as many."""
    texts = query if isinstance(query, str) else list(query)
    body = {"model": settings.embedding_model, "input": texts, "encoding_format": "float"}
    headers = {"Authorization": f"Bearer {settings.openai_key}"}
    return Call(EMBEDDINGS, f"{settings.openai_url}/embeddings", body, headers, settings.deadlines.answer, attempts=2)


def search_call(settings: Settings, embedding: Sequence[float], *, texts: bool = False) -> Call:
    """Return the call that finds the documents nearest to a vector; with `texts`, what stands in them, too."""
    included = ["metadatas", "distances", *(["documents"] if texts else [])]
    body = {"query_embeddings": [list(embedding)], "n_results": RESULTS, "include": included}
    url = f"{settings.chroma_url}{DATABASE}/collections/{settings.collection}/query"
    return Call(DOCUMENTS, url, body, {}, settings.deadlines.answer)


def read_embedding(answer: Any) -> list[float]:  # noqa: ANN401 - JSON is any
    """Return the vector in an embeddings answer.

    Raises:
        UpstreamFailed: There is none, or it holds something else than finite numbers.

    """
    try:
        embedding = numbers(answer["data"][0]["embedding"])
    except (KeyError, IndexError, TypeError, ValueError, OverflowError):
        raise unexpected(EMBEDDINGS) from None
    if not embedding:
        raise unexpected(EMBEDDINGS)
    return embedding


def read_titles(answer: Any) -> list[str]:  # noqa: ANN401 - JSON is any
    """Return the titles in a query answer, nearest first.

    Raises:
        UpstreamFailed: They are not where they should be.

    """
    try:
        return [text(metadata["title"]) for metadata in answer["metadatas"][0]]
    except (KeyError, IndexError, TypeError, ValueError):
        raise unexpected(DOCUMENTS) from None


def read_documents(answer: Any, *, texts: bool = True) -> list[FoundDocument]:  # noqa: ANN401 - JSON is any
    """Return the documents in a query answer, nearest first; without `texts`, which it was not asked for, only their titles.

    Raises:
        UpstreamFailed: They are not where they should be.

    """
    titles = read_titles(answer)
    try:
        contents = [text(document) for document in answer["documents"][0]] if texts else [""] * len(titles)
        return [FoundDocument(*each) for each in zip(titles, contents, strict=True)]
    except (KeyError, IndexError, TypeError, ValueError):
        raise unexpected(DOCUMENTS) from None

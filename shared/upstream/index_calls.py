"""The calls that fill a collection, in the formats of `shared.lesson.upstreams` and with its readers."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

import aiohttp

from shared.lesson.calls import Call, read_answer, retry_pause, unexpected
from shared.lesson.collection import MODEL_MARK, is_identifier, place
from shared.lesson.problems import UpstreamBroke, UpstreamTimedOut
from shared.lesson.settings import Settings, SettingsError
from shared.lesson.upstreams import DATABASE, DOCUMENTS, EMBEDDINGS, embedding_call, read_embedding
from shared.upstream.documents import Document
from shared.upstream.vectors import of_document

DEADLINE = 30.0
"""Seconds that one call may take: a batch takes longer than one query."""

_URLS = {EMBEDDINGS: "OPENAI_BASE_URL", DOCUMENTS: "CHROMA_URL"}
_REFUSALS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "refuses the key in OPENAI_API_KEY",
    HTTPStatus.FORBIDDEN: "refuses the key in OPENAI_API_KEY",
    HTTPStatus.NOT_FOUND: "does not know the model in OPENAI_EMBEDDING_MODEL, or OPENAI_BASE_URL is not its base",
}

Vectors = Sequence[Sequence[float]]


async def embed(client: aiohttp.ClientSession, settings: Settings, papers: Sequence[Document]) -> Vectors:
    """Return the vectors of documents, each made from its title's and its text's."""
    answer = await _send(client, embedding_call(settings, [text for paper in papers for text in (paper.title, paper.text)]))
    try:
        items = sorted(answer["data"], key=lambda item: item["index"])
    except (KeyError, TypeError):
        raise unexpected(EMBEDDINGS) from None
    vectors = [read_embedding({"data": [item]}) for item in items]
    if len(vectors) != 2 * len(papers) or len({len(vector) for vector in vectors}) > 1:
        raise unexpected(EMBEDDINGS)
    return [of_document(title, text) for title, text in zip(vectors[::2], vectors[1::2], strict=True)]


async def create(client: aiohttp.ClientSession, settings: Settings) -> dict[str, Any]:
    """Make the collection, marked with the model whose vectors it will hold, and return it as Chroma describes it."""
    body = {
        "name": settings.collection,
        "get_or_create": True,  # Somebody else may have made it meanwhile.
        "metadata": {MODEL_MARK: settings.embedding_model},
        "configuration": {"hnsw": {"space": "cosine"}},
    }
    answer = await _send(client, _chroma_call(settings, "", body))
    if not isinstance(answer, dict) or not is_identifier(answer.get("id")):
        raise unexpected(DOCUMENTS)
    return answer


async def upload(
    client: aiohttp.ClientSession, settings: Settings, identifier: str, papers: Sequence[Document], vectors: Vectors
) -> None:
    """Put documents into a collection, in the place of those that have their identifiers."""
    body = {
        "ids": [paper.id for paper in papers],
        "embeddings": vectors,
        "documents": [paper.text for paper in papers],
        "metadatas": [{"title": paper.title} for paper in papers],
    }
    await _send(client, _chroma_call(settings, f"/{identifier}/upsert", body))


def _chroma_call(settings: Settings, path: str, body: Mapping[str, object]) -> Call:
    return Call(DOCUMENTS, f"{settings.chroma_url}{DATABASE}/collections{path}", body, {}, DEADLINE)


async def _begin(client: aiohttp.ClientSession, call: Call) -> aiohttp.ClientResponse:
    """Send a call, again after a pause where that is safe, and return its answer when its head has come."""
    send = partial(client.post, call.url, json=call.body, headers=call.headers, allow_redirects=False)
    for _ in range(call.attempts - 1):
        with suppress(aiohttp.ClientConnectionError):
            response = await send()
            if response.status != HTTPStatus.SERVICE_UNAVAILABLE:
                return response
            response.close()
        await asyncio.sleep(retry_pause())
    return await send()


async def _send(client: aiohttp.ClientSession, call: Call) -> Any:  # noqa: ANN401 - JSON is any
    """Send one call and return the JSON it is answered with."""
    try:
        # Around both attempts: a limit of the client's would begin anew with each.
        async with asyncio.timeout(DEADLINE), await _begin(client, call) as response:
            status, headers, content = response.status, response.headers, await response.read()
    except TimeoutError:
        raise UpstreamTimedOut(call.service, DEADLINE) from None
    except aiohttp.ClientConnectorError:
        raise SettingsError(f"Nothing answers at {_URLS[call.service]} ({place(call.url)}).") from None
    except aiohttp.ClientError:
        raise UpstreamBroke(call.service) from None
    if call.service == EMBEDDINGS and status in _REFUSALS:
        raise SettingsError(f"The {EMBEDDINGS} at {place(call.url)} {_REFUSALS[status]}.")
    return read_answer(call, status, headers, content)

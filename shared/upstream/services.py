"""Two stand-ins: one answers like OpenAI's embeddings and chat endpoints, one like a query to Chroma's REST interface, version 2.

They take as long as the lesson's services do, and answer from the same documents every time.
"""

import asyncio
import base64
import struct
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from shared.upstream import chat
from shared.upstream.embedding import DIMENSIONS, embed, nearest
from shared.upstream.faults import FAULTS, misbehave
from shared.upstream.witness import SeenCall, Witness

EMBEDDING_SECONDS = 0.2
QUERY_SECONDS = 0.05

WITNESS = web.AppKey("WITNESS", Witness)

Answer = Callable[[web.Request, Any, SeenCall], Awaitable[web.StreamResponse]]


def watched(service: str, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Wrap an endpoint: read its JSON, record the call, and misbehave if that was asked for."""

    async def endpoint(request: web.Request) -> web.StreamResponse:
        try:
            body = await request.json() if request.can_read_body else None
        except ValueError:
            return refusal(400, "We could not parse the JSON body of your request.")
        host, port = request.transport.get_extra_info("peername")[:2] if request.transport else ("gone", 0)
        with request.app[WITNESS].watch(service, f"{host}:{port}", body, request.headers) as call:
            fault = request.app[FAULTS].take(service)
            response = await misbehave(request, fault) if fault else None
            return response or await answer(request, body, call)

    return endpoint


def refusal(status: int, message: str) -> web.Response:
    """Return an error in OpenAI's format."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return web.json_response({"error": error}, status=status)


async def embeddings(request: web.Request, body: Any, call: SeenCall) -> web.StreamResponse:  # noqa: ANN401 - JSON is any
    """`POST /v1/embeddings`: a vector for each text."""
    texts = body.get("input") if isinstance(body, dict) else None
    texts = [texts] if isinstance(texts, str) else texts
    size = body.get("dimensions", DIMENSIONS) if isinstance(body, dict) else 0
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        return refusal(400, "'input' must be a string or a list of strings.")
    if not isinstance(size, int) or not 1 <= size <= DIMENSIONS:
        return refusal(400, f"'dimensions' must be a whole number from 1 to {DIMENSIONS}.")
    deadline = time.monotonic() + EMBEDDING_SECONDS
    vectors = [embed(text, size) for text in texts]
    call.answered = vectors[0]
    await asyncio.sleep(deadline - time.monotonic())
    encoded = [_base64(vector) for vector in vectors] if body.get("encoding_format") == "base64" else vectors
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(encoded)]
    tokens = sum(len(text.split()) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return web.json_response({"object": "list", "model": body.get("model"), "data": data, "usage": usage})


async def query(request: web.Request, body: Any, call: SeenCall) -> web.StreamResponse:  # noqa: ANN401 - JSON is any
    """`POST …/collections/{id}/query`: the documents nearest to each vector."""
    deadline = time.monotonic() + QUERY_SECONDS
    try:
        found = [nearest(vector, int(body.get("n_results", 10))) for vector in body["query_embeddings"]]
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        return web.json_response({"error": "InvalidArgumentError", "message": str(error)}, status=400)
    call.answered = [[document.title for document, _ in row] for row in found]
    await asyncio.sleep(deadline - time.monotonic())
    answer: dict[str, object] = {"ids": [[document.id for document, _ in row] for row in found]}
    included = body.get("include", ["metadatas", "documents", "distances"])
    columns: dict[str, Callable[[Any, float], object]] = {
        "metadatas": lambda document, _: {"title": document.title},
        "documents": lambda document, _: document.text,
        "distances": lambda _, distance: distance,
    }
    for name, column in columns.items():
        answer[name] = [[column(*pair) for pair in row] for row in found] if name in included else None
    answer |= {"embeddings": None, "uris": None, "include": included}
    return web.json_response(answer)


def openai_routes() -> list[web.RouteDef]:
    """Return the routes of the OpenAI-compatible service."""
    return [
        web.post("/v1/embeddings", watched("embeddings", embeddings)),
        web.post("/v1/chat/completions", watched("chat", chat.completions)),
    ]


def chroma_routes() -> list[web.RouteDef]:
    """Return the routes of the Chroma-like service."""
    database = "/api/v2/tenants/default_tenant/databases/default_database"
    return [web.post(database + "/collections/{collection}/query", watched("query", query))]


def _base64(vector: list[float]) -> str:
    # What OpenAI's own client asks for: 32-bit floats, least significant byte first.
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()

"""A stand-in for OpenAI's embeddings (https://platform.openai.com/docs/api-reference/embeddings)."""

import asyncio
import base64
import struct
import time
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from shared.upstream.embedding import DIMENSIONS, embed
from shared.upstream.openai_format import RefusedError, read_model, read_object
from shared.upstream.texts import TEXTS
from shared.upstream.witness import SeenCall

EMBEDDING_SECONDS = 0.2
FAMILY = "text-embedding-"
MOST_INPUTS = 2048
ENCODINGS = ("float", "base64")


async def embeddings(request: web.Request, body: Any, call: SeenCall) -> web.StreamResponse:  # noqa: ANN401 - JSON is any
    """`POST /v1/embeddings`: a vector for each text."""
    deadline = time.monotonic() + EMBEDDING_SECONDS
    asked = read_object(body)
    model, texts, size = read_model(asked, FAMILY), _texts(asked.get("input")), _size(asked.get("dimensions"))
    encoding = asked.get("encoding_format") or "float"
    if encoding not in ENCODINGS:
        raise RefusedError(f"'encoding_format' must be one of {', '.join(ENCODINGS)}.", param="encoding_format")
    vectors = [embed(text, size) for text in texts]
    for text, vector in zip(texts, vectors, strict=True):
        request.app[TEXTS].remember(vector, text)
    call.answered = vectors[0]
    await asyncio.sleep(deadline - time.monotonic())
    encoded = vectors if encoding == "float" else [_base64(vector) for vector in vectors]
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(encoded)]
    tokens = sum(len(text.split()) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return web.json_response({"object": "list", "model": model, "data": data, "usage": usage})


def _texts(given: object) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
        raise RefusedError("'input' must be a string or a list of strings, none of them empty.", param="input")
    if not 1 <= len(texts) <= MOST_INPUTS:
        raise RefusedError(f"'input' must hold from 1 to {MOST_INPUTS} strings.", param="input")
    return texts


def _size(given: object) -> int:
    size = DIMENSIONS if given is None else given
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= DIMENSIONS:
        raise RefusedError(f"'dimensions' must be a whole number from 1 to {DIMENSIONS}.", param="dimensions")
    return size


def _base64(vector: Sequence[float]) -> str:
    # What OpenAI's own client asks for: 32-bit floats, least significant byte first.
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()

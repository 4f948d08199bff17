"""Chroma's own asynchronous client runs on trio as it does on asyncio: it calls with httpx."""

from urllib.parse import urlsplit

import anyio
import chromadb
import pytest


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_lists_the_collections(chroma_url: str, backend: str) -> None:
    """It connects, and is answered."""
    address = urlsplit(chroma_url)

    async def names() -> list[str]:
        asked = await chromadb.AsyncHttpClient(host=str(address.hostname), port=address.port or 0)
        return [collection.name for collection in await asked.list_collections()]

    assert anyio.run(names, backend=backend)

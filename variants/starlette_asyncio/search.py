"""A search that calls two services: one embeds the query, the other finds the documents nearest to it.

Different here: httpx2, one client for the whole server, kept in the lifespan's state and found in `request.state`.
Pick it when: your framework brings no HTTP client; httpx2 is close to `requests`, and runs on asyncio and trio.
Watch for: what `request.state` holds has no type here, so a misspelt name shows only when a request comes.
"""

import httpx2
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.lesson import limits, shapes, upstreams
from shared.lesson.chat import FoundDocument
from shared.lesson.settings import Settings
from shared.lesson.timing import elapsed, operation
from variants.starlette_asyncio.resilience import call_upstream


async def get_embedding(client: httpx2.AsyncClient, settings: Settings, query: str) -> list[float]:
    """Ask the embeddings service for the vector of a query."""
    with operation("ASYNC", "embedding"):
        answer = await call_upstream(client, upstreams.embedding_call(settings, query))
    return upstreams.read_embedding(answer)


async def search_documents(
    client: httpx2.AsyncClient, settings: Settings, embedding: list[float], *, texts: bool = False
) -> list[FoundDocument]:
    """Ask the vector database for the documents nearest to a vector: their titles, and with `texts` what stands in them, too."""
    with operation("ASYNC", "search"):
        answer = await call_upstream(client, upstreams.search_call(settings, embedding, texts=texts))
    return upstreams.read_documents(answer, texts=texts)


async def get_answer(client: httpx2.AsyncClient, settings: Settings, query: str, documents: list[FoundDocument]) -> str:
    """Ask the language model for an answer from the documents."""
    with operation("ASYNC", "answer"):
        answer = await call_upstream(client, upstreams.answer_call(settings, query, documents))
    return upstreams.read_completion(answer)


async def search_demo(request: Request) -> JSONResponse:
    """GOOD: while this search waits, others are served. There is nothing to gather: each call needs the one before."""
    query = limits.read_query(request.query_params.get("query"))
    answer = limits.read_answer(request.query_params.get("answer"))
    client, settings = request.state.client, request.state.settings
    embedding = await get_embedding(client, settings, query)
    documents = await search_documents(client, settings, embedding, texts=answer)
    text = await get_answer(client, settings, query, documents) if answer else None
    return JSONResponse(shapes.found(query, embedding, documents, elapsed(), text))


routes = [
    Route("/search-demo", search_demo, methods=["POST"]),
]

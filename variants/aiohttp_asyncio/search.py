"""A search that calls two services: one embeds the query, the other finds the documents nearest to it.

Different here: aiohttp's own client, one session for the whole server, kept in the application under a typed key.
Pick it when: aiohttp is your server: the client comes with it, and works the same way.
Watch for: in an application inside another, `request.app` is the inner one; `request.config_dict` also finds the outer's keys.
"""

import aiohttp
from aiohttp import web

from shared.lesson import limits, shapes, upstreams
from shared.lesson.chat import FoundDocument
from shared.lesson.settings import Settings
from shared.lesson.timing import elapsed, operation
from variants.aiohttp_asyncio.resilience import call_upstream

CLIENT = web.AppKey("CLIENT", aiohttp.ClientSession)
SETTINGS = web.AppKey("SETTINGS", Settings)

routes = web.RouteTableDef()


async def get_embedding(client: aiohttp.ClientSession, settings: Settings, query: str) -> list[float]:
    """Ask the embeddings service for the vector of a query."""
    with operation("ASYNC", "embedding"):
        answer = await call_upstream(client, upstreams.embedding_call(settings, query))
    return upstreams.read_embedding(answer)


async def search_documents(
    client: aiohttp.ClientSession, settings: Settings, embedding: list[float], *, texts: bool = False
) -> list[FoundDocument]:
    """Ask the vector database for the documents nearest to a vector: their titles, and with `texts` what stands in them, too."""
    with operation("ASYNC", "search"):
        answer = await call_upstream(client, upstreams.search_call(settings, embedding, texts=texts))
    return upstreams.read_documents(answer, texts=texts)


async def get_answer(client: aiohttp.ClientSession, settings: Settings, query: str, documents: list[FoundDocument]) -> str:
    """Ask the language model for an answer from the documents."""
    with operation("ASYNC", "answer"):
        answer = await call_upstream(client, upstreams.answer_call(settings, query, documents))
    return upstreams.read_completion(answer)


@routes.post("/search-demo")
async def search_demo(request: web.Request) -> web.Response:
    """GOOD: while this search waits, others are served. There is nothing to gather: each call needs the one before."""
    query = limits.read_query(request.query.get("query"))
    answer = limits.read_answer(request.query.get("answer"))
    client, settings = request.app[CLIENT], request.app[SETTINGS]
    embedding = await get_embedding(client, settings, query)
    documents = await search_documents(client, settings, embedding, texts=answer)
    text = await get_answer(client, settings, query, documents) if answer else None
    return web.json_response(shapes.found(query, embedding, documents, elapsed(), text))

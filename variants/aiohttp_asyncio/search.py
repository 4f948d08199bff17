"""A search that calls two services: one embeds the query, the other finds the documents nearest to it.

Different here: aiohttp's own client, one session for the whole server, kept in the application; an answer is read in its block.
Pick it when: aiohttp is your server: the client comes with it, and works the same way.
Watch for: it follows redirects unless told not to, and a `TimeoutError` must be caught before its `ClientError`.
"""

import asyncio
from typing import Any

import aiohttp
from aiohttp import web

from shared.lesson import limits, shapes, upstreams
from shared.lesson.problems import UpstreamBroke, UpstreamTimedOut, UpstreamUnreachable
from shared.lesson.settings import Settings
from shared.lesson.timing import elapsed, operation

CLIENT = web.AppKey("CLIENT", aiohttp.ClientSession)
SETTINGS = web.AppKey("SETTINGS", Settings)

routes = web.RouteTableDef()


async def call_upstream(client: aiohttp.ClientSession, call: upstreams.Call) -> Any:  # noqa: ANN401 - JSON is any
    """Send one request and return the JSON it is answered with, or say in the project's words why there is none."""
    try:
        async with (
            asyncio.timeout(call.deadline),
            client.post(call.url, json=call.body, headers=call.headers, allow_redirects=False) as response,
        ):
            content = await response.read()
    except TimeoutError:
        raise UpstreamTimedOut(call.service, call.deadline) from None
    except aiohttp.ClientConnectorError as error:
        raise UpstreamUnreachable(call.service) from error
    except aiohttp.ClientError as error:
        raise UpstreamBroke(call.service) from error
    return upstreams.read_answer(call, response.status, response.headers, content)


async def get_embedding(client: aiohttp.ClientSession, settings: Settings, query: str) -> list[float]:
    """Ask the embeddings service for the vector of a query."""
    with operation("ASYNC", "embedding"):
        answer = await call_upstream(client, upstreams.embedding_call(settings, query))
    return upstreams.read_embedding(answer)


async def search_documents(client: aiohttp.ClientSession, settings: Settings, embedding: list[float]) -> list[str]:
    """Ask the vector database for the titles nearest to a vector."""
    with operation("ASYNC", "search"):
        answer = await call_upstream(client, upstreams.search_call(settings, embedding))
    return upstreams.read_titles(answer)


@routes.post("/search-demo")
async def search_demo(request: web.Request) -> web.Response:
    """GOOD: while this search waits, others are served. There is nothing to gather: the second call needs the first."""
    query = limits.read_query(request.query.get("query"))
    client, settings = request.app[CLIENT], request.app[SETTINGS]
    embedding = await get_embedding(client, settings, query)
    titles = await search_documents(client, settings, embedding)
    return web.json_response(shapes.found(query, embedding, titles, elapsed()))

"""A search that calls two services: one embeds the query, the other finds the documents nearest to it.

Different here: httpx2, one client for the whole server, kept in the lifespan's state; a deadline from anyio around each call.
Pick it when: you are on trio: httpx2 is the HTTP client that runs there as it does on asyncio.
Watch for: its own timeouts start anew with every read, so a dripping service would never time out without the deadline.
"""

from typing import Any

import anyio
import httpx2
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.lesson import limits, shapes, upstreams
from shared.lesson.problems import UpstreamBroke, UpstreamTimedOut, UpstreamUnreachable
from shared.lesson.settings import Settings
from shared.lesson.timing import elapsed, operation


async def call_upstream(client: httpx2.AsyncClient, call: upstreams.Call) -> Any:  # noqa: ANN401 - JSON is any
    """Send one request and return the JSON it is answered with, or say in the project's words why there is none."""
    try:
        with anyio.fail_after(call.deadline):
            response = await client.post(call.url, json=call.body, headers=call.headers)
    except TimeoutError:
        raise UpstreamTimedOut(call.service, call.deadline) from None
    except httpx2.ConnectError as error:
        raise UpstreamUnreachable(call.service) from error
    except httpx2.HTTPError as error:
        raise UpstreamBroke(call.service) from error
    return upstreams.read_answer(call, response.status_code, response.headers, response.content)


async def get_embedding(client: httpx2.AsyncClient, settings: Settings, query: str) -> list[float]:
    """Ask the embeddings service for the vector of a query."""
    with operation("ASYNC", "embedding"):
        answer = await call_upstream(client, upstreams.embedding_call(settings, query))
    return upstreams.read_embedding(answer)


async def search_documents(client: httpx2.AsyncClient, settings: Settings, embedding: list[float]) -> list[str]:
    """Ask the vector database for the titles nearest to a vector."""
    with operation("ASYNC", "search"):
        answer = await call_upstream(client, upstreams.search_call(settings, embedding))
    return upstreams.read_titles(answer)


async def search_demo(request: Request) -> JSONResponse:
    """GOOD: while this search waits, others are served. There is nothing to gather: the second call needs the first."""
    query = limits.read_query(request.query_params.get("query"))
    client, settings = request.state.client, request.state.settings
    embedding = await get_embedding(client, settings, query)
    titles = await search_documents(client, settings, embedding)
    return JSONResponse(shapes.found(query, embedding, titles, elapsed()))


routes = [
    Route("/search-demo", search_demo, methods=["POST"]),
]

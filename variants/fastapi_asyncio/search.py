"""A search that calls two services: one embeds the query, the other finds the documents nearest to it.

Different here: a declared query, checked before the handler runs, and a declared answer. The client and its calls
are Starlette's line by line: FastAPI brings none of its own.
Pick it when: you want what may be asked, and what comes back, stated once: checked, and shown at `/docs`.
Watch for: the answer is checked too. What its type does not name is left out; what does not fit it is a 500, after all the work.
"""

import asyncio
from typing import Annotated, Any

import httpx2
from fastapi import APIRouter, Query, Request

from shared.lesson import shapes, upstreams
from shared.lesson.limits import MAX_QUERY_LENGTH, QUERY_PATTERN
from shared.lesson.problems import UpstreamBroke, UpstreamTimedOut, UpstreamUnreachable
from shared.lesson.settings import Settings
from shared.lesson.timing import elapsed, operation

SearchQuery = Annotated[str, Query(max_length=MAX_QUERY_LENGTH, pattern=QUERY_PATTERN)]

routes = APIRouter()


async def call_upstream(client: httpx2.AsyncClient, call: upstreams.Call) -> Any:  # noqa: ANN401 - JSON is any
    """Send one request and return the JSON it is answered with, or say in the project's words why there is none."""
    try:
        async with asyncio.timeout(call.deadline):
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


@routes.post("/search-demo")
async def search_demo(request: Request, query: SearchQuery) -> shapes.SearchAnswer:
    """GOOD: while this search waits, others are served. There is nothing to gather: the second call needs the first."""
    client, settings = request.state.client, request.state.settings
    embedding = await get_embedding(client, settings, query)
    titles = await search_documents(client, settings, embedding)
    return shapes.found(query, embedding, titles, elapsed())

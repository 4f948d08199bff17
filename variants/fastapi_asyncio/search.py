"""A search that calls two services: one embeds the query, the other finds the documents nearest to it.

Different here: a declared query, checked before the handler runs, and a declared answer. The client and its calls
are Starlette's line by line: FastAPI brings none of its own.
Pick it when: you want what may be asked, and what comes back, stated once: checked, and shown at `/docs`.
Watch for: the answer is checked too. What its type does not name is left out; what does not fit it is a 500, after all the work.
"""

from typing import Annotated, Literal

import httpx2
from fastapi import APIRouter, Query, Request

from shared.lesson import shapes, upstreams
from shared.lesson.chat import FoundDocument
from shared.lesson.limits import MAX_QUERY_LENGTH, QUERY_PATTERN
from shared.lesson.settings import Settings
from shared.lesson.timing import elapsed, operation
from variants.fastapi_asyncio.resilience import call_upstream

SearchQuery = Annotated[str, Query(max_length=MAX_QUERY_LENGTH, pattern=QUERY_PATTERN)]
# Not a bool, which would also be 1, yes, on, True, and more of the kind: no other stack takes those.
WithAnswer = Annotated[Literal["true", "false"], Query(alias="answer")]

routes = APIRouter()


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


@routes.post("/search-demo")
async def search_demo(request: Request, query: SearchQuery, wanted: WithAnswer = "false") -> shapes.SearchAnswer:
    """GOOD: while this search waits, others are served. There is nothing to gather: each call needs the one before."""
    answer = wanted == "true"
    client, settings = request.state.client, request.state.settings
    embedding = await get_embedding(client, settings, query)
    documents = await search_documents(client, settings, embedding, texts=answer)
    text = await get_answer(client, settings, query, documents) if answer else None
    return shapes.found(query, embedding, documents, elapsed(), text)

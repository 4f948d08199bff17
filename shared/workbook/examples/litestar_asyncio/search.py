"""A search that calls two services: one embeds the query, the other finds the documents nearest to it.

Different here: httpx2, one client for the whole server; a handler is handed it because it has a parameter of that name.
Pick it when: you want what a handler needs to stand in its parameters, with types: they are checked when the server starts.
Watch for: some names are Litestar's own: a parameter called `query` gets all of them, so the one of that name is called `text`.
"""

from typing import Annotated, Literal

import httpx2
from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from shared.lesson import limits, shapes, upstreams
from shared.lesson.chat import FoundDocument
from shared.lesson.settings import Settings
from shared.lesson.timing import elapsed, operation
from shared.workbook.examples.litestar_asyncio.resilience import call_upstream

Client = NamedDependency[httpx2.AsyncClient]
Config = NamedDependency[Settings]
SearchQuery = Annotated[str | None, QueryParameter(name="query")]
# Not a bool, which would also be 1, yes, on, and more of the kind: no other stack takes those.
YesOrNo = FromQuery[Literal["true", "false"]]


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


@post("/search-demo", status_code=200)
async def search_demo(
    client: Client, settings: Config, text: SearchQuery = None, answer: YesOrNo = "false"
) -> shapes.SearchAnswer:
    """GOOD: while this search waits, others are served. There is nothing to gather: each call needs the one before."""
    query, wanted = limits.read_query(text), answer == "true"
    embedding = await get_embedding(client, settings, query)
    documents = await search_documents(client, settings, embedding, texts=wanted)
    told = await get_answer(client, settings, query, documents) if wanted else None
    return shapes.found(query, embedding, documents, elapsed(), told)


routes = [search_demo]

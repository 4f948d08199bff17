"""An answer that arrives while it is written: the documents found, then the language model's words, as server-sent events.

Different here: the endpoint is a generator itself, and FastAPI makes events of what it yields. What has to come before the
first of them, and may fail with a status, is a dependency.
Pick it when: you want the framework to write the events, with a sign of life every 15 seconds, and to show them at `/docs`.
Watch for: the status is sent before such an endpoint runs; an error that it raises itself can only break the answer off. And it
is dropped, not closed, when a client leaves: what it reads from is closed by the dependency that opened it.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from shared.lesson import events, problems, upstreams
from shared.lesson.chat import FoundDocument
from shared.lesson.timing import operation, record
from variants.fastapi_asyncio.resilience import stream_upstream
from variants.fastapi_asyncio.search import SearchQuery, get_embedding, search_documents

routes = APIRouter()


async def find_documents(request: Request, query: SearchQuery) -> list[FoundDocument]:
    """Do all that has to be done before the first event: what fails here is still answered with a status of its own."""
    client, settings = request.state.client, request.state.settings
    embedding = await get_embedding(client, settings, query)
    return await search_documents(client, settings, embedding, texts=True)


async def stream_answer(request: Request, query: str, documents: list[FoundDocument]) -> AsyncGenerator[events.Event]:
    """Yield what the client is told: the documents, each piece of the answer as soon as the model has it, and how it ended."""
    client, settings = request.state.client, request.state.settings
    call, reader = upstreams.answer_stream_call(settings, query, documents), upstreams.StreamReader()
    yield events.documents_found(query, documents)
    try:
        # Closed here, whatever happens: a generator that is only dropped ends when somebody collects it.
        with operation("ASYNC", "answer"):
            async with aclosing(stream_upstream(client, call)) as pieces:
                async for piece in pieces:
                    for text in reader.feed(piece):
                        yield events.token(text)
                    if reader.done:
                        break  # The answer is whole. The service may keep the connection open, so its end is not waited for.
            reader.end()
    except problems.Problem as problem:
        yield events.failed(problem)
    else:
        yield events.done(record())


async def _closed_afterwards(
    request: Request, query: SearchQuery, documents: Annotated[list[FoundDocument], Depends(find_documents)]
) -> AsyncIterator[AsyncGenerator[events.Event]]:
    """Give what the client is told, and close it when all is over: FastAPI drops the endpoint itself when the client leaves."""
    async with aclosing(stream_answer(request, query, documents)) as stream:
        yield stream


@routes.post("/answer-stream", response_class=EventSourceResponse)
async def answer_stream(
    stream: Annotated[AsyncGenerator[events.Event], Depends(_closed_afterwards)],
) -> AsyncIterator[ServerSentEvent]:
    """GOOD: the client reads the first words while the model looks for the next, and a wait for it costs no thread."""
    async for event in stream:
        yield ServerSentEvent(event=event.name, data=event.data)

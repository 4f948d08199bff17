"""An answer that arrives while it is written: the documents found, then the language model's words, as server-sent events.

Different here: the handler writes each event itself, when it has it; nothing stands between it and the connection.
Pick it when: you want to say when the head is sent, and what between two pieces.
Watch for: a client that leaves is noticed at the next write only, unless the server cancels its handler: `serve.py` asks
for that. The head is sent by `prepare`, so a header that a middleware adds comes too late.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from aiohttp import web

from shared.lesson import events, limits, problems, upstreams
from shared.lesson.chat import FoundDocument
from shared.lesson.timing import operation, record
from variants.aiohttp_asyncio.resilience import stream_upstream
from variants.aiohttp_asyncio.search import CLIENT, SETTINGS, get_embedding, search_documents

routes = web.RouteTableDef()


async def find_documents(request: web.Request, query: str) -> list[FoundDocument]:
    """Do all that has to be done before the first event: what fails here is still answered with a status of its own."""
    client, settings = request.app[CLIENT], request.app[SETTINGS]
    embedding = await get_embedding(client, settings, query)
    return await search_documents(client, settings, embedding, texts=True)


async def stream_answer(request: web.Request, query: str, documents: list[FoundDocument]) -> AsyncGenerator[bytes]:
    """Yield what the client is told: the documents, each piece of the answer as soon as the model has it, and how it ended."""
    client, settings = request.app[CLIENT], request.app[SETTINGS]
    call, reader = upstreams.answer_stream_call(settings, query, documents), upstreams.StreamReader()
    yield events.documents_found(query, documents).encode()
    try:
        # Closed here, whatever happens: a generator that is only dropped ends when somebody collects it.
        with operation("ASYNC", "answer"):
            async with aclosing(stream_upstream(client, call)) as pieces:
                async for piece in pieces:
                    for text in reader.feed(piece):
                        yield events.token(text).encode()
                    if reader.done:
                        break  # The answer is whole. The service may keep the connection open, so its end is not waited for.
            reader.end()
    except problems.Problem as problem:
        yield events.failed(problem).encode()
    else:
        yield events.done(record()).encode()


@routes.post("/answer-stream")
async def answer_stream(request: web.Request) -> web.StreamResponse:
    """GOOD: the client reads the first words while the model looks for the next, and a wait for it costs no thread."""
    query = limits.read_query(request.query.get("query"))
    documents = await find_documents(request, query)
    response = web.StreamResponse(headers={**events.HEADERS, "Server-Timing": record().header()})
    response.content_type = events.MEDIA_TYPE
    await response.prepare(request)
    with suppress(ConnectionResetError):  # The reader has left: that is no error, and there is nobody to tell.
        async with aclosing(stream_answer(request, query, documents)) as stream:
            async for event in stream:
                await response.write(event)
    return response

"""An answer that arrives while it is written: the documents found, then the language model's words, as server-sent events.

Different here: a `Stream` is handed a generator, and sends what it yields, piece by piece.
Pick it when: what you send comes bit by bit, and the first bit is worth reading.
Watch for: it stops when the client leaves, but does not close the generator that waited to be read; the class below does.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx2
from litestar import post
from litestar.background_tasks import BackgroundTask
from litestar.response import Stream

from shared.lesson import events, limits, problems, upstreams
from shared.lesson.chat import FoundDocument
from shared.lesson.settings import Settings
from shared.lesson.timing import operation, record
from shared.workbook.examples.litestar_asyncio.resilience import stream_upstream
from shared.workbook.examples.litestar_asyncio.search import Client, Config, SearchQuery, get_embedding, search_documents


class EventStream(Stream):
    """A response that closes what it is made from, also when the client leaves while it waits to be read."""

    def __init__(self, told: AsyncGenerator[events.Event]) -> None:
        stream = _written(told)
        # The task runs when nothing more is sent, whichever side ended it.
        super().__init__(stream, headers=events.HEADERS, media_type=events.MEDIA_TYPE, background=BackgroundTask(_close, stream))


async def _written(told: AsyncGenerator[events.Event]) -> AsyncGenerator[bytes]:
    async with aclosing(told):
        async for event in told:
            yield event.encode()


async def _close(stream: AsyncGenerator[bytes]) -> None:
    await stream.aclose()


async def find_documents(client: httpx2.AsyncClient, settings: Settings, query: str) -> list[FoundDocument]:
    """Do all that has to be done before the first event: what fails here is still answered with a status of its own."""
    embedding = await get_embedding(client, settings, query)
    return await search_documents(client, settings, embedding, texts=True)


async def stream_answer(
    client: httpx2.AsyncClient, settings: Settings, query: str, documents: list[FoundDocument]
) -> AsyncGenerator[events.Event]:
    """Yield what the client is told: the documents, each piece of the answer as soon as the model has it, and how it ended."""
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


@post("/answer-stream", status_code=200)
async def answer_stream(client: Client, settings: Config, text: SearchQuery = None) -> EventStream:
    """GOOD: the client reads the first words while the model looks for the next, and a wait for it costs no thread."""
    query = limits.read_query(text)
    documents = await find_documents(client, settings, query)
    return EventStream(stream_answer(client, settings, query, documents))


routes = [answer_stream]

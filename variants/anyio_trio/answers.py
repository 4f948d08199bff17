"""An answer that arrives while it is written: the documents found, then the language model's words, as server-sent events.

Different here: the same `StreamingResponse` as on Starlette, but on trio.
Pick it when: what you send comes bit by bit, and the first bit is worth reading.
Watch for: Starlette stops sending when the server says that the client is gone, and anycorn says so within the last `send`:
without the shield below, that one never ends, and the connection stays open for ever.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Send

from shared.lesson import events, limits, problems, upstreams
from shared.lesson.chat import FoundDocument
from shared.lesson.timing import operation, record
from variants.anyio_trio.resilience import stream_upstream
from variants.anyio_trio.search import get_embedding, search_documents


class EventStream(StreamingResponse):
    """A response that closes what it is made from, also when the client leaves while it waits to be read."""

    media_type = events.MEDIA_TYPE
    body_iterator: AsyncGenerator[bytes]

    async def stream_response(self, send: Send) -> None:  # type: ignore[explicit-override]  # Python 3.11 has no `override`.
        """Send all of it."""

        async def send_to_the_end(message: Message) -> None:
            with anyio.CancelScope(shield=not message.get("more_body", True)):
                await send(message)

        async with aclosing(self.body_iterator):
            await super().stream_response(send_to_the_end)


async def find_documents(request: Request, query: str) -> list[FoundDocument]:
    """Do all that has to be done before the first event: what fails here is still answered with a status of its own."""
    client, settings = request.state.client, request.state.settings
    embedding = await get_embedding(client, settings, query)
    return await search_documents(client, settings, embedding, texts=True)


async def stream_answer(request: Request, query: str, documents: list[FoundDocument]) -> AsyncGenerator[bytes]:
    """Yield what the client is told: the documents, each piece of the answer as soon as the model has it, and how it ended."""
    client, settings = request.state.client, request.state.settings
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


async def answer_stream(request: Request) -> EventStream:
    """GOOD: the client reads the first words while the model looks for the next, and a wait for it costs no thread."""
    query = limits.read_query(request.query_params.get("query"))
    documents = await find_documents(request, query)
    stream = stream_answer(request, query, documents)
    return EventStream(stream, headers=events.HEADERS)


routes = [
    Route("/answer-stream", answer_stream, methods=["POST"]),
]

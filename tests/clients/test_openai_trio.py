"""OpenAI's own client runs on trio as it does on asyncio: it waits with anyio and calls with httpx."""

import gc
import warnings

import anyio
import openai
import pytest

from shared.lab.upstream import Upstreams
from shared.lesson.settings import CHAT_MODEL, EMBEDDING_MODEL

anyloop = pytest.mark.parametrize("backend", ["asyncio", "trio"])


def client(upstreams: Upstreams) -> openai.AsyncOpenAI:
    """Return the client as its documentation makes one, told only where the service is."""
    environment = upstreams.environment()
    return openai.AsyncOpenAI(base_url=environment["OPENAI_BASE_URL"], api_key=environment["OPENAI_API_KEY"])


@anyloop
def test_it_embeds(upstreams: Upstreams, backend: str) -> None:
    """A plain call is answered."""

    async def embed() -> int:
        async with client(upstreams) as asked:
            answer = await asked.embeddings.create(model=EMBEDDING_MODEL, input="budget")
            return len(answer.data[0].embedding)

    assert anyio.run(embed, backend=backend) == 1536


@anyloop
def test_it_streams(upstreams: Upstreams, backend: str) -> None:
    """An answer comes in parts; on trio with the warning, hidden by default, that its generators were not closed."""

    async def stream() -> str:
        async with client(upstreams) as asked:
            parts = await asked.chat.completions.create(
                model=CHAT_MODEL, messages=[{"role": "user", "content": "How was Q4?"}], stream=True
            )
            return "".join([part.choices[0].delta.content or "" async for part in parts if part.choices])

    with warnings.catch_warnings(record=True, category=ResourceWarning) as warned:
        warnings.simplefilter("always", ResourceWarning)
        assert anyio.run(stream, backend=backend)
        gc.collect()
    assert any("openai" in str(warning.message) for warning in warned) == (backend == "trio")


@anyloop
def test_it_tries_again(upstreams: Upstreams, backend: str) -> None:
    """Between two tries it waits, which is what a client written on asyncio alone could not do here."""
    upstreams.misbehave("embeddings", "answer", status=503, body='{"error": {"message": "overloaded"}}', count=1)

    async def embed() -> int:
        async with client(upstreams) as asked:
            return len((await asked.embeddings.create(model=EMBEDDING_MODEL, input="budget")).data)

    before = upstreams.last_call()
    assert anyio.run(embed, backend=backend) == 1
    assert [call.status for call in upstreams.calls(before)] == [503, 200]

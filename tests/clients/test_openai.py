"""OpenAI's own client takes the embedded service for the real one: its answers, its streams, its errors, its 429."""

import asyncio
import time
from collections.abc import Iterator

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from shared.lab.upstream import Call, Upstreams
from shared.lesson.settings import CHAT_MODEL, EMBEDDING_MODEL
from shared.upstream.services import CHAT_SECONDS, EMBEDDING_SECONDS

DOCUMENTS = "Answer from the documents.\n\n## Q4 report\nRevenue in Q4 rose by 18 percent.\n\n## Holidays\nEverybody has 28 days."
MESSAGES: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": DOCUMENTS},
    {"role": "user", "content": "How was Q4?"},
]
ANSWER = "Revenue in Q4 rose by 18 percent."
EARLY = 0.002  # Seconds by which a timer may end too soon.


@pytest.fixture
def client(upstreams: Upstreams) -> Iterator[openai.OpenAI]:
    """Return the client as its documentation makes one, told only where the service is."""
    environment = upstreams.environment()
    with openai.OpenAI(base_url=environment["OPENAI_BASE_URL"], api_key=environment["OPENAI_API_KEY"]) as client:
        yield client


def seen(upstreams: Upstreams, count: int) -> list[Call]:
    """Return the last calls as the witness saw them, once they are over."""
    upstreams.wait_for_calls(10)
    return upstreams.calls(upstreams.last_call() - count)


def embed(client: openai.OpenAI, text: str = "budget") -> list[float]:
    """Embed a text the way most people do."""
    return client.embeddings.create(model=EMBEDDING_MODEL, input=text).data[0].embedding


def test_embeddings(client: openai.OpenAI, upstreams: Upstreams) -> None:
    """One text or many, as numbers or in base64, which the client asks for by itself: the same vectors."""
    one = embed(client)
    assert seen(upstreams, 1)[0].sent["encoding_format"] == "base64"
    many = client.embeddings.create(model=EMBEDDING_MODEL, input=["Q4 report", "budget"], encoding_format="float")
    assert (many.object, many.model, [item.index for item in many.data]) == ("list", EMBEDDING_MODEL, [0, 1])
    assert len(one) == len(many.data[0].embedding) == 1536
    assert one == pytest.approx(many.data[1].embedding, abs=1e-6)  # Base64 carries floats of 32 bits.
    assert many.usage.prompt_tokens == many.usage.total_tokens == 3
    short = client.embeddings.create(model=EMBEDDING_MODEL, input="budget", dimensions=256)
    assert len(short.data[0].embedding) == 256


def test_a_chat(client: openai.OpenAI, upstreams: Upstreams) -> None:
    """A completion has all its parts, says what the documents say, and takes its time."""
    began = time.monotonic()
    completion = client.chat.completions.create(model=CHAT_MODEL, messages=MESSAGES)
    assert time.monotonic() - began >= CHAT_SECONDS - EARLY
    choice = completion.choices[0]
    assert (completion.object, completion.model, choice.finish_reason) == ("chat.completion", CHAT_MODEL, "stop")
    assert (choice.message.role, choice.message.content) == ("assistant", ANSWER)
    assert completion.usage
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    assert seen(upstreams, 1)[0].answered["text"] == ANSWER


def test_a_stream(client: openai.OpenAI, upstreams: Upstreams) -> None:
    """Each token is there before the next is sent, as the witness noted; then the reason for the end, and what was used."""
    tokens, reasons, used = [], [], None
    stream = client.chat.completions.create(
        model=CHAT_MODEL, messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    for chunk in stream:
        assert (chunk.object, chunk.model) == ("chat.completion.chunk", CHAT_MODEL)
        used = chunk.usage or used
        for choice in chunk.choices:
            reasons.append(choice.finish_reason)
            if choice.delta.content:
                tokens.append((choice.delta.content, time.monotonic()))
    assert "".join(token for token, _ in tokens) == ANSWER
    assert [reason for reason in reasons if reason] == ["stop"]
    assert used
    assert used.total_tokens > 0
    sent = seen(upstreams, 1)[0].answered["tokens"]
    assert [token for token, _ in sent] == [token for token, _ in tokens]
    # A client that holds a token back is late every time; a busy machine is not, for all of six pauses of 0.08 seconds.
    assert any(there < later for (_, there), (_, later) in zip(tokens, sent[1:], strict=False))


def test_leaving_a_stream_ends_the_call(client: openai.OpenAI, upstreams: Upstreams) -> None:
    """A client that closes a stream after its first token ends the call there, and the witness says when."""
    with client.chat.completions.create(model=CHAT_MODEL, messages=MESSAGES, stream=True) as stream:
        next(chunk for chunk in stream if chunk.choices[0].delta.content)
    call = seen(upstreams, 1)[0]
    assert call.broken_off
    assert len(call.answered["tokens"]) < len(ANSWER.split())


def test_an_async_client(upstreams: Upstreams) -> None:
    """Three embeddings at once, with the client's async half, take about as long as one."""

    async def three() -> list[list[float]]:
        environment = upstreams.environment()
        async with openai.AsyncOpenAI(base_url=environment["OPENAI_BASE_URL"], api_key="k") as client:
            texts = ("budget", "Q4 report", "holidays")
            answers = await asyncio.gather(*(client.embeddings.create(model=EMBEDDING_MODEL, input=text) for text in texts))
            return [answer.data[0].embedding for answer in answers]

    assert len({tuple(vector) for vector in asyncio.run(three())}) == 3
    assert max(call.at_once for call in seen(upstreams, 3)) == 3


def test_errors_are_of_their_kind(client: openai.OpenAI) -> None:
    """What the service refuses becomes the exception that the client has for it, with the service's words in it."""
    with pytest.raises(openai.NotFoundError, match="does not exist") as missing:
        client.embeddings.create(model="no-such-model", input="budget")
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError, match="input") as bad:
        client.embeddings.create(model=EMBEDDING_MODEL, input="")
    assert bad.value.param == "input"
    nobody = client.with_options(default_headers={"Authorization": "Bearer"})
    with pytest.raises(openai.AuthenticationError, match="No API key") as refused:
        embed(nobody)
    assert refused.value.code == "invalid_api_key"


def test_a_429_is_retried_when_the_service_says(client: openai.OpenAI, upstreams: Upstreams) -> None:
    """The client waits as long as `Retry-After` asks, then succeeds; the service sees both calls."""
    upstreams.misbehave("embeddings", "answer", status=429, headers=[["Retry-After", "1"]], body='{"error": {"message": "busy"}}')
    assert len(embed(client)) == 1536
    first, second = seen(upstreams, 2)
    assert (first.status, second.status) == (429, 200)
    assert first.end
    assert second.start - first.end >= 1 - EARLY


def test_a_429_without_retries(client: openai.OpenAI, upstreams: Upstreams) -> None:
    """Told not to retry, the client raises its error of that name, and the header is in it."""
    upstreams.misbehave("embeddings", "answer", status=429, headers=[["Retry-After", "7"]], body='{"error": {"message": "busy"}}')
    with pytest.raises(openai.RateLimitError, match="busy") as caught:
        embed(client.with_options(max_retries=0))
    assert caught.value.response.headers["Retry-After"] == "7"


@pytest.mark.parametrize("kind", ["drop", "reset", "half"])
def test_a_broken_connection(client: openai.OpenAI, upstreams: Upstreams, kind: str) -> None:
    """A connection that ends too early is an error of the connection, or is tried again: then the answer is right."""
    upstreams.misbehave("embeddings", kind, count=1)
    with pytest.raises(openai.APIConnectionError):
        embed(client.with_options(max_retries=0))
    upstreams.misbehave("embeddings", kind, count=1)
    assert len(embed(client)) == 1536
    assert len(seen(upstreams, 3)) == 3


@pytest.mark.parametrize(("status", "expected"), [(500, openai.InternalServerError), (503, openai.InternalServerError)])
def test_an_error_of_the_server(
    client: openai.OpenAI, upstreams: Upstreams, status: int, expected: type[openai.APIStatusError]
) -> None:
    """A 500 or a 503 is the client's error for it."""
    upstreams.misbehave("chat", "answer", status=status, body='{"error": {"message": "overloaded"}}')
    with pytest.raises(expected, match="overloaded"):
        client.with_options(max_retries=0).chat.completions.create(model=CHAT_MODEL, messages=MESSAGES)


def test_silence_is_a_timeout(client: openai.OpenAI, upstreams: Upstreams) -> None:
    """A service that says nothing is given up after the client's deadline, and sees it leave."""
    upstreams.misbehave("embeddings", "silence")
    with pytest.raises(openai.APITimeoutError):
        embed(client.with_options(max_retries=0, timeout=EMBEDDING_SECONDS))
    assert seen(upstreams, 1)[0].broken_off


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [("cut", "", openai.APIConnectionError), ("garbage", 'data: {"error": {"message": "overloaded"}}\n\n', openai.APIError)],
)
def test_a_stream_that_goes_wrong(
    client: openai.OpenAI, upstreams: Upstreams, kind: str, body: str, expected: type[Exception]
) -> None:
    """The tokens that came are there, and then the client raises."""
    upstreams.misbehave("chat", kind, after=3, body=body)
    found: list[str] = []

    def read() -> None:
        for chunk in client.chat.completions.create(model=CHAT_MODEL, messages=MESSAGES, stream=True):
            found.extend(choice.delta.content for choice in chunk.choices if choice.delta.content)

    with pytest.raises(expected):
        read()
    assert found == ["Revenue ", "in ", "Q4 "]

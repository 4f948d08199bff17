"""A stand-in for OpenAI's chat completions (https://platform.openai.com/docs/api-reference/chat): whole, or word by word.

A stream is a row of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), whose last is `[DONE]`.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from shared.upstream.answers import answer, tokens
from shared.upstream.faults import FAULT, Fault
from shared.upstream.misbehaviour import SILENCE_SECONDS, drop
from shared.upstream.openai_format import RefusedError, read_model, read_object
from shared.upstream.witness import SeenCall

CHAT_SECONDS = 0.5
FAMILIES = ("gpt-", "chatgpt-", "o1", "o3", "o4")


@dataclass(frozen=True, slots=True)
class Completion:
    """What a chat is answered with: its `pieces`, under a `head`, and how much was `used`; `reports` that in a stream, too."""

    head: Mapping[str, object]
    pieces: list[str]
    used: Mapping[str, int]
    reports: bool

    def whole(self) -> dict[str, object]:
        """Return the answer in one piece."""
        message = {"role": "assistant", "content": "".join(self.pieces), "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        return {**self.head, "object": "chat.completion", "choices": [choice], "usage": self.used}

    def event(self, delta: Mapping[str, str], finish: str | None = None) -> bytes:
        """Return one event of the stream."""
        return self._event([{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}], None)

    def end(self) -> bytes:
        """Return the last events of the stream."""
        usage = self._event([], self.used) if self.reports else b""
        return self.event({}, "stop") + usage + b"data: [DONE]\n\n"

    def _event(self, choices: list[dict[str, object]], used: Mapping[str, int] | None) -> bytes:
        chunk = {**self.head, "object": "chat.completion.chunk", "choices": choices}
        return f"data: {json.dumps(chunk | ({'usage': used} if self.reports else {}))}\n\n".encode()


async def completions(request: web.Request, body: Any, call: SeenCall) -> web.StreamResponse:  # noqa: ANN401 - JSON is any
    """`POST /v1/chat/completions`: whole after its time, or with `"stream": true` as server-sent events spread over it."""
    deadline = time.monotonic() + CHAT_SECONDS
    asked = read_object(body)
    model, streamed, options = read_model(asked, *FAMILIES), bool(asked.get("stream")), asked.get("stream_options")
    if options and not streamed:
        raise RefusedError("'stream_options' is for a stream: set 'stream' to true.", param="stream_options")
    fault = request.get(FAULT)
    if fault and not streamed:
        raise RefusedError(f"The fault {fault.kind} is for a stream, and this call asks for none.")
    text = answer(asked.get("messages"))
    head = {"id": f"chatcmpl-{call.id}", "created": int(time.time()), "model": model}
    completion = Completion(head, tokens(text), _used(asked["messages"], text), bool(options and options.get("include_usage")))
    call.answered = {"text": text, "tokens": []}
    if streamed:
        return await _stream(request, completion, call, fault, deadline)
    await asyncio.sleep(deadline - time.monotonic())
    return web.json_response(completion.whole())


async def _stream(
    request: web.Request, completion: Completion, call: SeenCall, fault: Fault | None, deadline: float
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"})
    await response.prepare(request)
    call.status = response.status
    await response.write(completion.event({"role": "assistant", "content": ""}))
    left = len(completion.pieces)
    lingers = fault is not None and fault.kind == "linger"
    for piece in completion.pieces[: fault.after if fault and not lingers else None]:
        await asyncio.sleep((deadline - time.monotonic()) / left)
        left -= 1
        # Noted before it is sent, so that nobody can have received it earlier.
        call.answered["tokens"].append((piece, time.monotonic()))
        await response.write(completion.event({"content": piece}))
    if fault and not lingers:
        return await _go_wrong(request, response, fault)
    await response.write(completion.end())
    await asyncio.sleep(SILENCE_SECONDS if lingers else 0)
    return response


async def _go_wrong(request: web.Request, response: web.StreamResponse, fault: Fault) -> web.StreamResponse:
    if fault.kind == "garbage":
        await response.write(fault.body.encode())
        return response
    await asyncio.sleep(SILENCE_SECONDS if fault.kind == "stall" else 0)
    return drop(request, response)


def _used(messages: object, text: str) -> dict[str, int]:
    asked, answered = len(json.dumps(messages).split()), len(text.split())
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}

"""A stand-in for OpenAI's chat completions: no model, but an answer made from what it was given, at once or word by word."""

import asyncio
import json
import time
from typing import Any

from aiohttp import web

from shared.upstream.witness import SeenCall

CHAT_SECONDS = 0.5


async def completions(request: web.Request, body: Any, call: SeenCall) -> web.StreamResponse:  # noqa: ANN401 - JSON is any
    """`POST /v1/chat/completions`: whole after its time, or with `"stream": true` as server-sent events spread over it."""
    try:
        asked = str(body["messages"][-1]["content"])
    except (KeyError, IndexError, TypeError):
        error = {
            "message": "'messages' must be a list of messages.",
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        }
        return web.json_response({"error": error}, status=400)
    words = f"From the documents: {' '.join(asked.split()[:40])}".split()
    call.answered = " ".join(words)
    head = {"id": f"chatcmpl-{call.id}", "created": int(time.time()), "model": body.get("model")}
    if body.get("stream"):
        return await _stream(request, head, words)
    await asyncio.sleep(CHAT_SECONDS)
    message = {"role": "assistant", "content": call.answered}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": len(asked.split()), "completion_tokens": len(words)}
    usage["total_tokens"] = sum(usage.values())
    return web.json_response({**head, "object": "chat.completion", "choices": [choice], "usage": usage})


async def _stream(request: web.Request, head: dict[str, object], words: list[str]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)
    for word in words:
        await asyncio.sleep(CHAT_SECONDS / len(words))
        await response.write(_event(head, {"content": f"{word} "}, None))
    await response.write(_event(head, {}, "stop") + b"data: [DONE]\n\n")
    await response.write_eof()
    return response


def _event(head: dict[str, object], delta: dict[str, str], finish: str | None) -> bytes:
    chunk = {**head, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    return f"data: {json.dumps(chunk)}\n\n".encode()

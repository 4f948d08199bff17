"""One call to a service that works as long as it is asked to: what the chapters from `failing.py` on have done for them.

Different here: aiohttp's own client; an answer is read in its block.
Pick it when: the words for a client's errors stand in one place, and what waits for the call need not know them.
Watch for: when a connection breaks before an answer has begun, aiohttp asks once more by itself, unless it was a POST.
"""

import asyncio

import aiohttp

from shared.lesson import work
from shared.lesson.settings import Settings
from shared.lesson.timing import operation
from shared.lesson.upstreams import read_answer
from variants.aiohttp_asyncio.resilience import in_our_words


async def call_work(client: aiohttp.ClientSession, settings: Settings, task: work.Task) -> str:
    """Have a task worked on and return its result, or say in the project's words why there is none."""
    call = work.work_call(settings, task)
    with operation("ASYNC", task.name), in_our_words(call):
        async with (
            asyncio.timeout(call.deadline),
            client.get(call.url, headers=call.headers, allow_redirects=False) as response,
        ):
            content = await response.read()
    return work.read_work(read_answer(call, response.status, response.headers, content))

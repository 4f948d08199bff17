"""One call to a service that works as long as it is asked to: what the chapters from `failing.py` on have done for them.

Different here: httpx2, with a deadline from asyncio around the call.
Pick it when: the words for a client's errors stand in one place, and what waits for the call need not know them.
Watch for: when the call is broken off, httpx2 closes its connection: that is how the service knows.
"""

import asyncio

import httpx2

from shared.lesson import work
from shared.lesson.settings import Settings
from shared.lesson.timing import operation
from shared.lesson.upstreams import read_answer
from shared.workbook.examples.litestar_asyncio.resilience import in_our_words


async def call_work(client: httpx2.AsyncClient, settings: Settings, task: work.Task) -> str:
    """Have a task worked on and return its result, or say in the project's words why there is none; nothing is tried again."""
    call = work.work_call(settings, task)
    with operation("ASYNC", task.name), in_our_words(call):
        async with asyncio.timeout(call.deadline):
            response = await client.get(call.url, headers=call.headers)
    return work.read_work(read_answer(call, response.status_code, response.headers, response.content))

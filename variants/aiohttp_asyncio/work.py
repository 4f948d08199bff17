"""One call to a service that works as long as it is asked to: what the chapters from `failing.py` on have done for them.

Different here: aiohttp's own client; an answer is read in its block.
Pick it when: you want the words for a client's errors in one place, whatever waits for the call.
Watch for: when the call is broken off, aiohttp closes its connection: that is how the service knows.
"""

import asyncio

import aiohttp

from shared.lesson import work
from shared.lesson.problems import UpstreamBroke, UpstreamTimedOut, UpstreamUnreachable
from shared.lesson.settings import Settings
from shared.lesson.timing import operation
from shared.lesson.upstreams import read_answer


async def call_work(client: aiohttp.ClientSession, settings: Settings, task: work.Task) -> str:
    """Have a task worked on and return its result, or say in the project's words why there is none."""
    call = work.work_call(settings, task)
    with operation("ASYNC", task.name):
        try:
            async with (
                asyncio.timeout(call.deadline),
                client.get(call.url, headers=call.headers, allow_redirects=False) as response,
            ):
                content = await response.read()
        except TimeoutError:
            raise UpstreamTimedOut(call.service, call.deadline) from None
        except aiohttp.ClientConnectorError as error:
            raise UpstreamUnreachable(call.service) from error
        except aiohttp.ClientError as error:
            raise UpstreamBroke(call.service) from error
    return work.read_work(read_answer(call, response.status, response.headers, content))

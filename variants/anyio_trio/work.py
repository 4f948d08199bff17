"""One call to a service that works as long as it is asked to: what the chapters from `failing.py` on have done for them.

Different here: httpx2, with a deadline from anyio around the call; the same on both loops.
Pick it when: you want the words for a client's errors in one place, whatever waits for the call.
Watch for: when the call is broken off, httpx2 closes its connection: that is how the service knows.
"""

import anyio
import httpx2

from shared.lesson import work
from shared.lesson.problems import UpstreamBroke, UpstreamTimedOut, UpstreamUnreachable
from shared.lesson.settings import Settings
from shared.lesson.timing import operation
from shared.lesson.upstreams import read_answer


async def call_work(client: httpx2.AsyncClient, settings: Settings, task: work.Task) -> str:
    """Have a task worked on and return its result, or say in the project's words why there is none."""
    call = work.work_call(settings, task)
    with operation("ASYNC", task.name):
        try:
            with anyio.fail_after(call.deadline):
                response = await client.get(call.url, headers=call.headers)
        except TimeoutError:
            raise UpstreamTimedOut(call.service, call.deadline) from None
        except httpx2.ConnectError as error:
            raise UpstreamUnreachable(call.service) from error
        except httpx2.HTTPError as error:
            raise UpstreamBroke(call.service) from error
    return work.read_work(read_answer(call, response.status_code, response.headers, response.content))

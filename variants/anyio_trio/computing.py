"""Work, not waiting: a processor is kept busy, in a worker process, and in a thread to compare.

Different here: `anyio.to_process`, on either loop: a process for each place of a limiter; one that dies harms no other.
Pick it when: a request keeps the processor for longer than others may wait, say 50 ms; to hand it over costs one or two.
Watch for: no deadline ends it without `cancellable=True`; with it the worker is killed, and the next request starts another.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import anyio.to_process
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.lesson import limits, shapes
from shared.lesson.contract import WORKERS
from shared.lesson.primes import N, count_in_worker, count_primes
from shared.lesson.problems import WorkerDied, WorkTimedOut
from shared.lesson.timing import elapsed, operation


@contextmanager
def open_workers() -> Iterator[anyio.CapacityLimiter]:
    """Give the places for worker processes: anyio starts one for each when it is first needed, and ends them with the loop."""
    yield anyio.CapacityLimiter(WORKERS)


async def compute(workers: anyio.CapacityLimiter, n: int) -> int:
    """Have a worker process count, which leaves the event loop free, or say that it ended before its time."""
    try:
        return await anyio.to_process.run_sync(count_in_worker, n, cancellable=True, limiter=workers)
    except anyio.BrokenWorkerProcess:
        raise WorkerDied from None


async def cpu_endpoint(request: Request) -> JSONResponse:
    """GOOD: another process computes, on a processor of its own, so that nobody else feels it."""
    n = limits.read_n(request.query_params.get("n"), default=N)
    limit = limits.read_seconds(request.query_params.get("limit"), default=5, name="limit")
    try:
        with operation("ASYNC", "primes"), anyio.fail_after(limit):
            primes = await compute(request.state.workers, n)
    except TimeoutError:
        raise WorkTimedOut(limit) from None
    return JSONResponse(shapes.counted(n, primes, elapsed()))


async def cpu_thread_endpoint(request: Request) -> JSONResponse:
    """BAD: the event loop waits, and yet it is slowed down: of all threads that compute in Python, one runs at a time."""
    n = limits.read_n(request.query_params.get("n"), default=N)
    with operation("SYNC", "primes"):
        primes = await anyio.to_thread.run_sync(count_primes, n)
    return JSONResponse(shapes.counted(n, primes, elapsed()))


routes = [
    Route("/cpu", cpu_endpoint),
    Route("/cpu-thread", cpu_thread_endpoint),
]

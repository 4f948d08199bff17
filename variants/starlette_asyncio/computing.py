"""Work, not waiting: a processor is kept busy, in a worker process, and in a thread to compare.

Different here: a process pool of Python's own: Starlette has threads for what blocks, and nothing for what computes.
Pick it when: a request keeps the processor for longer than others may wait, say 50 ms; to hand it over costs one or two.
Watch for: a deadline ends the waiting, and not the work: the worker goes on to its end, and keeps its place so long.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.lesson import limits, shapes
from shared.lesson.contract import WORKERS
from shared.lesson.primes import N, count_in_worker, count_primes, end_with_server
from shared.lesson.problems import WorkerDied, WorkTimedOut
from shared.lesson.timing import elapsed, operation


class Workers:
    """Worker processes, started when they are first needed. A pool that has lost one takes no more work, and is replaced."""

    def __init__(self) -> None:
        self._pool = _new_pool()

    def start(self, n: int) -> asyncio.Future[int]:
        """Hand work over; nothing is waited for."""
        loop = asyncio.get_running_loop()
        try:
            return loop.run_in_executor(self._pool, count_in_worker, n)
        except BrokenProcessPool:
            self._pool = _new_pool()
            return loop.run_in_executor(self._pool, count_in_worker, n)

    def close(self) -> None:
        """End the processes, also in the middle of work: at the end there is none that anybody waits for."""
        # All that was started here with `multiprocessing`, so nothing but the pool's. Python 3.14 has `terminate_workers` for it.
        for process in active_children():
            process.terminate()
        self._pool.shutdown()


def _new_pool() -> ProcessPoolExecutor:
    # A fork, which is Python's choice on Linux before 3.14, copies locks that other threads hold; "spawn" begins anew.
    return ProcessPoolExecutor(WORKERS, get_context("spawn"), end_with_server)


@contextmanager
def open_workers() -> Iterator[Workers]:
    """Keep the worker processes for as long as the server, and end them with it."""
    workers = Workers()
    try:
        yield workers
    finally:
        workers.close()


async def compute(workers: Workers, n: int) -> int:
    """Have a worker process count, which leaves the event loop free, or say that it ended before its time."""
    try:
        return await workers.start(n)
    except BrokenProcessPool:
        raise WorkerDied from None


async def cpu_endpoint(request: Request) -> JSONResponse:
    """GOOD: another process computes, on a processor of its own, so that nobody else feels it."""
    n = limits.read_n(request.query_params.get("n"), default=N)
    limit = limits.read_seconds(request.query_params.get("limit"), default=5, name="limit")
    try:
        with operation("ASYNC", "primes"):
            async with asyncio.timeout(limit):
                primes = await compute(request.state.workers, n)
    except TimeoutError:
        raise WorkTimedOut(limit) from None
    return JSONResponse(shapes.counted(n, primes, elapsed()))


def cpu_thread_endpoint(request: Request) -> JSONResponse:
    """BAD: the event loop waits, and yet it is slowed down: of all threads that compute in Python, one runs at a time."""
    n = limits.read_n(request.query_params.get("n"), default=N)
    with operation("SYNC", "primes"):
        primes = count_primes(n)
    return JSONResponse(shapes.counted(n, primes, elapsed()))


routes = [
    Route("/cpu", cpu_endpoint),
    Route("/cpu-thread", cpu_thread_endpoint),
]

"""Work for a processor, and nothing else: counting primes, in pure Python; and what a process needs that does it for a server."""

import multiprocessing
import os
import signal
import threading
from typing import Final

N: Final = 500_000
"""Below which number to count unless a client says another: about a second of work."""


def count_primes(n: int) -> int:
    """Return how many primes are below `n`, by dividing: slow on purpose, for it is the work that counts, and not the result."""
    return sum(map(_is_prime, range(n)))


def count_in_worker(n: int) -> int:
    """Do the same in a worker process: Ctrl-C, which a terminal sends to each of its processes, is for the server alone.

    A pool can tell its workers so at their beginning, with `end_with_server`; anyio's first hear of it here.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return count_primes(n)


def end_with_server() -> None:
    """Let this process end when the one has ended that started it with `multiprocessing`, even if that was killed.

    And not before, at a Ctrl-C: one that has had no work yet has not been told by `count_in_worker` whom that is for.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = multiprocessing.parent_process()

    def wait_and_end() -> None:
        if server:
            server.join()
            os._exit(1)  # At once, in the middle of the work: nobody is there to be told its result.

    threading.Thread(target=wait_and_end, daemon=True).start()


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))

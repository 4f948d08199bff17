"""What lives in a server when it should be idle: tasks, threads and connections that a request left behind."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from shared.lab.server import Server, ServerError

SETTLE_SECONDS = 10.0
"""How long to wait for a server to become idle: some keep what belongs to a departed client until its keep-alive is over."""

LONGEST_PAUSE = 0.5
"""Seconds between two looks: each goes through the objects of the server's process, which costs it up to a hundredth of one."""

SERVERS = ("/uvicorn/", "/anycorn/", "/aiohttp/web", "/starlette/testclient")
"""Code of servers: a task that stands only there serves a connection, and no request."""

UNNAMED = "Thread-"
"""How the name of a thread begins that was given none; those of a pool, a server and the lab have names."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What lives in a server's process.

    Attributes:
        tasks: Where the tasks stand that serve no connection, or that stand in a variant's code; each under its number.
        threads: Where threads are at work in a variant's code or in a pool, and those that no pool has named.
        inbound: Connections to the server.
        outbound: Connections from it.

    """

    tasks: dict[str, str]
    threads: Counter[str]
    inbound: int
    outbound: int

    def more_than(self, idle: "Inside") -> list[str]:
        """Return the tasks and threads that the idle server did not have, in words."""
        # Tasks by their numbers: one that an earlier request has left may end just as this one leaves another in its place.
        return [f"a task at {_short(place)}" for number, place in self.tasks.items() if number not in idle.tasks] + [
            f"a thread at {thread}" for thread in (self.threads - idle.threads).elements()
        ]


def _short(place: str) -> str:
    """Return a place without the folders above the project's, or those of a library but for its module's own."""
    path = place.replace("\\", "/")
    return path[path.rindex("/variants/") + 1 :] if "/variants/" in path else "/".join(path.split("/")[-2:])


def look(server: Server) -> Inside:
    """Return what lives in a server now.

    Raises:
        ServerError: Its process stands still, and so cannot say.

    """
    report, place = server.look_inside(), f"/{server.variant.place}/"
    if server.stands_still:
        raise ServerError(f"The process of {server.variant.label} stands still: none of its threads answers.")
    stacks: dict[str, list[str]] = report["tasks"]
    tasks = {number: stack[-1] for number, stack in stacks.items() if _in_variant(stack, place) or not _serves_connection(stack)}
    # A thread that has ended meanwhile stands nowhere.
    standing = [stack for name, stack in report["threads"].items() if stack and name.startswith(UNNAMED)]
    unnamed = [stack for stack in standing if not _in_variant(stack, place)]
    at_work = Counter(server.whereabouts()["threads"])
    at_work.update(stack[-1] for stack in unnamed if stack[-1] not in at_work)
    return Inside(tasks, at_work, report["sockets"]["in"], report["sockets"]["out"])


def ended_tasks(server: Server) -> int:
    """Return how many tasks of the variant's have ended in a server, and are still held by somebody."""
    return int(server.look_inside().get("ended", 0))


def conversations(server: Server, few: int) -> int:
    """Return how many conversations are held by somebody in a server, whether they have ended or not.

    It waits until these are few: a timer that looks for signs of life may hold one for some seconds.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    while (held := int(server.look_inside().get("talks", 0))) > few and time.monotonic() < deadline:
        time.sleep(LONGEST_PAUSE)
    return held


def settled(server: Server, idle: Callable[[Inside], bool]) -> Inside:
    """Wait until a server is idle, ten seconds at the most, and return what lives in it then."""
    deadline, pause = time.monotonic() + SETTLE_SECONDS, 0.05
    while not idle(inside := look(server)) and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
    return inside


def _in_variant(stack: list[str], folder: str) -> bool:
    return any(folder in place.replace("\\", "/") and "serve.py" not in place for place in stack)


def _serves_connection(stack: list[str]) -> bool:
    return any(server in place.replace("\\", "/") for place in stack for server in SERVERS)

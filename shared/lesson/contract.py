"""Every endpoint of the lesson: how it is asked, and which function answers it in every variant.

All variants have the same files and the same function names, so one table serves the suite's messages ("look at
`together.py`, `parallel_endpoint`"), the side-by-side reader and the shape test.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

TASKS = ("task1", "task2", "task3")
"""The three waits of `/sequential` and `/parallel`, in the order of their results."""

FACTORS = (3, 1, 2)
"""How many times as long as the shortest the first, second and third of unequal tasks take; the next three likewise."""

WORKERS = 2
"""Worker processes that a variant has at the most."""

THREADS = 10
"""Worker threads that a variant has at the most: the number that each sets itself, in its lifespan."""

CHAPTERS = (
    *("waiting", "together", "search", "answers", "failing", "deadlines", "limiting"),
    *("racing", "streaming", "leaving", "context", "background", "conversation", "computing", "room"),
)
"""The modules of the lesson, in reading order; each stands in every variant under this name."""

MODULES = (*CHAPTERS, "resilience", "work", "app", "serve", "character")
"""All modules of a variant, in reading order."""


SOCKET = "WS"
"""In the place of a method: a WebSocket, which begins as a GET that asks for an upgrade."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the contract.

    Attributes:
        method: The HTTP method it answers, or `SOCKET`.
        path: Its path, without the query; a name in braces stands for anything without a slash.
        module: The variant's module that holds it, without `.py`.
        function: The function behind it.
        operation: The function that does its waiting, in the same variant; empty where it waits for nothing.
        through: Further functions of its module that it goes through.
        seconds: The default of its `seconds` parameter, in seconds; None where it has none.
        tasks: What it waits for, by the names in `Server-Timing` and on the console, in the order of its results.
        waits: How many of those waits follow each other: it takes at least so many times `seconds`.
        with_answer: What it waits for besides when it is asked with `answer=true`.
        parameters: The parameters that have limits, beside a `seconds` with a default above.
        works: Whether what it waits for may be broken off, or not begun, so that its own report is not the evidence.
        status: The status that it answers with when all goes as it should; for a name in braces, when nothing has that name.
        streams: Whether its answer is a row of server-sent events.

    """

    method: str
    path: str
    module: str
    function: str
    operation: str = ""
    seconds: float | None = None
    tasks: tuple[str, ...] = ()
    waits: int = 1
    through: tuple[str, ...] = ()
    with_answer: tuple[str, ...] = ()
    streams: bool = False
    parameters: tuple[str, ...] = ()
    works: bool = False
    status: int = 200

    @property
    def kind(self) -> str:
        """How it waits, as the console shows it: `SYNC` or `ASYNC`."""
        return "SYNC" if self.operation == "slow_sync_operation" else "ASYNC"

    @property
    def example(self) -> str:
        """A path to ask it by: its own, with a plain word for a name in braces."""
        return re.sub(r"\{(\w+)\}", r"\1", self.path)

    def has(self, path: str) -> bool:
        """Whether a path, without a query, is this endpoint's."""
        return bool(re.fullmatch("[^/]+".join(map(re.escape, re.split(r"\{\w+\}", self.path))), path))


SECONDS = ("seconds",)
LIMITED = ("seconds", "limit")

ENDPOINTS = (
    Endpoint("GET", "/", "app", "home"),
    Endpoint("GET", "/ping", "waiting", "ping"),
    Endpoint("GET", "/sync", "waiting", "sync_endpoint", "slow_sync_operation", 3, ("sync_task",)),
    Endpoint("GET", "/threaded", "waiting", "threaded_endpoint", "slow_sync_operation", 3, ("threaded_task",)),
    Endpoint("GET", "/async", "waiting", "async_endpoint", "slow_async_operation", 3, ("async_task",)),
    Endpoint("GET", "/sequential", "together", "sequential_endpoint", "slow_async_operation", 2, TASKS, waits=3),
    Endpoint("GET", "/parallel", "together", "parallel_endpoint", "slow_async_operation", 2, TASKS),
    Endpoint(
        *("POST", "/search-demo", "search", "search_demo", "get_embedding"),
        tasks=("embedding", "search"),
        through=("search_documents", "get_answer", "call_upstream", "begin", "in_our_words"),
        with_answer=("answer",),
    ),
    Endpoint(
        *("POST", "/answer-stream", "answers", "answer_stream", "stream_answer"),
        tasks=("embedding", "search"),
        through=("find_documents", "stream_upstream", "begin", "in_our_words"),
        streams=True,
    ),
    Endpoint("GET", "/gather-fails", "failing", "gather_fails", "call_work", parameters=SECONDS, works=True, status=502),
    Endpoint("GET", "/group-fails", "failing", "group_fails", "call_work", parameters=SECONDS, works=True, status=502),
    Endpoint("GET", "/deadline", "deadlines", "deadline_endpoint", "call_work", parameters=LIMITED, works=True),
    Endpoint(
        *("GET", "/deadline-thread", "deadlines", "deadline_thread_endpoint", "slow_sync_operation"),
        parameters=LIMITED,
        works=True,
    ),
    Endpoint(
        "GET", "/limited", "limiting", "limited_endpoint", "call_work", parameters=(*SECONDS, "tasks", "at_once"), works=True
    ),
    Endpoint("GET", "/first", "racing", "first_endpoint", "call_work", parameters=SECONDS, works=True),
    Endpoint(
        *("GET", "/as-completed", "streaming", "as_completed_endpoint", "as_they_come"),
        parameters=(*SECONDS, "tasks", "at_once", "kilobytes"),
        through=("work_on", "call_work"),
        works=True,
        streams=True,
    ),
    Endpoint("GET", "/patient", "leaving", "patient_endpoint", "call_work", parameters=SECONDS, works=True),
    Endpoint(
        *("GET", "/attentive", "leaving", "attentive_endpoint", "call_work"),
        parameters=SECONDS,
        through=("until_left",),
        works=True,
    ),
    Endpoint(
        *("GET", "/context", "context", "context_endpoint", "id_in_task"),
        parameters=SECONDS,
        through=("id_in_thread", "call_work"),
        works=True,
    ),
    Endpoint(
        *("POST", "/background", "background", "begin_background", "work_in_background"),
        parameters=("seconds", "fails"),
        through=("open_background", "call_work"),
        works=True,
        status=202,
    ),
    Endpoint(
        *("GET", "/background/{job}", "background", "background_state"),
        through=("work_in_background", "open_background"),
        status=404,
    ),
    Endpoint(
        *(SOCKET, "/ws", "conversation", "conversation_endpoint", "call_work"),
        through=("work_and_tell", "cancel_task", "next_message"),
        works=True,
        status=101,
    ),
    Endpoint(
        *("GET", "/cpu", "computing", "cpu_endpoint", "compute"),
        parameters=("n", "limit"),
        through=("open_workers",),
        works=True,
    ),
    Endpoint("GET", "/cpu-thread", "computing", "cpu_thread_endpoint", parameters=("n",), works=True),
    Endpoint("GET", "/guarded", "room", "guarded_endpoint", "slow_sync_operation", 1, ("guard",), through=("slow_guard",)),
)

REQUESTS = tuple(row for row in ENDPOINTS if row.method != SOCKET)
"""Those that answer a request, and are done with it."""


@lru_cache(maxsize=1_000)
def endpoint(path: str) -> Endpoint:
    """Return the endpoint of a path; a query behind the path is ignored.

    Raises:
        LookupError: There is no such endpoint; the message lists those there are.

    """
    wanted = path.partition("?")[0]
    for known in ENDPOINTS:
        if wanted == known.path or known.has(wanted):
            return known
    known_paths = " ".join(known.path for known in ENDPOINTS)
    raise LookupError(f"The lesson has no endpoint {wanted}. It has: {known_paths}")

"""The JSON that every variant answers with, and the arithmetic in it."""

from collections.abc import Sequence
from typing import Literal, NotRequired

from shared.lesson.chat import FoundDocument
from shared.lesson.contract import TASKS
from shared.lesson.problems import ProblemDetails
from shared.lesson.typed import TypedDict


class Pong(TypedDict):
    """`/ping`."""

    pong: bool


class Waited(TypedDict):
    """`/sync`, `/threaded` and `/async`: one wait."""

    result: str
    elapsed: str


class WaitedThrice(TypedDict):
    """`/sequential` and `/parallel`: three waits."""

    results: list[str]
    elapsed: str
    note: str


class Found(TypedDict):
    """One document that a search found."""

    title: str


class SearchAnswer(TypedDict):
    """`/search-demo`; with an answer where one was asked for."""

    query: str
    embedding_length: int
    results: list[Found]
    elapsed_ms: str
    answer: NotRequired[str]


class Worked(TypedDict):
    """What the work service had to do, in the order of the tasks."""

    results: list[str]
    elapsed: str


class Identified(TypedDict):
    """`/context`: the request's identifier, and what was found of it in a task and in a thread."""

    request_id: str
    task: str
    thread: str


class BackgroundState(TypedDict):
    """`/background`: work that goes on after its answer; with its result when it is done, and the problem when it failed."""

    id: str
    state: Literal["running", "done", "failed"]
    result: NotRequired[str]
    problem: NotRequired[ProblemDetails]


class Counted(TypedDict):
    """`/cpu` and `/cpu-thread`: how many primes there are below `n`."""

    n: int
    primes: int
    elapsed: str


def waited(result: str, elapsed: float) -> Waited:
    """Return the answer after one wait that took `elapsed` seconds."""
    return {"result": result, "elapsed": f"{elapsed:.2f}s"}


def sequential(results: Sequence[str], elapsed: float, seconds: float) -> WaitedThrice:
    """Return the answer after three waits of `seconds` each, one after another, that took `elapsed` seconds in all."""
    note = f"Sequential = {len(TASKS) * seconds:g} seconds"
    return {"results": list(results), "elapsed": f"{elapsed:.2f}s", "note": note}


def parallel(results: Sequence[str], elapsed: float, seconds: float) -> WaitedThrice:
    """Return the answer after three waits of `seconds` each, together, that took `elapsed` seconds in all."""
    note = f"{len(TASKS)} x {seconds:g}-second tasks completed in ~{seconds:g} seconds!"
    return {"results": list(results), "elapsed": f"{elapsed:.2f}s", "note": note}


def results(documents: Sequence[FoundDocument]) -> list[Found]:
    """Return documents as a client is told of them."""
    return [{"title": document.title} for document in documents]


def found(
    query: str, embedding: Sequence[float], documents: Sequence[FoundDocument], elapsed: float, answer: str | None = None
) -> SearchAnswer:
    """Return the answer to a search that took `elapsed` seconds; `documents` come nearest first."""
    body: SearchAnswer = {
        "query": query,
        "embedding_length": len(embedding),
        "results": results(documents),
        "elapsed_ms": f"{elapsed * 1000:.0f}ms",
    }
    if answer is not None:
        body["answer"] = answer
    return body


def worked(results: Sequence[str], elapsed: float) -> Worked:
    """Return the answer after work that took `elapsed` seconds in all."""
    return {"results": list(results), "elapsed": f"{elapsed:.2f}s"}


def identified(request_id: str, task: str, thread: str) -> Identified:
    """Return the identifier of a request, as the handler, a task and a thread found it."""
    return {"request_id": request_id, "task": task, "thread": thread}


def counted(n: int, primes: int, elapsed: float) -> Counted:
    """Return how many primes there are below `n`, counted in `elapsed` seconds."""
    return {"n": n, "primes": primes, "elapsed": f"{elapsed:.2f}s"}

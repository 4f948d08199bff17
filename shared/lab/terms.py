"""How a stack says what a cure needs: its own words for sleeping, threads, waiting together, deadlines and the client.

Which words apply is read from what the variant's modules import, so that a variant which nobody knew yet is served too.
"""

import ast
from pathlib import Path

ASYNCIO = {
    "sleep": "asyncio.sleep",
    "thread": "asyncio.to_thread",
    "together": "asyncio.gather, or an asyncio.TaskGroup",
    "deadline": "asyncio.timeout",
    "group": "an asyncio.TaskGroup",
    "limiter": "an asyncio.Semaphore",
    "client": "an async HTTP client",
    "pool": "its limit of connections",
    "leaving": "the server cancels the handler of a client that leaves",
    "holder": "a task group that the lifespan holds open",
    "stopping": "its own limit",
    "idle": "its limit of idle time",
    "process": 'a ProcessPoolExecutor with get_context("spawn"), kept for as long as the server, and loop.run_in_executor',
    "threads": "loop.set_default_executor(ThreadPoolExecutor(10))",
    "pooled": "asyncio.to_thread",
}
"""What applies unless an import below says otherwise."""

BY_IMPORT: dict[str, dict[str, str]] = {
    "aiohttp": {
        "client": "aiohttp.ClientSession",
        "pool": "aiohttp.TCPConnector",
        "leaving": "run_app cancels the handler of a client that leaves when it is told handler_cancellation=True",
        "holder": "a set of tasks in a cleanup context",
    },
    "httpx2": {"client": "httpx2.AsyncClient", "pool": "httpx2.Limits"},
    "starlette": {
        "thread": "a plain def handler, or asyncio.to_thread",
        "leaving": "a StreamingResponse cancels what it sends when the client leaves",
        "holder": "an asyncio.TaskGroup that the lifespan holds open",
        "threads": "anyio.to_thread.current_default_thread_limiter().total_tokens = 10",
        "pooled": "a plain def handler, or run_in_threadpool; asyncio.to_thread has others",
    },
    "fastapi": {
        "thread": "a plain def endpoint, or asyncio.to_thread",
        "pooled": "a plain def endpoint or dependency; asyncio.to_thread has others",
    },
    "litestar": {
        "thread": "a plain def handler with sync_to_thread=True, or asyncio.to_thread",
        "pooled": "sync_to_thread=True, or asyncio.to_thread",
        "leaving": "a Stream cancels what it sends when the client leaves",
        "holder": "an asyncio.TaskGroup that the lifespan holds open",
    },
    "anyio": {
        "sleep": "anyio.sleep",
        "thread": "anyio.to_thread.run_sync",
        "pooled": "anyio.to_thread.run_sync",
        "together": "anyio.gather, or a task group",
        "deadline": "anyio.fail_after",
        "group": "an anyio task group",
        "limiter": "an anyio.CapacityLimiter",
        "holder": "an anyio task group that the lifespan holds open",
        "process": "anyio.to_process.run_sync, with one limiter for all requests",
    },
    "trio": {
        "sleep": "trio.sleep",
        "thread": "trio.to_thread.run_sync",
        "pooled": "trio.to_thread.run_sync",
        "together": "a nursery",
        "deadline": "trio.fail_after",
        "group": "a nursery",
        "limiter": "a trio.CapacityLimiter",
    },
}
"""What each library brings; a later one goes before an earlier one."""

BY_SERVER: dict[str, dict[str, str]] = {
    "aiohttp": {
        "stopping": "half of it as shutdown_timeout of run_app, which waits twice",
        "idle": "keepalive_timeout of run_app",
    },
    "uvicorn": {"stopping": "timeout_graceful_shutdown of uvicorn", "idle": "timeout_keep_alive of uvicorn"},
    "anycorn": {
        "stopping": "graceful_timeout of anycorn, with a trigger that listens for signals",
        "idle": "keep_alive_timeout of anycorn",
    },
}
"""What the library brings that `serve.py` imports."""

AROUND = {"app", "serve", "room", "resilience"}
"""Modules whose imports do not count: they prepare what a framework or a client itself needs."""


def terms(folder: Path) -> dict[str, str]:
    """Return the words of the variant in a folder, by the names that `causes.WORDS` uses."""
    chapters = [file for file in folder.glob("*.py") if file.stem not in AROUND]
    chosen = dict(ASYNCIO)
    for words_of, files in ((BY_IMPORT, chapters), (BY_SERVER, [*folder.glob("serve.py")])):
        imported = {name for file in files for name in _imports(file.read_text(encoding="utf-8"))}
        for library, words in words_of.items():
            if library in imported:
                chosen |= words
    return chosen


def _imports(source: str) -> set[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:  # Of a reader's file in the making: the server's own message says more.
        return set()
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in names}

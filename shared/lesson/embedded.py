"""Start the embedded upstreams with a variant, and end them with it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.lesson.settings import COLLECTION, Settings, from_environment

STOP_SECONDS = 5.0
ROOT = Path(__file__).parents[2]


class UpstreamsNotStartedError(Exception):
    """The embedded upstreams ended before they were ready; what they said stands above, in the error output."""


@contextmanager
def running_upstreams() -> Iterator[Settings]:
    """Give a variant its upstreams: those that the environment names, else embedded ones in a process of their own.

    Enter it in the lifespan hook, before the client is opened. It blocks the event loop while that process starts (about 0.2
    seconds) and while it ends, on purpose: nothing is being served before or after.

    Raises:
        SettingsError: The environment names upstreams that cannot be used.
        UpstreamsNotStartedError: The embedded ones did not start.
    """
    named = from_environment()
    if named is not None:
        yield named
        return
    process = _start()
    try:
        yield _read_settings(process)
    finally:
        _stop(process)


def _start() -> subprocess.Popen[str]:
    # The process ends when its standard input does: when this process closes it, and also when this process is killed.
    # A Ctrl-C in the terminal must not reach it, or it would be gone before the requests in flight have ended.
    windows = sys.platform == "win32"
    return subprocess.Popen(
        [sys.executable, "-m", "shared.upstream", "--until-stdin-closes"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=not windows,
        creationflags=subprocess.CREATE_NEW_PROCESS_GROUP if sys.platform == "win32" else 0,
    )


def _read_settings(process: subprocess.Popen[str]) -> Settings:
    """Wait for the one line in which the upstreams say where they are."""
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise UpstreamsNotStartedError("The embedded upstreams did not start; the reason stands above.")
    ready = json.loads(line)
    return Settings(ready["openai_url"], ready["chroma_url"], openai_key="embedded", collection=COLLECTION)


def _stop(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

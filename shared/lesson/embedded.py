"""Start the embedded upstreams with a variant, and end them with it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from shared.lesson.collection import with_collection
from shared.lesson.settings import Settings, deadlines_from, from_environment

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
        SettingsError: The environment names upstreams or a deadline that cannot be used, or a collection that is not there.
        UpstreamsNotStartedError: The embedded ones did not start.

    """
    named = from_environment()
    if named is not None:
        named = with_collection(named)
        if named.work_url:
            yield named
            return
    deadlines = deadlines_from()
    process, ready = start_process()
    urls = ready["openai_url"], ready["chroma_url"]
    try:
        # There is no real work service, so the embedded one runs even where the others are real.
        embedded = Settings(*urls, "embedded", collection=ready["collection"], deadlines=deadlines)
        yield replace(named or embedded, work_url=ready["work_url"])
    finally:
        stop_process(process)


def start_process() -> tuple[subprocess.Popen[str], dict[str, str]]:
    """Start the embedded upstreams, and return their process and where they are, once they are there.

    Raises:
        UpstreamsNotStartedError: They ended instead.

    """
    # The process ends when its standard input does: when this process closes it, and also when this process is killed.
    # A Ctrl-C in the terminal must not reach it, or it would be gone before the requests in flight have ended.
    process = subprocess.Popen(
        [sys.executable, "-m", "shared.upstream", "--until-stdin-closes"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=sys.platform != "win32",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # Only Windows has the name.
    )
    # One line says where they are; its end says that they are not.
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        stop_process(process)
        raise UpstreamsNotStartedError("The embedded upstreams did not start; the reason stands above.")
    ready: dict[str, str] = json.loads(line)
    return process, ready


def stop_process(process: subprocess.Popen[str]) -> None:
    """Close the input of the embedded upstreams, which ends them; kill them if it does not."""
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

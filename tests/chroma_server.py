"""A real Chroma server on loopback, for the tests that want one."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from shared.lab.variants import ROOT
from shared.lesson.command import HOST

START_SECONDS = 60.0
STOP_SECONDS = 2.0
"""How long it may take to end by itself, in seconds: it waits for connections that clients keep open. Its data is on disk."""


def program(config: pytest.Config) -> Path | None:
    """Return the program that the command line names with `--chroma`; None where it names none.

    Raises:
        pytest.UsageError: There is no such program.

    """
    given: Path | None = config.getoption("--chroma")
    if given is None:
        return None
    found = shutil.which(given)
    if found is None:
        raise pytest.UsageError(f"--chroma: there is no program {given}")
    return Path(found).resolve()  # It will be started in another folder.


@contextmanager
def serving_chroma(program: Path, folder: Path, port: int = 0) -> Iterator[str]:
    """Run a Chroma server that keeps its data in a folder, and give its URL; it is ended for certain.

    Raises:
        RuntimeError: It did not start; the message holds what it printed.

    """
    port = port or free_port()
    log = folder / "chroma.log"
    command = [str(program), "run", "--path", str(folder / "data"), "--host", HOST, "--port", str(port)]
    environment = {**os.environ, "ANONYMIZED_TELEMETRY": "False", "HOME": str(folder), "NO_COLOR": "1"}
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        url = f"http://{HOST}:{port}"
        _wait_until_ready(url, process, log)
        yield url
    finally:
        _end(process)


def free_port() -> int:
    """Return a port that nobody listens on: Chroma takes none by itself. Somebody may be faster, which is then an error."""
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def run_index(environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `python -m shared.upstream index` in an environment, as a user does, and return how it ended and what it said."""
    command = [sys.executable, "-m", "shared.upstream", "index"]
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("CHROMA", "OPENAI"))}
    return subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, env={**settings, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/api/v2/heartbeat", timeout=START_SECONDS):  # noqa: S310 - our own
            return
        time.sleep(0.05)
    raise RuntimeError(f"Chroma did not start.\n{log.read_text(encoding='utf-8', errors='replace')}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and those that it started: on Windows the program is a launcher, and the server a child of it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.terminate()
        for member in psutil.wait_procs(family, timeout=STOP_SECONDS)[1]:
            member.kill()
    process.wait()

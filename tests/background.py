"""Experiments that take long, each with a server of its own: begun before the first test, and looked at by the last ones."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psutil

from shared.lab.experiment import Answer, Ask, Observation, run, send
from shared.lab.server import Server, serving
from shared.lab.variants import ROOT, Variant
from shared.lesson.command import HOST
from shared.lesson.settings import UPSTREAM_DEADLINE

SEARCH = Ask("/search-demo?query=budget", "POST")
SERVICES = ("embeddings", "query")
SILENT_KINDS = ("silence", "drip")
TRIES = 3


@dataclass(frozen=True, slots=True)
class Reader:
    """What was seen of a variant that a reader started: no lab, no settings, its own embedded upstreams.

    Attributes:
        line: What it printed first.
        answers: A search, then each waiting endpoint with its default wait.
        upstreams: How many processes it had started.
        left: How many of those were still there after it was killed.

    """

    line: str
    answers: list[Answer]
    upstreams: int
    left: int


def run_as_a_reader(variant: Variant) -> Reader:
    """Start `python -m variants.NAME.serve`, ask it, kill it, and look for what it leaves."""
    command = [sys.executable, "-P", "-m", f"variants.{variant.name}.serve", "--port", "0", "--loop", variant.loop]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CHROMA", "OPENAI"))}
    environment["PYTHONPATH"] = os.pathsep.join([str(variant.root), str(ROOT)])
    # /sync a little later: what is timed beside it has started then.
    asks = [Ask("/threaded"), Ask("/async"), Ask("/parallel"), Ask("/sequential"), Ask("/sync", after=0.3)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    with process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            found = re.search(r"http://[\d.:]+", line)
            answers = send(found[0], [SEARCH]) + send(found[0], asks) if found else []
            upstreams = psutil.Process(process.pid).children(recursive=True) if found else []
        finally:
            process.kill()
    left = psutil.wait_procs(upstreams, timeout=10)[1]
    return Reader(line, answers, len(upstreams), len(left))


@dataclass(frozen=True, slots=True)
class Ending:
    """What was seen of a server that meets silent upstreams, an error nobody foresaw, dead upstreams, and its end.

    Attributes:
        silent: Searches while an upstream is silent, then while it drips; for each service.
        crashes: Requests whose wait fails as nobody foresaw: bare, and out of a task group.
        dead: A search while there are no upstreams, and a `/ping` after it.
        exit_code: What it ended with on SIGINT.
        listens: Whether its port still answered afterwards.
        log: All that it printed.

    """

    silent: dict[str, Observation]
    crashes: list[Answer]
    dead: list[Answer]
    exit_code: int
    listens: bool
    log: str


def run_to_the_end(variant: Variant) -> Ending:
    """Lead a server through all that, and stop it."""
    with serving(variant, crash=True) as server:
        silent = {service: _silence(server, service) for service in SERVICES}
        crashes = [answer for seconds in (0, 1) for answer in send(server.url, [Ask(f"/sequential?seconds={seconds}")])]
        server.upstreams.stop()
        dead = send(server.url, [SEARCH]) + send(server.url, [Ask("/ping")])
        port = urlsplit(server.url).port
        exit_code = server.stop(signal.SIGINT)
        with socket.socket() as client:
            listens = client.connect_ex((HOST, port or 0)) == 0
        return Ending(silent, crashes, dead, exit_code, listens, server.log())


def _silence(server: Server, service: str) -> Observation:
    """Search while a service is silent and while it drips; again, where the answer was late: that may be noise."""
    for _ in range(TRIES):
        for kind in SILENT_KINDS:
            server.upstreams.misbehave(service, kind)
        seen = run(server, [SEARCH] * len(SILENT_KINDS), linger=0.2)
        if seen.seconds < 1.5 * UPSTREAM_DEADLINE:
            break
    return seen


JOBS: dict[str, Callable[[Variant], Any]] = {"reader": run_as_a_reader, "ending": run_to_the_end}
"""Each under the name of its fixture."""

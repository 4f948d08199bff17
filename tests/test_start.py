"""Started as a reader starts it: no lab, no settings, its own embedded upstreams."""

import os
import re
import subprocess
import sys

import psutil

from shared.lab.experiment import Ask, send
from shared.lab.server import Server
from shared.lab.variants import ROOT


def test_upstreams_end_with_a_killed_variant(server: Server) -> None:
    """`python -m variants.NAME.serve` brings its upstreams along, and they are gone with it even when it is killed."""
    variant = server.variant
    command = [sys.executable, "-m", f"variants.{variant.name}.serve", "--port", "0", "--loop", variant.loop]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CHROMA", "OPENAI"))}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    with process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            found = re.search(r"http://[\d.:]+", line)
            assert found, f"it does not say where it serves, but {line!r}"
            assert send(found[0], [Ask("/search-demo?query=budget", "POST")])[0][0].status == 200
            upstreams = psutil.Process(process.pid).children(recursive=True)
            assert upstreams, "it runs without a process for its upstreams"
        finally:
            process.kill()
    alive = psutil.wait_procs(upstreams, timeout=10)[1]
    assert not alive, f"still running: {alive}"

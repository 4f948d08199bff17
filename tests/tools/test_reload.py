"""`--reload`: a server that has a reloader starts again when a file has changed; one that has none says so."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from shared.lab.family import LEAVE, kill_all, outlived, started_by
from shared.lab.variants import ROOT

RELOADS = ("fastapi_asyncio", "starlette_asyncio", "anyio_trio")

SOON = 60.0
"""Seconds after which a change has to be served: 2 are enough, and a busy machine takes many more."""

AGAIN = 10.0
"""Seconds after which the file is saved again: the first time may have been before the reloader looked at it first."""

STOP_SECONDS = 20.0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a copy of the variants, and of what they import, in which something can be changed."""
    for part in ("variants", "shared"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def command(variant: str) -> list[str]:
    """Return the command that serves a variant from the folder it is run in, and reloads."""
    return [sys.executable, "-P", "-m", f"variants.{variant}.serve", "--port", "0", "--reload"]


def pongs(url: str) -> bool | None:
    """Return what `/ping` says; None where nobody answers just now."""
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/ping", timeout=SOON) as answer:  # noqa: S310 - our own
        return bool(json.load(answer)["pong"])
    return None


@pytest.mark.parametrize("variant", RELOADS)
def test_a_change_is_served(project: Path, variant: str) -> None:
    """What is saved while the server runs is what it answers with soon after; and when it is stopped, all of it ends."""
    module = project / "variants" / variant / "waiting.py"
    environment = {**os.environ, "PYTHONPATH": str(project)}
    with subprocess.Popen(command(variant), cwd=project, env=environment, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own
        try:
            place = re.search(r"http://[\d.:]+", server.stdout.readline() if server.stdout else "")
            assert place
            assert pongs(place[0]) is True
            module.write_text(module.read_text(encoding="utf-8").replace("pong=True", "pong=False"), encoding="utf-8")
            saved = began = time.monotonic()
            while (answer := pongs(place[0])) is not False and time.monotonic() < began + SOON:
                if time.monotonic() > saved + AGAIN:
                    os.utime(module)
                    saved = time.monotonic()
                time.sleep(0.1)
            assert answer is False
            family = started_by(server.pid)
            server.terminate()
            server.wait(STOP_SECONDS)
        finally:
            kill_all(server.pid, [])  # What a reloader has started outlives it when that is killed.
            server.kill()
    left = outlived(family, LEAVE)
    assert not left or sys.platform == "win32"  # There a process cannot be asked to stop, only killed.


def test_a_server_without_a_reloader_says_so(project: Path) -> None:
    """One that has none, as aiohttp: that is said in one line, and nothing is served."""
    environment = {**os.environ, "PYTHONPATH": str(project)}
    done = subprocess.run(  # noqa: S603 - our own
        command("aiohttp_asyncio"), cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=SOON
    )
    assert done.returncode == 2
    assert "no reloader of its own" in done.stderr.splitlines()[-1]

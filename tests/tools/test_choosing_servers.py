"""What each server can be told about workers, reloading and stopping: asked of the servers themselves."""

import inspect
import os
import subprocess
import sys
from importlib.metadata import requires

import anycorn
import pytest
import uvicorn
from aiohttp import web


def options(module: str) -> str:
    """Return the help of a server's command."""
    wide = {**os.environ, "COLUMNS": "200", "PYTHONIOENCODING": "utf-8"}  # So that no option is broken in two.
    return subprocess.check_output([sys.executable, "-m", module, "--help"], env=wide, encoding="utf-8")  # noqa: S603


@pytest.mark.parametrize(("command", "graceful"), [("uvicorn", "--timeout-graceful-shutdown"), ("anycorn", "--graceful-timeout")])
def test_uvicorn_and_anycorn_have_workers_and_a_reloader(command: str, graceful: str) -> None:
    """Both commands start several processes, reload on changes, and take a limit for the requests in flight."""
    text = options(command)
    assert all(option in text for option in ("--workers", "--reload", graceful))


def test_aiohttp_has_neither() -> None:
    """Its server is one process; several can share a port."""
    parameters = inspect.signature(web.run_app).parameters
    assert not [name for name in parameters if "worker" in name or "reload" in name]
    assert "reuse_port" in parameters


def test_how_long_each_waits_for_requests_in_flight() -> None:
    """By default uvicorn waits without a limit, aiohttp for 60 s, anycorn for 3."""
    assert uvicorn.Config("app").timeout_graceful_shutdown is None
    assert inspect.signature(web.run_app).parameters["shutdown_timeout"].default == 60
    assert anycorn.Config().graceful_timeout == 3


def test_a_websocket_needs_a_package_on_uvicorn_only() -> None:
    """What anycorn requires, uvicorn leaves it to its `standard` extra, aiohttp brings its own."""
    assert any(line.startswith("wsproto") for line in requires("anycorn") or [])
    optional = [line for line in requires("uvicorn") or [] if line.startswith(("websockets", "wsproto"))]
    assert all("extra ==" in line for line in optional)
    assert not [line for line in requires("aiohttp") or [] if line.startswith(("websockets", "wsproto"))]

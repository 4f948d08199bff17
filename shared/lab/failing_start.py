"""Run a variant's own `serve` with a lifespan that fails at once, and see what becomes of the process."""

import argparse
import importlib
import importlib.util
import os
import runpy
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from shared.lab.host import PLANTED
from shared.lab.server import START_SECONDS
from shared.lab.variants import ROOT, Variant

SWITCH = "FAIL_START"
"""What an application finds in its environment that fails by itself when it is asked to: the minimal ones do."""


@dataclass(frozen=True, slots=True)
class Failed:
    """What became of a server whose lifespan failed: its exit code, None where it had to be killed, and what it printed."""

    exit_code: int | None
    printed: str


def start_in_vain(variant: Variant, settings: Mapping[str, str] | None = None) -> Failed:
    """Start a variant whose lifespan fails, and return what became of it."""
    command = [sys.executable, "-P", "-m", "shared.lab.failing_start", variant.package, "--port", "0", "--loop", variant.loop]
    environment = {**os.environ, **(settings or {}), SWITCH: "on"}
    environment["PYTHONPATH"] = os.pathsep.join([str(variant.root), str(ROOT)])
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=START_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        return Failed(None, str(error.stderr))
    return Failed(done.returncode, done.stdout + done.stderr)


def fail() -> NoReturn:
    """Stand in for the `running_upstreams` of a lifespan."""
    raise RuntimeError(PLANTED)


def main() -> None:
    """Run the variant that the command line names; what follows its name is for its `serve`."""
    parser = argparse.ArgumentParser(prog="python -m shared.lab.failing_start")
    parser.add_argument("package", help="the variant's, such as variants.aiohttp_asyncio")
    arguments, rest = parser.parse_known_args()
    package = arguments.package
    if importlib.util.find_spec(f"{package}.app"):
        vars(importlib.import_module(f"{package}.app"))["running_upstreams"] = fail
    sys.argv = [f"{package}.serve", *rest]
    runpy.run_module(f"{package}.serve", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

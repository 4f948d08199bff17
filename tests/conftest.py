"""One fixture is the variant under test: `server`, once for each variant and each event loop it runs on."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from shared.lab import variants
from shared.lab.experiment import Ask, run
from shared.lab.server import Server, serving
from shared.lab.variants import Variant
from shared.lab.verdict import Verdict

RESULTS = variants.ROOT / ".results"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of variants."""
    help_text = "a folder of variants/; may be given again; without it, all whose packages are installed"
    parser.addoption("--variant", action="append", default=[], help=help_text)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `server` once for each variant and event loop."""
    if "server" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--variant")
        try:
            found = [variant for name in chosen or variants.groups() for variant in variants.named(name)]
        except variants.VariantError as error:
            raise pytest.UsageError(str(error)) from None
        metafunc.parametrize("server", found, ids=[variant.label for variant in found], indirect=True)


class Servers:
    """Running servers, one for each variant and loop, each started when a test first asks for it."""

    def __init__(self) -> None:
        self._running: dict[str, Server] = {}
        self._stack = contextlib.ExitStack()

    def get(self, variant: Variant) -> Server:
        """Return the variant's server, warmed up: a first request costs up to 25 ms that no later one does."""
        if variant.label not in self._running:
            running = self._stack.enter_context(serving(variant))
            paths = ("/ping", "/threaded?seconds=0", "/parallel?seconds=0", "/sync?seconds=0")
            for ask in (*map(Ask, paths), Ask("/search-demo?query=warm", "POST")):
                run(running, [ask])
            self._running[variant.label] = running
            keep_line(variant, {"identity": json.loads(run(running, [Ask("/")]).answers[0].body)})
        return self._running[variant.label]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Keep the servers until the last test has run."""
    with Servers() as running:
        yield running


@pytest.fixture
def server(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Server]:
    """Serve the variant under test."""
    variant: Variant = request.param
    if absent := variants.missing(variant.name):
        reason = f"{variant.name} needs {', '.join(absent)}, not installed here; nox gives each variant an environment of its own"
        if request.config.getoption("--variant"):
            pytest.fail(reason)
        pytest.skip(reason)
    running = servers.get(variant)
    yield running
    running.upstreams.behave()  # Take back what a test asked for and no call has met.


def keep_line(variant: Variant, line: dict[str, object]) -> None:
    """Add a line to what the table is made from: a file for each process that runs tests, so that none disturbs another."""
    RESULTS.mkdir(exist_ok=True)
    with Path(RESULTS, f"{variant.name}-{os.getpid()}.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({"variant": variant.label, **line}) + "\n")


def keep_verdict(server: Server, experiment: str, verdict: Verdict) -> None:
    """Keep a verdict for the table that is made at the end, and fail with its message when it does not hold."""
    keep_line(server.variant, {"experiment": experiment, "seconds": verdict.measured, "verdict": verdict.name})
    if not verdict.holds:
        pytest.fail(verdict.message, pytrace=False)


def pytest_report_header() -> str:
    """Say on what the suite runs."""
    return f"cores: {os.cpu_count()}, platform: {sys.platform}"

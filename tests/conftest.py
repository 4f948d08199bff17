"""One fixture is the variant under test: `server`, once for each variant and each event loop it runs on."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

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
        metafunc.parametrize("server", found, ids=[variant.label for variant in found], indirect=True, scope="session")


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Serve the variant, warmed up: a first request costs up to 25 ms that no later one does."""
    variant: Variant = request.param
    if absent := variants.missing(variant.name):
        reason = f"{variant.name} needs {', '.join(absent)}, not installed here; nox gives each variant an environment of its own"
        if request.config.getoption("--variant"):
            pytest.fail(reason)
        pytest.skip(reason)
    with serving(variant) as running:
        paths = ("/ping", "/threaded?seconds=0", "/parallel?seconds=0", "/sync?seconds=0")
        for ask in (*map(Ask, paths), Ask("/search-demo?query=warm", "POST")):
            run(running, [ask])
        yield running


class Results:
    """Verdicts, kept for the table that is printed at the end."""

    def __init__(self, label: str, identity: dict[str, str]) -> None:
        self.label = label
        self.content: dict[str, object] = {"identity": identity, "verdicts": {}}
        self.verdicts: dict[str, tuple[float, str]] = {}

    def __call__(self, experiment: str, verdict: Verdict) -> None:
        """Keep a verdict, and fail with its message when it does not hold."""
        self.verdicts[experiment] = (round(verdict.measured, 3), verdict.name)
        if not verdict.holds:
            pytest.fail(verdict.message, pytrace=False)

    def save(self) -> None:
        """Write them where the table is made from."""
        RESULTS.mkdir(exist_ok=True)
        content = json.dumps({**self.content, "verdicts": self.verdicts}, indent=1)
        Path(RESULTS, f"{self.label}.json").write_text(content, encoding="utf-8")


@pytest.fixture(scope="session")
def results(server: Server) -> Iterator[Results]:
    """Take the verdicts of the present variant."""
    identity = json.loads(run(server, [Ask("/")]).answers[0].body)
    kept = Results(server.variant.label, identity)
    yield kept
    kept.save()


@pytest.fixture(autouse=True)
def _behaving_upstreams(request: pytest.FixtureRequest) -> Iterator[None]:
    """Take back what a test asked the upstreams to do and no call has met."""
    yield
    if "server" in request.fixturenames and (running := request.getfixturevalue("server")).upstreams.running:
        running.upstreams.behave()


def pytest_report_header() -> str:
    """Say on what the suite runs."""
    return f"cores: {os.cpu_count()}, platform: {sys.platform}"

"""A real Chroma server, filled by the command that a user fills one with, and variants whose settings name it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import tests.conftest
from shared.lab.upstream import Upstreams
from shared.lesson.settings import COLLECTION_NAME
from tests.chroma_server import program, run_index, serving_chroma
from tests.conftest import Servers


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Leave these tests out where no Chroma server is given."""
    return True if config.getoption("--chroma") is None else None


def upstreams_with(chroma_url: str) -> Upstreams:
    """Run upstreams of which one is real: the embedded embeddings service, its witness and its faults, and a Chroma server.

    Their settings are those that a user writes: the collection by its name.
    """
    return Upstreams({"CHROMA_URL": chroma_url, "CHROMA_COLLECTION": COLLECTION_NAME})


@pytest.fixture(scope="session")
def chroma_program(request: pytest.FixtureRequest) -> Path:
    """Return the program of the Chroma server."""
    found = program(request.config)
    assert found
    return found


@pytest.fixture(scope="session")
def chroma(chroma_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a Chroma server with the lesson's documents in it, and return its URL."""
    with serving_chroma(chroma_program, tmp_path_factory.mktemp("chroma")) as url, upstreams_with(url) as upstreams:
        filled = run_index(upstreams.environment())
        assert filled.returncode == 0, filled.stderr
        yield url


@pytest.fixture(scope="session")
def servers(chroma: str) -> Iterator[Servers]:
    """Return what starts the servers; the root's `server` fixture takes them from here."""
    with upstreams_with(chroma) as upstreams:
        running = Servers(upstreams)
        yield running
        running.stop()


@pytest.fixture(autouse=True)
def results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep what is seen here out of the table, which is made of the runs with the embedded services."""
    monkeypatch.setattr(tests.conftest, "RESULTS", tmp_path)

"""The embedded services, for clients that know nothing of them but a URL and a key; and a real Chroma server, if one is given."""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from shared.lab.upstream import Upstreams
from shared.lesson.settings import COLLECTION_NAME
from tests.chroma_server import program, run_index, serving_chroma

# The clients are heavy and nothing else needs them: where one is missing its tests are left out. `nox -s clients` has both.
collect_ignore_glob = [
    f"test_{name}*.py" for name, module in {"openai": "openai", "chroma": "chromadb"}.items() if not find_spec(module)
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for Chroma with the embedded one, and with `--chroma` with a real one, too: both have to be alike."""
    if "chroma_url" in metafunc.fixturenames:
        kinds = ["embedded"] if metafunc.config.getoption("--chroma") is None else ["embedded", "real"]
        metafunc.parametrize("chroma_url", kinds, indirect=True, scope="session")


@pytest.fixture(scope="session")
def running() -> Iterator[Upstreams]:
    """Run the services once for all tests here."""
    with Upstreams() as running:
        yield running


@pytest.fixture
def upstreams(running: Upstreams) -> Iterator[Upstreams]:
    """Give a test the services, and forget afterwards what it planned."""
    yield running
    running.behave()


@pytest.fixture(scope="session")
def chroma_url(request: pytest.FixtureRequest, running: Upstreams, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a Chroma server, embedded or real, with the lesson's documents in it."""
    environment = running.environment()
    if request.param == "embedded":
        yield environment["CHROMA_URL"]
        return
    found = program(request.config)
    assert found
    with serving_chroma(found, tmp_path_factory.mktemp("chroma")) as url:
        filled = run_index({**environment, "CHROMA_URL": url, "CHROMA_COLLECTION": COLLECTION_NAME})
        assert filled.returncode == 0, filled.stderr
        yield url

"""The embedded services, for clients that know nothing of them but a URL and a key."""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from shared.lab.upstream import Upstreams

# Both clients are heavy and nothing else needs them: without them these tests are left out, and `nox -s clients` has them.
collect_ignore_glob = [] if find_spec("openai") and find_spec("chromadb") else ["test_*.py"]


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

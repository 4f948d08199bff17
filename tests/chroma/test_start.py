"""Filling a real Chroma server, and starting a variant whose settings do not fit it: what a user is told."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from shared.lab.server import START_SECONDS
from shared.lab.upstream import Upstreams
from shared.lab.variants import ROOT, Variant
from shared.lesson.collection import FILL, HOW
from shared.lesson.settings import COLLECTION_NAME, EMBEDDING_MODEL
from shared.lesson.upstreams import DATABASE
from shared.upstream.documents import DOCUMENTS
from tests.chroma.conftest import upstreams_with
from tests.chroma_server import run_index


@pytest.fixture(scope="module")
def upstreams(chroma: str) -> Iterator[Upstreams]:
    """Run an embeddings service beside Chroma."""
    with upstreams_with(chroma) as running:
        yield running


def ask(url: str, body: object = None) -> Any:  # noqa: ANN401 - JSON is any
    """Ask Chroma itself."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - our own
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - our own
        return json.load(response)


def started(variant: Variant, environment: Mapping[str, str]) -> tuple[int, str]:
    """Start a variant that cannot start, and return its exit code and its last line."""
    command = [sys.executable, "-m", f"variants.{variant.name}.serve", "--port", "0", "--loop", variant.loop]
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=START_SECONDS, check=False
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr.splitlines()[-1]


def test_filling_again_changes_nothing(chroma: str, upstreams: Upstreams) -> None:
    """The command may be run again: the same documents are in the same collection, as many as before."""
    collection = f"{chroma}{DATABASE}/collections/{COLLECTION_NAME}"
    before = ask(collection)
    done = run_index(upstreams.environment())
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"30 documents are in the collection {COLLECTION_NAME}, identifier {before['id']}, at {chroma}.\n"
    after = ask(collection)
    assert (after["id"], after["dimension"], after["metadata"]) == (before["id"], 1536, {"embedding_model": EMBEDDING_MODEL})
    assert ask(f"{chroma}{DATABASE}/collections/{before['id']}/count") == len(DOCUMENTS) == 30


def test_a_collection_that_is_not_there(chroma: str, upstreams: Upstreams, subject: Variant) -> None:
    """A variant does not start, and says which collection is missing and what makes one."""
    code, said = started(subject, {**upstreams.environment(), "CHROMA_COLLECTION": "nonesuch"})
    assert code == 2
    assert said.endswith(f"There is no collection nonesuch at CHROMA_URL ({chroma}). {HOW}")


def test_an_empty_collection(chroma: str, upstreams: Upstreams, subject: Variant) -> None:
    """A variant does not start, and says that the collection is empty, and what fills it."""
    ask(f"{chroma}{DATABASE}/collections", {"name": "hollow", "get_or_create": True})
    code, said = started(subject, {**upstreams.environment(), "CHROMA_COLLECTION": "hollow"})
    assert code == 2
    assert said.endswith(f"The collection hollow at CHROMA_URL ({chroma}) is empty: {FILL} puts the lesson's documents into it.")


def test_a_collection_of_another_dimension(chroma: str, upstreams: Upstreams, subject: Variant) -> None:
    """A variant does not start, and says that the collection's vectors are of another length, and what makes one that fits."""
    made = ask(f"{chroma}{DATABASE}/collections", {"name": "three", "get_or_create": True})
    columns = {"ids": ["a"], "embeddings": [[1.0, 0.0, 0.0]], "documents": ["a"], "metadatas": [{"title": "A"}]}
    ask(f"{chroma}{DATABASE}/collections/{made['id']}/upsert", columns)
    environment = {**upstreams.environment(), "CHROMA_COLLECTION": "three"}
    said = (
        f"The collection three holds vectors of 3 numbers, and {EMBEDDING_MODEL} makes 1536: name another with CHROMA_COLLECTION."
    )
    code, line = started(subject, environment)
    assert code == 2
    assert line.endswith(f"{said} {HOW}")
    done = run_index(environment)
    assert (done.returncode, done.stderr) == (2, f"{said} {HOW}\n")


def test_a_collection_of_another_model(upstreams: Upstreams, subject: Variant) -> None:
    """A collection knows the model that made its vectors: another's, even of the same length, would find nonsense in it."""
    code, line = started(subject, {**upstreams.environment(), "OPENAI_EMBEDDING_MODEL": "text-embedding-ada-002"})
    assert code == 2
    assert "was made with text-embedding-3-small, and OPENAI_EMBEDDING_MODEL is text-embedding-ada-002" in line
    assert line.endswith(HOW)

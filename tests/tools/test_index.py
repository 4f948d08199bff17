"""Settings that name real services: the collection is looked up before anything is served, and a command makes one."""

import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator

import pytest

from shared.lab.upstream import Upstreams
from shared.lab.variants import ROOT
from shared.lesson.collection import HOW, with_collection
from shared.lesson.command import HOST, parse
from shared.lesson.embedded import running_upstreams
from shared.lesson.settings import COLLECTION, COLLECTION_NAME, Settings, SettingsError, from_environment
from shared.lesson.upstreams import DATABASE
from shared.upstream.documents import DOCUMENTS
from tests.chroma_server import free_port, run_index
from tests.doors import Door

KEY = "hunter2"


@pytest.fixture(scope="module")
def running() -> Iterator[Upstreams]:
    """Run the upstreams once for all tests here."""
    with Upstreams({"OPENAI_API_KEY": KEY}) as running:
        yield running


@pytest.fixture
def upstreams(running: Upstreams) -> Iterator[Upstreams]:
    """Give a test the upstreams, and forget afterwards what it planned."""
    yield running
    running.behave()


def settings(upstreams: Upstreams, **others: str) -> Settings:
    """Return the settings that an environment makes."""
    found = from_environment({**upstreams.environment(), **others})
    assert found
    return found


def index(upstreams: Upstreams, **others: str) -> tuple[int, str]:
    """Run the command, and return its exit code and the one line that it said, without the key."""
    done = run_index({**upstreams.environment(), **others})
    assert KEY not in done.stdout + done.stderr
    lines = (done.stdout + done.stderr).splitlines()
    assert len(lines) == 1, done.stderr
    return done.returncode, lines[0]


def refusal(found: Settings) -> str:
    """Return what is said of settings that cannot be used; the key is not in it."""
    with pytest.raises(SettingsError) as caught:
        with_collection(found)
    assert KEY not in str(caught.value)
    return str(caught.value)


def test_a_collection_is_found_by_its_name(upstreams: Upstreams) -> None:
    """A query needs the identifier; the settings may hold that or the name, and hold the identifier afterwards."""
    for given in (COLLECTION_NAME, COLLECTION, ""):
        assert with_collection(settings(upstreams, CHROMA_COLLECTION=given)).collection == COLLECTION


def test_a_collection_that_is_not_there(upstreams: Upstreams) -> None:
    """It is named, with where it was looked for and with the command that makes one; by name and by identifier."""
    for missing in ("nonesuch", "00000000-0000-4000-8000-000000000000"):
        found = settings(upstreams, CHROMA_COLLECTION=missing)
        assert refusal(found) == f"There is no collection {missing} at CHROMA_URL ({found.chroma_url}). {HOW}"


def test_a_collection_of_another_model(upstreams: Upstreams) -> None:
    """A model's vectors find nonsense among another's; the message names both, and what makes a collection that fits."""
    said = refusal(settings(upstreams, OPENAI_EMBEDDING_MODEL="text-embedding-3-large"))
    made = "was made with text-embedding-3-small, and OPENAI_EMBEDDING_MODEL is text-embedding-3-large"
    assert said == f"The collection {COLLECTION} {made}: name another with CHROMA_COLLECTION. {HOW}"


def test_nothing_answers(upstreams: Upstreams) -> None:
    """A port where nobody listens, and a host that does not exist, are said to be just that."""
    for url in (f"http://{HOST}:{free_port()}", "http://chroma.invalid:8000"):
        assert refusal(settings(upstreams, CHROMA_URL=url)) == f"Nothing answers at CHROMA_URL ({url}): start Chroma there."


def test_a_server_that_says_nothing(upstreams: Upstreams) -> None:
    """A port that takes the connection and stays silent is given up after the deadline."""
    with socket.create_server((HOST, 0)) as silent:
        url = f"http://{HOST}:{silent.getsockname()[1]}"
        found = settings(upstreams, CHROMA_URL=url, UPSTREAM_DEADLINE="0.2")
        assert refusal(found) == f"What is at CHROMA_URL ({url}) did not answer within 1 seconds."


def test_a_server_that_drips(upstreams: Upstreams) -> None:
    """The deadline is for the whole look-up: an answer that comes byte by byte does not begin it anew."""

    def drip() -> None:
        connection, _ = dripping.accept()
        with connection, contextlib.suppress(OSError):
            for byte in b"HTTP/1.1 200 OK" * 4:
                connection.sendall(bytes([byte]))
                time.sleep(0.1)

    with socket.create_server((HOST, 0)) as dripping:
        threading.Thread(target=drip, daemon=True).start()
        url = f"http://{HOST}:{dripping.getsockname()[1]}"
        began = time.monotonic()
        said = refusal(settings(upstreams, CHROMA_URL=url, UPSTREAM_DEADLINE="0.1"))
        assert said == f"What is at CHROMA_URL ({url}) did not answer within 0.5 seconds."
        assert 0.5 <= time.monotonic() - began < 2.5  # Without a deadline for the whole, it drips for five seconds.


def test_an_empty_collection(upstreams: Upstreams) -> None:
    """A collection with nothing in it is said to be empty, with the command that fills it: every search would find nothing."""
    url, body = settings(upstreams).chroma_url, json.dumps({"name": "hollow"}).encode()
    request = urllib.request.Request(f"{url}{DATABASE}/collections", body, {"Content-Type": "application/json"})  # noqa: S310 - our own
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 - our own
    said = refusal(settings(upstreams, CHROMA_COLLECTION="hollow"))
    fill = "`python -m shared.upstream index` puts the lesson's documents into it."
    assert said == f"The collection hollow at CHROMA_URL ({url}) is empty: {fill}"
    assert index(upstreams, CHROMA_COLLECTION="hollow")[0] == 0
    assert with_collection(settings(upstreams, CHROMA_COLLECTION="hollow")).collection


def test_a_collection_is_looked_up_once(upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line and the lifespan hook of one process ask Chroma together as often as one of them would."""
    with contextlib.closing(Door(settings(upstreams).chroma_url)) as door:
        environment = {**upstreams.environment(), "CHROMA_URL": door.url, "CHROMA_COLLECTION": COLLECTION_NAME}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        parse("mine", ("asyncio",), [], reloads=False)
        with running_upstreams() as found:
            assert found.collection == COLLECTION
        one = f"{DATABASE}/collections/"
        assert door.gate.arrived == [f"{one}{COLLECTION_NAME}", f"{one}{COLLECTION}/count"]


def test_another_server(upstreams: Upstreams) -> None:
    """A web server that is not Chroma is not mistaken for one that lacks the collection."""
    found = settings(upstreams)
    other = dataclasses.replace(found, chroma_url=found.openai_url)
    assert "is not a Chroma server that this speaks to (status 404)." in refusal(other)


def test_the_command_makes_a_collection(upstreams: Upstreams) -> None:
    """A new collection holds all documents and can be searched; run again, the command changes nothing."""
    last = upstreams.last_call()
    code, said = index(upstreams, CHROMA_COLLECTION="mine")
    identifier = with_collection(settings(upstreams, CHROMA_COLLECTION="mine")).collection
    where = settings(upstreams).chroma_url
    assert (code, said) == (0, f"30 documents are in the collection mine, identifier {identifier}, at {where}.")
    texts = [text for call in upstreams.calls(last) for text in call.sent["input"]]
    assert sorted(texts) == sorted(text for document in DOCUMENTS for text in (document.title, document.text))
    assert index(upstreams, CHROMA_COLLECTION="mine") == (0, said)
    assert index(upstreams, CHROMA_COLLECTION=identifier)[0] == 0


def test_the_command_without_settings(upstreams: Upstreams) -> None:
    """It says which setting it needs."""
    assert index(upstreams, CHROMA_URL="") == (
        2,
        "CHROMA_URL must be the URL of the Chroma server to fill, such as http://127.0.0.1:8000.",
    )
    code, said = index(upstreams, OPENAI_API_KEY="")
    assert code == 2
    assert said.startswith("OPENAI_API_KEY must be the key of the embeddings service, because CHROMA_URL is set")


def test_the_command_without_services(upstreams: Upstreams) -> None:
    """It says at which setting nothing answers."""
    nowhere = f"http://{HOST}:{free_port()}"
    assert index(upstreams, CHROMA_URL=nowhere) == (2, f"Nothing answers at CHROMA_URL ({nowhere}): start Chroma there.")
    said = f"Nothing answers at OPENAI_BASE_URL ({nowhere})."
    assert index(upstreams, OPENAI_BASE_URL=f"{nowhere}/v1", CHROMA_COLLECTION="fresh") == (2, said)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "refuses the key in OPENAI_API_KEY"),
        (404, "does not know the model in OPENAI_EMBEDDING_MODEL, or OPENAI_BASE_URL is not its base"),
    ],
)
def test_the_command_is_refused(upstreams: Upstreams, status: int, reason: str) -> None:
    """A key or a model that is refused is named, not shown; and no empty collection is left behind."""
    upstreams.misbehave("embeddings", "answer", status=status, count=3)
    code, said = index(upstreams, CHROMA_COLLECTION="refused")
    assert code == 2
    assert said.startswith("The embeddings service at http://127.0.0.1:")
    assert said.endswith(f" {reason}.")
    assert "There is no collection refused" in refusal(settings(upstreams, CHROMA_COLLECTION="refused"))


def test_the_command_and_a_collection_of_another_model(upstreams: Upstreams) -> None:
    """Vectors of two models are not mixed; nobody pays for some that do not fit."""
    last = upstreams.last_call()
    code, said = index(upstreams, OPENAI_EMBEDDING_MODEL="text-embedding-3-large")
    assert code == 2
    assert "was made with text-embedding-3-small, and OPENAI_EMBEDDING_MODEL is text-embedding-3-large" in said
    assert not upstreams.calls(last)


def test_the_command_asks_once_more(upstreams: Upstreams) -> None:
    """A 503, or a lost connection, of the embeddings service is no reason to give up: each call is sent once more."""
    for kind, fields in (("answer", {"status": 503}), ("drop", {})):
        last = upstreams.last_call()
        upstreams.misbehave("embeddings", kind, count=1, **fields)
        code, _ = index(upstreams, CHROMA_COLLECTION=f"again-{kind}")
        services = [call.service for call in upstreams.calls(last)]
        assert (code, services.count("embeddings")) == (0, 4)


def test_the_command_and_a_service_that_fails(upstreams: Upstreams) -> None:
    """A service that breaks off is named in the words that a search's client would get."""
    upstreams.misbehave("embeddings", "half", count=3)
    assert index(upstreams, CHROMA_COLLECTION="failed") == (2, "The embeddings service broke off its answer.")


@pytest.mark.parametrize("wrong", [{"CHROMA_COLLECTION": "nonesuch"}, {"OPENAI_CHAT_MODEL": "a b"}, {"CONNECT_DEADLINE": "0"}])
def test_a_variant_does_not_start(upstreams: Upstreams, wrong: dict[str, str]) -> None:
    """The command line of every variant ends with one line that names what is wrong, before anything is served."""
    code = "from shared.lesson.command import parse; parse('mine', ('asyncio',), [], reloads=False)"
    environment = {**os.environ, **upstreams.environment(), **wrong}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.returncode == 2
    name, value = next(iter(wrong.items()))
    assert (value if value == "nonesuch" else name) in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert KEY not in done.stderr

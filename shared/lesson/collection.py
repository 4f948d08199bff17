"""Which collection a variant searches: looked up on the Chroma server once in a process, before anything is served.

A query names a collection by its identifier, people by its name (https://docs.trychroma.com/docs/collections/manage-collections).
"""

import contextlib
import dataclasses
import functools
import http.client
import json
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from shared.lesson.settings import Settings, SettingsError
from shared.lesson.upstreams import DATABASE

MODEL_MARK: Final = "embedding_model"
"""What the command that fills a collection writes on it: the model that made its vectors."""

DIMENSIONS: Final = {"text-embedding-3-small": 1536, "text-embedding-ada-002": 1536, "text-embedding-3-large": 3072}
"""How many numbers the vectors of OpenAI's models have. Of other models only their vectors tell."""

FILL: Final = "`python -m shared.upstream index`"
HOW: Final = f"{FILL} makes one from the lesson's documents."

MAX_ANSWER: Final = 2**20  # bytes; a collection's description has about 2,000

PATIENCE: Final = 5
"""How many times the deadline for an answer it may take: nobody waits yet, and Chroma may be starting on the same machine."""

Found = TypeVar("Found")


@functools.cache  # The command line asks first, to say in one line what is wrong, and the lifespan hook of the same process then.
def with_collection(settings: Settings) -> Settings:
    """Return settings in which the collection is an identifier: looked up, and checked to fit the embedding model.

    Raises:
        SettingsError: No Chroma server answers in time, or it has no such collection, or one that is empty or does not fit.

    """
    found, where = look_up(settings), f"CHROMA_URL ({place(settings.chroma_url)})"
    if found is None:
        raise SettingsError(f"There is no collection {settings.collection} at {where}. {HOW}")
    check_model(settings, found)
    if not found["count"]:
        raise SettingsError(
            f"The collection {settings.collection} at {where} is empty: {FILL} puts the lesson's documents into it."
        )
    return dataclasses.replace(settings, collection=found["id"])


def look_up(settings: Settings) -> dict[str, Any] | None:
    """Return the collection that the settings name, as Chroma describes it, and with its `count`; None where there is none.

    Raises:
        SettingsError: No Chroma server answers, or none in time.

    """
    seconds = PATIENCE * settings.deadlines.answer
    try:
        return _within(seconds, lambda: _find(settings))
    except TimeoutError:
        said = f"did not answer within {seconds:g} seconds"
        raise SettingsError(f"What is at CHROMA_URL ({place(settings.chroma_url)}) {said}.") from None


def check_model(settings: Settings, found: dict[str, Any], dimension: int | None = None) -> None:
    """Check that a collection fits the embedding model; its vectors have `dimension` numbers, where that has been seen.

    Raises:
        SettingsError: It holds the vectors of another one. A search would fail there, or find nonsense.

    """
    model, metadata = settings.embedding_model, found.get("metadata")
    needed, holds = dimension or DIMENSIONS.get(model), found.get("dimension")
    made_with = metadata.get(MODEL_MARK, model) if isinstance(metadata, dict) else model
    if made_with != model:
        problem = f"was made with {made_with}, and OPENAI_EMBEDDING_MODEL is {model}"
    elif holds and needed and holds != needed:
        problem = f"holds vectors of {holds} numbers, and {model} makes {needed}"
    else:
        return
    raise SettingsError(f"The collection {settings.collection} {problem}: name another with CHROMA_COLLECTION. {HOW}")


def is_identifier(value: object) -> bool:
    """Return whether a value is the identifier of a collection, and not its name."""
    try:
        return isinstance(value, str) and bool(uuid.UUID(value))
    except ValueError:
        return False


def place(url: str) -> str:
    """Return where a URL leads, as it may be shown: without a password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _find(settings: Settings) -> dict[str, Any] | None:
    collections, kind = f"{DATABASE}/collections", "by-id/" if is_identifier(settings.collection) else ""
    status, found = _get(settings, f"{collections}/{kind}{settings.collection}")
    described = isinstance(found, dict)
    if status == HTTPStatus.NOT_FOUND and described and found.get("error") == "NotFoundError":
        return None
    count: Any = None
    if status == HTTPStatus.OK and described and is_identifier(found.get("id")):
        status, count = _get(settings, f"{collections}/{found['id']}/count")
    if status != HTTPStatus.OK or not isinstance(count, int):
        where = place(settings.chroma_url)
        raise SettingsError(f"What answers at CHROMA_URL ({where}) is not a Chroma server that this speaks to (status {status}).")
    return {**found, "count": count}


def _within(seconds: float, work: Callable[[], Found]) -> Found:
    """Return what `work` returns, or raise a TimeoutError; it is then left to itself, and does not keep the process from ending.

    A thread, as nothing else bounds all of it: looking a host up takes no timeout, and a socket's starts anew with every byte.
    """
    done: Future[Found] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            done.set_exception(error)

    threading.Thread(target=run, name="look-up", daemon=True).start()
    return done.result(seconds)


def _get(settings: Settings, path: str) -> tuple[int, Any]:
    """Return the status and the JSON with which Chroma answers; None where it is none."""
    parts = urlsplit(settings.chroma_url)
    scheme = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        with contextlib.closing(
            scheme(parts.hostname or "", parts.port, timeout=PATIENCE * settings.deadlines.answer)
        ) as connection:
            connection.request("GET", parts.path + path)
            response = connection.getresponse()
            status, content = response.status, response.read(MAX_ANSWER)
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException, UnicodeError):  # UnicodeError: no domain name can be made of the host.
        raise SettingsError(f"Nothing answers at CHROMA_URL ({place(settings.chroma_url)}): start Chroma there.") from None
    try:
        return status, json.loads(content)
    except (ValueError, RecursionError):
        return status, None

"""Which collection a variant searches: looked up on the Chroma server once, before anything is served.

A query names a collection by its identifier, people by its name (https://docs.trychroma.com/docs/collections/manage-collections).
"""

import contextlib
import dataclasses
import http.client
import json
import uuid
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from shared.lesson.settings import Settings, SettingsError
from shared.lesson.upstreams import DATABASE

MODEL_MARK: Final = "embedding_model"
"""What the command that fills a collection writes on it: the model that made its vectors."""

DIMENSIONS: Final = {"text-embedding-3-small": 1536, "text-embedding-ada-002": 1536, "text-embedding-3-large": 3072}
"""How many numbers the vectors of OpenAI's models have. Of other models only their vectors tell."""

HOW: Final = "`python -m shared.upstream index` makes one from the lesson's documents."

MAX_ANSWER: Final = 2**20  # bytes; a collection's description has about 2,000


def with_collection(settings: Settings) -> Settings:
    """Return settings in which the collection is an identifier: looked up, and checked to fit the embedding model.

    Raises:
        SettingsError: No Chroma server answers, or it has no such collection, or one that does not fit.

    """
    found = look_up(settings)
    if found is None:
        raise SettingsError(f"There is no collection {settings.collection} at CHROMA_URL ({place(settings.chroma_url)}). {HOW}")
    check_model(settings, found)
    return dataclasses.replace(settings, collection=found["id"])


def look_up(settings: Settings) -> dict[str, Any] | None:
    """Return the collection that the settings name, as Chroma describes it; None where there is none.

    Raises:
        SettingsError: No Chroma server answers.

    """
    kind = "by-id/" if is_identifier(settings.collection) else ""
    status, answer = _get(settings, f"{DATABASE}/collections/{kind}{settings.collection}")
    if status == HTTPStatus.NOT_FOUND and answer.get("error") == "NotFoundError":
        return None
    if status != HTTPStatus.OK or not is_identifier(answer.get("id")):
        where = place(settings.chroma_url)
        raise SettingsError(f"What answers at CHROMA_URL ({where}) is not a Chroma server that this speaks to (status {status}).")
    return answer


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


def _get(settings: Settings, path: str) -> tuple[int, dict[str, Any]]:
    """Return the status and the JSON object with which Chroma answers; an empty object where it is none."""
    parts = urlsplit(settings.chroma_url)
    scheme = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        with contextlib.closing(scheme(parts.hostname or "", parts.port, timeout=settings.deadlines.answer)) as connection:
            connection.request("GET", parts.path + path)
            response = connection.getresponse()
            status, content = response.status, response.read(MAX_ANSWER)
    except (OSError, http.client.HTTPException, UnicodeError):  # UnicodeError: no domain name can be made of the host.
        raise SettingsError(f"Nothing answers at CHROMA_URL ({place(settings.chroma_url)}): start Chroma there.") from None
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        answer = None
    return status, answer if isinstance(answer, dict) else {}

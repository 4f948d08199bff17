"""Which upstreams a variant calls, read from the environment and checked before anything is served."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

EMBEDDING_MODEL: Final = "text-embedding-3-small"
CHAT_MODEL: Final = "gpt-5.4-mini"
COLLECTION: Final = "6d0ac8d6-2f4b-4c3e-9d4f-3a7e1b1c5a90"
"""The identifier of the embedded collection of documents."""

COLLECTION_NAME: Final = "workbook"
"""The name of the collection, embedded or on a Chroma server, unless another is set."""

UPSTREAM_DEADLINE: Final = 2.0
"""How long a variant waits for an upstream's whole answer, in seconds: eight times the longest that the lesson's take."""

CHAT_DEADLINE: Final = 4.0
"""Likewise for a language model's answer."""


class SettingsError(Exception):
    """A setting is missing or cannot be used; the message names it and says what would do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the upstreams are.

    Attributes:
        openai_url: Base of the OpenAI-compatible service, ending in its version, such as `http://127.0.0.1:9000/v1`.
        chroma_url: Base of the Chroma server, without a path.
        openai_key: The secret for the first; never shown, not even by `repr`.
        embedding_model: The model that embeds a query.
        collection: The collection that is searched: its identifier, or as it stands in the environment, perhaps its name.
        deadline: How long an upstream may take for its whole answer, in seconds.
        chat_model: The model that answers a question.
        chat_deadline: How long it may take for its whole answer, in seconds.

    """

    openai_url: str
    chroma_url: str
    openai_key: str = field(repr=False)
    embedding_model: str = EMBEDDING_MODEL
    collection: str = COLLECTION
    deadline: float = UPSTREAM_DEADLINE
    chat_model: str = CHAT_MODEL
    chat_deadline: float = CHAT_DEADLINE


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings | None:
    """Return the upstreams that the environment names; None when it names none, so that the embedded ones are wanted.

    `CHROMA_URL` decides. A key for OpenAI alone is not enough: many people have one in their environment for other reasons, and
    a lesson must not spend their money unasked.

    Raises:
        SettingsError: Something is missing or malformed.

    """
    chroma_url = environment.get("CHROMA_URL", "")
    if not chroma_url:
        return None
    key = environment.get("OPENAI_API_KEY", "")
    if not key.isascii() or not key.isprintable() or not key.strip():
        raise SettingsError("CHROMA_URL is set, so OPENAI_API_KEY must hold the key of the embeddings service.")
    return Settings(
        openai_url=_url("OPENAI_BASE_URL", environment.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"),
        chroma_url=_url("CHROMA_URL", chroma_url),
        openai_key=key,
        embedding_model=environment.get("OPENAI_EMBEDDING_MODEL") or EMBEDDING_MODEL,
        collection=environment.get("CHROMA_COLLECTION") or COLLECTION_NAME,
        chat_model=environment.get("OPENAI_CHAT_MODEL") or CHAT_MODEL,
    )


def _url(name: str, text: str) -> str:
    """Return a base URL without its last slash, or say which setting is not one."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # A port that is not a number, a bracket left open.
        usable = False
    if not usable:
        raise SettingsError(f"{name} must be a URL such as http://127.0.0.1:8000.")
    return text.rstrip("/")

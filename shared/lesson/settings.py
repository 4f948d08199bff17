"""Which upstreams a variant calls, read from the environment and checked before anything is served."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.lesson.checks import LONGEST_DEADLINE, SettingsError, check_seconds, check_text, check_url

__all__ = [
    "CHAT_DEADLINE",
    "CHAT_MODEL",
    "COLLECTION",
    "COLLECTION_NAME",
    "CONNECT_DEADLINE",
    "EMBEDDING_MODEL",
    "LONGEST_DEADLINE",
    "UPSTREAM_DEADLINE",
    "Deadlines",
    "Settings",
    "SettingsError",
    "deadlines_from",
    "from_environment",
]

EMBEDDING_MODEL: Final = "text-embedding-3-small"
CHAT_MODEL: Final = "gpt-5.4-mini"
COLLECTION: Final = "6d0ac8d6-2f4b-4c3e-9d4f-3a7e1b1c5a90"
"""The identifier of the embedded collection of documents."""

COLLECTION_NAME: Final = "workbook"
"""The name of the collection, embedded or on a Chroma server, unless another is set."""

UPSTREAM_DEADLINE: Final = 2.0
"""How long a variant waits for an upstream's whole answer, in seconds: eight times the longest that the lesson's take."""

CHAT_DEADLINE: Final = 4.0
"""Likewise for a language model's whole answer: eight times what the lesson's takes."""

CONNECT_DEADLINE: Final = 1.0
"""How long it waits for a connection, in seconds. One on loopback takes a thousandth of that, one across an ocean a fifth.

Whether a host refuses a connection or lets it hang is a matter of its firewall and its system; so both are a 502, `cannot be
reached`. A 504 says that a service was reached, and late; or that the deadline for its whole answer was over even before.
"""

_COLLECTION_RULE = "a name of 3 to 512 letters, digits, dots, dashes and underscores, or the identifier of a collection"
_COLLECTION = r"[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]"


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a variant waits for an upstream, in seconds.

    Attributes:
        answer: For a whole answer; `UPSTREAM_DEADLINE` in the environment.
        chat: For a language model's whole answer; `CHAT_DEADLINE`.
        connect: For a connection; `CONNECT_DEADLINE`.

    """

    answer: float = UPSTREAM_DEADLINE
    chat: float = CHAT_DEADLINE
    connect: float = CONNECT_DEADLINE


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the upstreams are.

    Attributes:
        openai_url: Base of the OpenAI-compatible service, ending in its version, such as `http://127.0.0.1:9000/v1`.
        chroma_url: Base of the Chroma server, without a path.
        openai_key: The secret for the first; never shown, not even by `repr`.
        embedding_model: The model that embeds a query.
        chat_model: The model that answers a question.
        collection: The collection that is searched: its identifier, or as it stands in the environment, perhaps its name.
        deadlines: How long they may take.
        work_url: Base of the work service, without a path; always an embedded one. Empty until that runs.

    """

    openai_url: str
    chroma_url: str
    openai_key: str = field(repr=False)
    embedding_model: str = EMBEDDING_MODEL
    chat_model: str = CHAT_MODEL
    collection: str = COLLECTION
    deadlines: Deadlines = Deadlines()
    work_url: str = ""


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings | None:
    """Return the upstreams that the environment names; None when it names none, so that the embedded ones are wanted.

    `CHROMA_URL` decides. A key for OpenAI alone is not enough: many people have one in their environment for other reasons, and
    a lesson must not spend their money unasked. Deadlines are checked in any case, because they hold for the embedded ones too.

    Raises:
        SettingsError: Something is missing or malformed. The message does not show what: it may be a secret.

    """
    deadlines = deadlines_from(environment)
    if not environment.get("CHROMA_URL"):
        return None
    key_rule = "the key of the embeddings service, because CHROMA_URL is set"
    embedding_model = environment.get("OPENAI_EMBEDDING_MODEL") or EMBEDDING_MODEL
    chat_model = environment.get("OPENAI_CHAT_MODEL") or CHAT_MODEL
    collection = environment.get("CHROMA_COLLECTION") or COLLECTION_NAME
    return Settings(
        openai_url=check_url("OPENAI_BASE_URL", environment.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"),
        chroma_url=check_url("CHROMA_URL", environment["CHROMA_URL"]),
        openai_key=check_text("OPENAI_API_KEY", environment.get("OPENAI_API_KEY", ""), key_rule),
        embedding_model=check_text("OPENAI_EMBEDDING_MODEL", embedding_model, f"the name of a model, such as {EMBEDDING_MODEL}"),
        chat_model=check_text("OPENAI_CHAT_MODEL", chat_model, f"the name of a model, such as {CHAT_MODEL}"),
        collection=check_text("CHROMA_COLLECTION", collection, _COLLECTION_RULE, _COLLECTION),
        deadlines=deadlines,
        # Whoever runs the embedded services apart, as the suite does, says so where their work service is.
        work_url=check_url("WORK_URL", environment["WORK_URL"]) if environment.get("WORK_URL") else "",
    )


def deadlines_from(environment: Mapping[str, str] = os.environ) -> Deadlines:
    """Return how long an upstream may take: what the environment says, and the defaults for the rest.

    Raises:
        SettingsError: Something is not a number of seconds within the limits.

    """
    defaults = {"UPSTREAM_DEADLINE": UPSTREAM_DEADLINE, "CHAT_DEADLINE": CHAT_DEADLINE, "CONNECT_DEADLINE": CONNECT_DEADLINE}
    return Deadlines(*(check_seconds(name, environment.get(name) or str(default)) for name, default in defaults.items()))

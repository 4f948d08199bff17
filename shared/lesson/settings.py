"""Which upstreams a variant calls, read from the environment and checked before anything is served."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

EMBEDDING_MODEL: Final = "text-embedding-3-small"
COLLECTION: Final = "6d0ac8d6-2f4b-4c3e-9d4f-3a7e1b1c5a90"
"""The identifier of the embedded collection of documents."""

UPSTREAM_DEADLINE: Final = 2.0
"""How long a variant waits for an upstream's whole answer, in seconds: eight times the longest that the lesson's take."""

LONGEST_DEADLINE: Final = 600.0
"""Seconds that a variant may be told to wait for an upstream."""

_NETLOC: Final = re.compile(r"(\[[\da-f:.]+\]|[\w.-]+)(:\d*)?", re.ASCII | re.IGNORECASE)
_LABEL: Final = re.compile(r"\w([\w-]{0,61}\w)?", re.ASCII)
_LONGEST_NAME: Final = 253  # of a host (RFC 1035); a label has at most 63
_LONGEST_URL: Final = 2000  # characters: beyond this a client may refuse it


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
        collection: The identifier of the collection that is searched.
        deadline: How long an upstream may take for its whole answer, in seconds.
        work_url: Base of the work service, without a path; always an embedded one. Empty until that runs.

    """

    openai_url: str
    chroma_url: str
    openai_key: str = field(repr=False)
    embedding_model: str = EMBEDDING_MODEL
    collection: str = COLLECTION
    deadline: float = UPSTREAM_DEADLINE
    work_url: str = ""


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings | None:
    """Return the upstreams that the environment names; None when it names none, so that the embedded ones are wanted.

    `CHROMA_URL` decides. A key for OpenAI alone is not enough: many people have one in their environment for other reasons, and
    a lesson must not spend their money unasked. The deadline is checked in any case, because it holds for the embedded ones too.

    Raises:
        SettingsError: Something is missing or malformed. The message does not show what: it may be a secret.

    """
    deadline = deadline_from(environment)
    if not environment.get("CHROMA_URL"):
        return None
    key_rule = "the key of the embeddings service, because CHROMA_URL is set"
    model = environment.get("OPENAI_EMBEDDING_MODEL") or EMBEDDING_MODEL
    collection = environment.get("CHROMA_COLLECTION") or COLLECTION
    return Settings(
        openai_url=_url("OPENAI_BASE_URL", environment.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"),
        chroma_url=_url("CHROMA_URL", environment["CHROMA_URL"]),
        openai_key=_text("OPENAI_API_KEY", environment.get("OPENAI_API_KEY", ""), key_rule),
        embedding_model=_text("OPENAI_EMBEDDING_MODEL", model, f"the name of a model, such as {EMBEDDING_MODEL}"),
        collection=_text("CHROMA_COLLECTION", collection, f"an identifier, such as {COLLECTION}", r"[\w.-]+"),
        deadline=deadline,
        # Whoever runs the embedded services apart, as the suite does, says so where their work service is.
        work_url=_url("WORK_URL", environment["WORK_URL"]) if environment.get("WORK_URL") else "",
    )


def deadline_from(environment: Mapping[str, str] = os.environ) -> float:
    """Return how long an upstream may take for its whole answer, in seconds: `UPSTREAM_DEADLINE`, or the default of that name.

    Raises:
        SettingsError: It is not a number of seconds within the limits.

    """
    try:
        deadline = float(environment.get("UPSTREAM_DEADLINE") or UPSTREAM_DEADLINE)
    except ValueError:
        deadline = 0.0
    if not 0 < deadline <= LONGEST_DEADLINE:  # NaN compares false with everything, so it fails this too.
        raise SettingsError(f"UPSTREAM_DEADLINE must be a number of seconds, more than 0 and at most {LONGEST_DEADLINE:g}.")
    return deadline


def _text(name: str, text: str, rule: str, allowed: str = r"[!-~]+") -> str:
    """Return a text that a request can carry, or say which setting is not one."""
    if not re.fullmatch(allowed, text, re.ASCII):
        raise SettingsError(f"{name} must be {rule}; it may hold neither spaces nor anything outside ASCII.")
    return text


def _url(name: str, text: str) -> str:
    """Return a base URL without its last slash, or say which setting is not one."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.port != 0 and _is_host(parts.hostname or "")
    except ValueError:  # A port that is not a number, a bracket left open, an address that is none.
        parts, usable = urlsplit(""), False
    if "@" in parts.netloc:
        raise SettingsError(f"{name} must not hold a user name or a password: a URL is shown in logs.")
    if usable and ("?" in text or "#" in text):
        raise SettingsError(f"{name} must end with its path, without '?' and '#': the rest of each URL is added to it.")
    if not usable or not _NETLOC.fullmatch(parts.netloc) or len(text) > _LONGEST_URL:
        raise SettingsError(f"{name} must be a URL such as http://127.0.0.1:8000, with a host that can be looked up.")
    return _text(name, text, "a URL such as http://127.0.0.1:8000").rstrip("/")


def _is_host(host: str) -> bool:
    """Whether a host can be looked up. On another, a client would fail only when it calls, and each in a way of its own."""
    labels = host.removesuffix(".").split(".")
    if ":" in host or labels[-1].isdigit():
        ip_address(host)  # Raises a ValueError where it is none.
        return True
    return len(host) <= _LONGEST_NAME and all(map(_LABEL.fullmatch, labels))

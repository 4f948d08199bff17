"""What every setting is checked for, and what is said of one that cannot be used: never its value, which may be a secret."""

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

LONGEST_DEADLINE: Final = 600.0
"""Seconds that a variant may be told to wait for an upstream."""

_NETLOC: Final = re.compile(r"(\[[\da-f:.]+\]|[\w.-]+)(:\d*)?", re.ASCII | re.IGNORECASE)
_LABEL: Final = re.compile(r"\w([\w-]{0,61}\w)?", re.ASCII)
_LONGEST_NAME: Final = 253  # of a host (RFC 1035); a label has at most 63
_LONGEST_URL: Final = 2000  # characters: beyond this a client may refuse it


class SettingsError(Exception):
    """A setting is missing or cannot be used; the message names it and says what would do."""


def check_seconds(name: str, text: str) -> float:
    """Return a number of seconds, or say which setting is not one."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST_DEADLINE:  # NaN compares false with everything, so it fails this too.
        raise SettingsError(f"{name} must be a number of seconds, more than 0 and at most {LONGEST_DEADLINE:g}.")
    return seconds


def check_text(name: str, text: str, rule: str, allowed: str = r"[!-~]+") -> str:
    """Return a text that a request can carry, or say which setting is not one."""
    if not re.fullmatch(allowed, text, re.ASCII):
        raise SettingsError(f"{name} must be {rule}; it may hold neither spaces nor anything outside ASCII.")
    return text


def check_url(name: str, text: str) -> str:
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
    return check_text(name, text, "a URL such as http://127.0.0.1:8000").rstrip("/")


def _is_host(host: str) -> bool:
    """Whether a host can be looked up. On another, a client would fail only when it calls, and each in a way of its own."""
    labels = host.removesuffix(".").split(".")
    if ":" in host or labels[-1].isdigit():
        ip_address(host)  # Raises a ValueError where it is none.
        return True
    return len(host) <= _LONGEST_NAME and all(map(_LABEL.fullmatch, labels))

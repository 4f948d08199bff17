"""What a server prints when something was left open, or when something went wrong that nobody foresaw."""

import re

_LEFT_OPEN = re.compile(r".*(KeyboardInterrupt|ResourceWarning|Unclosed |Task was destroyed|never retrieved|was never awaited).*")
_ERROR = re.compile(r".*Unforeseen error.*|^Traceback.*", re.MULTILINE)


def left_open(log: str) -> str:
    """Return the first line of a log that says that something was not closed or not awaited; empty when none does."""
    return _first(_LEFT_OPEN, log)


def complaint(log: str) -> str:
    """Return such a line, or else the first that tells an error nobody foresaw; empty when there is neither."""
    return left_open(log) or _first(_ERROR, log)


def _first(pattern: re.Pattern[str], log: str) -> str:
    found = pattern.search(log)
    return found[0].strip() if found else ""

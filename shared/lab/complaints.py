"""What a server prints when something was left open, or when something went wrong that nobody foresaw."""

import re

from shared.lab.causes import Cause
from shared.lab.finding import Finding, sure
from shared.lab.rules import last_error

_LEFT_OPEN = re.compile(
    r".*(KeyboardInterrupt|ResourceWarning|Unclosed |Task was destroyed|never retrieved|was never awaited).*(\nfuture: .*)?"
)
_ERROR = re.compile(r".*Unforeseen error.*|^ERROR\b.*|^[ |+]*(Exception Group )?Traceback\b.*", re.MULTILINE)


LOST = "ResourceWarning: unclosed transport"
"""What asyncio says of a connection that was dropped and not closed."""

BENEATH = ("_warn(", "ResourceWarning: Enable tracemalloc")
"""How the lines begin that Python prints beneath such a warning: the code that gave it, and advice."""

FEW = 1
"""So many are no proof: httpx2 on anyio drops some that its callers give up while they connect. A variant that forgets to close
them loses one each time."""


def left_open(log: str, few: int = FEW) -> str:
    """Return the first line of a log that says that something was not closed or not awaited; empty when none does.

    Where asyncio says beneath it whose error nobody has asked for, that too. Of connections that were dropped, so many are
    passed over.
    """
    found = [" ".join(one[0].split()) for one in _LEFT_OPEN.finditer(log) if not one[0].strip().startswith(BENEATH)]
    lost = [line for line in found if LOST in line]
    return next((line for line in found if line not in lost or len(lost) > few), "")


def complaints(when: str, log: str, *places: tuple[str, str], few: int = FEW) -> list[Finding]:
    """Find what a log complains of: something that was left open, or an error that nobody foresaw.

    Args:
        when: What had happened, for the sentence.
        log: All that was printed.
        places: Modules and functions to look at first.
        few: How many dropped connections are no proof.

    """
    if line := left_open(log, few):
        cause = Cause.NOT_AWAITED if "never awaited" in line else Cause.LEAK
        return sure(cause, f"{when}, and the log says: {line}", *places)
    if found := _ERROR.search(log):
        sentence = f"{when}, and the log tells an error that nobody foresaw: {last_error(log[found.start() :])}"
        return sure(Cause.WRONG_ERROR, sentence, *places)
    return []

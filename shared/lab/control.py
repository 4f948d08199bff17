"""The lab's connection into a server's process, where a thread of its own answers: `host.py`."""

import json
import socket
import threading
from typing import Any

ANSWER_SECONDS = 30.0
"""How long that thread may take to answer; it needs milliseconds, and on a busy machine a second or two."""


class Control:
    """Asks what the process knows of itself; callable from any thread.

    Attributes:
        stands_still: Whether the process does not let even the lab's own thread run: nothing is asked any more.

    """

    def __init__(self, connection: socket.socket, seconds: float = ANSWER_SECONDS) -> None:
        connection.settimeout(seconds)
        self._connection = connection
        self._asking = threading.Lock()  # One question at a time; experiments ask from a thread of their own.
        self.stands_still = False

    def ask(self, what: str) -> dict[str, Any] | None:
        """Return the answer to a question that `host.py` knows; None when the process is gone, or stands still."""
        with self._asking:
            if self.stands_still:
                return None  # An answer that came now would be one to an earlier question.
            try:
                with self._connection.makefile("rw", encoding="utf-8") as lines:
                    lines.write(what + "\n")
                    lines.flush()
                    answer: dict[str, Any] | None = json.loads(lines.readline() or "null")
                    return answer
            except TimeoutError:
                self.stands_still = True
            except OSError:
                pass  # The process is gone.
            return None

    def close(self) -> None:
        """End the connection; the process then stops its server."""
        self._connection.close()

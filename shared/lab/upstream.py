"""The embedded upstreams as the lab runs them: it reads what they saw, and tells them to misbehave."""

import itertools
import json
import math
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any, Self
from urllib.parse import urlsplit

from shared.lab.processor import waited
from shared.lesson.embedded import start_process, stop_process
from shared.upstream.witness import from_json

CONTROL_SECONDS = 10.0
KEPT_SECONDS = 30.0
"""How long a connection may have been idle that is used again: the services close one that has been for too long."""
PAUSE = 0.05
"""Seconds between two looks at what is open."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the witness saw it; the fields are those of `shared.upstream.witness.SeenCall`."""

    id: int
    service: str
    peer: str
    sent: Any
    start: float
    end: float | None
    broken_off: bool
    at_once: int
    answered: Any
    status: int | None
    headers: Mapping[str, str]

    @property
    def task(self) -> str:
        """The name of the task that a call of the work service is about; empty for other services, and where it met a fault."""
        return str(self.sent["name"]) if self.service == "work" and isinstance(self.sent, dict) else ""

    def mentions(self, words: str) -> bool:
        """Return whether its caller sent these words: so the calls of one request are told from those of others."""
        return words in json.dumps(self.sent)

    @property
    def was_left(self) -> bool:
        """Whether its caller had left before it was answered; not so while it still waits."""
        return self.broken_off and self.end is not None

    @property
    def seconds(self) -> float:
        """How long it was open, in seconds; endless while it still is."""
        return (self.end or math.inf) - self.start


def most_at_once(calls: Iterable[Call]) -> int:
    """Return how many of these calls were open at the same time, at the most."""
    changes = [change for call in calls for change in ((call.start, 1), (call.end or math.inf, -1))]
    # Where one ends as another begins, the end counts first: they were not open together.
    return max(itertools.accumulate((step for _, step in sorted(changes)), initial=0))


_Running = tuple[subprocess.Popen[str], dict[str, str]]
"""What `start_process` returns: a process, and where it listens."""

_spare: list[_Running] | None = None
"""Upstreams that nobody uses just now; None where none are kept."""


@contextmanager
def kept_for_others() -> Iterator[None]:
    """Keep upstreams running that are done with, until the end of this block: who wants some next need not start a process."""
    global _spare  # noqa: PLW0603 - one for all threads of this process
    before, kept = _spare, list[_Running]()
    _spare = kept
    try:
        yield
    finally:
        _spare = before
        for process, _ in kept:
            stop_process(process)


def _take_spare() -> _Running | None:
    try:
        return _spare.pop() if _spare else None
    except IndexError:
        return None  # Another thread was quicker.


class Upstreams:
    """Running upstreams, for one server; `elsewhere` holds settings that name others in the place of some of them."""

    def __init__(self, elsewhere: Mapping[str, str] | None = None) -> None:
        self._elsewhere = dict(elsewhere or {})
        self._process, self._ready = _take_spare() or start_process()
        # One connection for all questions, which may be a thousand.
        self._control = HTTPConnection(urlsplit(self._ready["control_url"]).netloc, timeout=CONTROL_SECONDS)
        self._asking, self._asked = threading.Lock(), time.monotonic()  # Experiments ask from threads of their own.
        self._told_to_misbehave = False
        # Of calls to whoever had them before, nobody here is to know.
        self._before = self.last_call()

    @property
    def running(self) -> bool:
        """Whether they have not been stopped."""
        return self._process.poll() is None

    @property
    def starved(self) -> float:
        """For how many seconds they have had to wait for a processor so far, as far as one can know."""
        return waited(self._process.pid)

    def environment(self) -> dict[str, str]:
        """Return the settings that point a variant at them."""
        return {
            "OPENAI_BASE_URL": self._ready["openai_url"],
            "OPENAI_API_KEY": "not-a-secret",
            "CHROMA_URL": self._ready["chroma_url"],
            "CHROMA_COLLECTION": self._ready["collection"],
            "WORK_URL": self._ready["work_url"],
            **self._elsewhere,
        }

    def last_call(self) -> int:
        """Return the number of the last call so far, to ask for later ones."""
        last: int = self._ask("GET", "/calls?after=999999999999")["last"]
        return last

    def calls(self, after: int) -> list[Call]:
        """Return the calls with a number greater than `after`, in order."""
        return [Call(**call) for call in self._ask("GET", f"/calls?after={max(after, self._before)}")["calls"]]

    def open_calls(self) -> int:
        """Return how many calls are open now."""
        count: int = self._ask("GET", "/calls?after=999999999999")["open"]
        return count

    def wait_for_calls(self, seconds: float) -> None:
        """Wait until no call is open, so many seconds at the most."""
        deadline = time.monotonic() + seconds
        while self.open_calls() and time.monotonic() < deadline:
            time.sleep(PAUSE)

    def misbehave(self, service: str, kind: str, count: int = 1, **fields: object) -> None:
        """Meet the next `count` calls of a service with a fault; kinds and fields are those of `shared.upstream.faults`.

        Raises:
            ValueError: There is no such fault; the message says what is wrong with it.

        """
        self._told_to_misbehave = True
        self._ask("POST", "/faults", {"service": service, "kind": kind, "count": count, **fields})

    def behave(self) -> None:
        """Forget the faults that no call has met."""
        if self._told_to_misbehave:
            self._ask("DELETE", "/faults")
            self._told_to_misbehave = False

    def stop(self) -> None:
        """Stop them; a server that calls them afterwards finds nobody there."""
        self._control.close()
        stop_process(self._process)

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        with self._asking:
            if time.monotonic() - self._asked > KEPT_SECONDS:
                self._control.close()  # The next question opens another.
            try:
                self._control.request(method, path, None if body is None else json.dumps(body))
                response = self._control.getresponse()
                content = response.read()
            except BaseException:
                self._control.close()  # What comes late on it, or after a Ctrl-C, would be taken for the next answer.
                raise
            self._asked = time.monotonic()
        if response.status == HTTPStatus.BAD_REQUEST:
            raise ValueError(content.decode())
        if response.status != HTTPStatus.OK:
            raise HTTPException(f"The services answered {method} {path} with {response.status}.")
        answer: dict[str, Any] = json.loads(content, object_hook=from_json)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if _spare is None or not self._is_idle():
            self.stop()
        else:
            self._control.close()
            _spare.append((self._process, self._ready))

    def _is_idle(self) -> bool:
        """Make them forget what they were told to do, and say whether they have nothing to do and can be given to others."""
        try:
            self.behave()
            return not self.open_calls()
        except (OSError, HTTPException):
            return False  # They have been stopped, or are beyond it.

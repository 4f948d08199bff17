"""A conversation over a WebSocket, led by a client of the lab: what it says and when, and what it hears."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

PATIENCE: Final = 8.0
"""Seconds after which a client does not wait any longer for something that it wants to hear."""

ENDINGS: Final = ("done", "failed", "cancelled")
"""What is told of a task at last."""


@dataclass(frozen=True, slots=True)
class Say:
    """A step of a client: it says something, as text or, to be refused, as bytes; `seconds` is how long that is to take."""

    what: str | bytes
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Hear:
    """It waits until it has heard a word so often, about the task of this name; about any, without a name."""

    word: str
    name: str = ""
    times: int = 1
    patience: float = PATIENCE  # seconds


@dataclass(frozen=True, slots=True)
class Pause:
    """It waits for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Leave:
    """It leaves without a word: its connection is closed, and the conversation is not. Nothing comes after it."""


Step = Say | Hear | Pause | Leave


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of the server, read as JSON, and when it had arrived, in seconds of `time.monotonic`."""

    at: float
    message: dict[str, Any]

    def says(self, word: str, name: str = "") -> bool:
        """Whether it is this word, and about the task of this name; about any, without a name."""
        return word in self.message and name in {"", self.message[word], self.message.get("name")}


@dataclass(slots=True)
class Talk:
    """What became of a conversation; times are seconds of `time.monotonic`.

    Attributes:
        status: What the handshake was answered with; 0 when it was not.
        heard: What the server said, in order.
        missed: What the client waited for in vain; None when it heard all that it wanted to.
        said: When it said what it said, in order.
        code: The code with which the server closed, where it did so while the client still talked; 0 otherwise.
        left: When it left.
        error: Why there was no conversation, or what the server said that is not of the protocol.

    """

    status: int = 0
    heard: list[Heard] = field(default_factory=list)
    missed: Hear | None = None
    said: list[float] = field(default_factory=list)
    code: int = 0
    left: float = 0.0
    error: str = ""

    def first(self, word: str, name: str = "") -> Heard | None:
        """Return the first time that a word was heard, about the task of this name; None when it never was."""
        return next((heard for heard in self.heard if heard.says(word, name)), None)

    def all(self, *words: str) -> list[Heard]:
        """Return each time that one of these words was heard."""
        return [heard for heard in self.heard if any(map(heard.says, words))]


def start(name: str, seconds: float) -> Say:
    """Return the step that has a task started."""
    return Say(json.dumps({"start": name, "seconds": seconds}), seconds)


def cancel(name: str) -> Say:
    """Return the step that has a task broken off."""
    return Say(json.dumps({"cancel": name}))


async def hold(client: aiohttp.ClientSession, url: str, steps: Sequence[Step], headers: Sequence[tuple[str, str]] = ()) -> Talk:
    """Hold a conversation: take one step after the other, then close it, and return what became of it."""
    talk = Talk()
    try:
        connection = await client.ws_connect(url, headers=headers, max_msg_size=0)
    except aiohttp.WSServerHandshakeError as error:
        talk.status, talk.error = error.status, f"the handshake was answered {error.status}"
        return talk
    except (aiohttp.ClientError, TimeoutError) as error:
        talk.error = f"{type(error).__name__}: {error}"
        return talk
    talk.status = 101
    partner = _Partner(connection, talk)
    listening = asyncio.create_task(partner.listen())
    with contextlib.suppress(_Over):
        for place, step in enumerate(steps):
            try:
                await partner.take(step)
            except ConnectionError:  # The server has closed; what would have been heard next is missed.
                talk.missed = next((later for later in steps[place:] if isinstance(later, Hear)), None)
                break
    talk.code = connection.close_code or 0
    talk.left = talk.left or time.monotonic()
    with contextlib.suppress(ConnectionError):
        await connection.close()
    await listening
    return talk


class _Over(Exception):  # noqa: N818 - no error: there is nothing more to be heard
    """The conversation has ended, or what the client waits for does not come."""


class _Partner:
    """A client in a conversation."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse, talk: Talk) -> None:
        self._connection, self._talk = connection, talk
        self._news = asyncio.Condition()
        self._ended = False
        self._answered = 0  # How much had been heard before the step that is being taken.

    async def listen(self) -> None:
        """Note what the server says, until the conversation has ended."""
        async for message in self._connection:
            try:
                self._talk.heard.append(Heard(time.monotonic(), _read(message)))
            except ValueError as error:
                self._talk.error = str(error)
            async with self._news:
                self._news.notify_all()
        async with self._news:
            self._ended = True
            self._news.notify_all()

    async def take(self, step: Step) -> None:
        """Take a step."""
        match step:
            case Say(what):
                self._answered = len(self._talk.heard)
                self._talk.said.append(time.monotonic())
                await (self._connection.send_str(what) if isinstance(what, str) else self._connection.send_bytes(what))
            case Hear():
                await self._hear(step)
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Leave():
                self._talk.left = time.monotonic()
                connection: socket.socket | None = self._connection.get_extra_info("socket")
                with contextlib.suppress(OSError):  # The server was quicker to end it.
                    if connection:
                        connection.shutdown(socket.SHUT_RDWR)
                raise _Over

    async def _hear(self, wanted: Hear) -> None:
        def is_heard() -> bool:
            return sum(heard.says(wanted.word, wanted.name) for heard in self._talk.heard) >= wanted.times

        def in_vain() -> bool:
            others = [word for word in (*ENDINGS, "error") if word != wanted.word]
            since = self._talk.heard[self._answered :]
            return bool(wanted.name) and any(heard.says(word, wanted.name) for heard in since for word in others)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wanted.patience), self._news:
                await self._news.wait_for(lambda: is_heard() or self._ended or in_vain())
        if not is_heard():
            self._talk.missed = wanted
            raise _Over
        self._answered = len(self._talk.heard)


def _read(message: aiohttp.WSMessage) -> dict[str, Any]:
    """Return what a message holds.

    Raises:
        ValueError: It is not a JSON object, as text.

    """
    said = json.loads(message.data) if message.type is aiohttp.WSMsgType.TEXT else None
    if not isinstance(said, dict):
        raise ValueError(f"the server said {str(message.data)[:80]!r}, which is not a JSON object as text")  # noqa: TRY004 - as json's
    return said

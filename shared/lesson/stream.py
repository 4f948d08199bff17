"""How the stream of a language model is read, whichever client its bytes come from, and wherever they are cut.

It is a row of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation).
The data of each is a piece of the answer, in JSON (https://platform.openai.com/docs/api-reference/chat-streaming); the last is
`[DONE]`.
"""

import re
from typing import Final

from shared.lesson.calls import read_json, text, unexpected
from shared.lesson.chat import CHAT
from shared.lesson.problems import UpstreamBroke, UpstreamFailed

MAX_EVENT: Final = 2**16
"""Bytes that an event may have; a model's have some hundred. Without a limit, one that never ends would fill the memory."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DONE = b"[DONE]"


class StreamReader:
    """Reads one stream: feed it each piece as it comes, and say when no more will.

    Attributes:
        done: Whether the stream has said that it is complete. What comes after that is not read.

    """

    def __init__(self) -> None:
        self.done = False
        self._line = b""  # of which the end has not come
        self._data: list[bytes] = []  # of the event whose end has not come
        self._after_return = self._after_first = False
        self._failure: UpstreamFailed | None = None

    def feed(self, piece: bytes) -> list[str]:
        """Return the parts of the answer that this piece of the stream completes; often one, or none.

        Parts that came before a failure are returned first: how they were cut into pieces is chance. The next call raises it.

        Raises:
            UpstreamFailed: The stream is not the agreed format, or says that something went wrong.

        """
        self._raise_failure()
        if self.done or not piece:
            return []
        if self._after_return:  # It ended a line already; a line feed behind it is the other half of that end.
            piece = piece.removeprefix(b"\n")
        self._after_return = piece.endswith(b"\r")
        *lines, self._line = _LINE_END.split(self._line + piece)
        parts: list[str] = []
        try:
            for line in lines:
                parts += self._read(line)
            self._check_size()
        except UpstreamFailed as failure:
            self._failure = failure
        if not parts:
            self._raise_failure()
        return parts

    def end(self) -> None:
        """Say that no more will come.

        Raises:
            UpstreamBroke: The stream has not said that it is complete.
            UpstreamFailed: It failed, and that has not been raised yet.

        """
        self._raise_failure()
        if not self.done:
            raise UpstreamBroke(CHAT)

    def _read(self, line: bytes) -> list[str]:
        """Take in a line, and return the part of the answer that is complete with it, if one is: an empty line ends an event."""
        if self.done:
            return []
        if not self._after_first:
            line, self._after_first = line.removeprefix(_BYTE_ORDER_MARK), True
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        if line or not self._data:
            return []
        data, self._data = b"\n".join(self._data), []
        self.done = data == _DONE
        return [] if self.done else _parts(data)

    def _check_size(self) -> None:
        if len(self._line) + sum(len(line) + 1 for line in self._data) > MAX_EVENT:
            raise unexpected(CHAT)

    def _raise_failure(self) -> None:
        if self._failure:
            raise self._failure


def _parts(data: bytes) -> list[str]:
    """Return the parts of the answer in the data of an event: one, or none, such as in the first and the last."""
    chunk = read_json(CHAT, data)
    try:
        if chunk.get("error"):
            raise UpstreamFailed(CHAT, "broke off its answer with an error")
        contents = [choice["delta"].get("content") for choice in chunk["choices"]]
        return [text(content) for content in contents if content not in {None, ""}]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise unexpected(CHAT) from None

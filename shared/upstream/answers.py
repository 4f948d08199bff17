"""What the stand-in for a language model answers: the sentences of the given documents that are nearest to the question.

It understands nothing and writes nothing of its own: what it answers stands in the documents, and is the same every time.
"""

import functools
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from shared.upstream.embedding import embed
from shared.upstream.openai_format import RefusedError
from shared.upstream.vectors import of_document

SENTENCES = 2
"""How many sentences an answer has, at the most."""

NOTHING = "The documents do not say."

_NOTHING_IN_COMMON = 1e-9


def answer(messages: Any) -> str:  # noqa: ANN401 - JSON is any
    """Return the answer to the last message, from the documents in those before: what stands there under headings (`## title`).

    Raises:
        RefusedError: They are not messages.

    """
    *before, question = _contents(messages)
    asked = embed(question)
    found = [
        (math.fsum(one * other for one, other in zip(asked, _vector(title, sentence), strict=True)), sentence)
        for title, sentence in _sentences("\n".join(before))
    ]
    near = [sentence for nearness, sentence in sorted(found, key=lambda each: -each[0]) if nearness > _NOTHING_IN_COMMON]
    return " ".join(near[:SENTENCES]) or NOTHING


def tokens(text: str) -> list[str]:
    """Return a text in the pieces in which it is streamed: its words, each with the space behind it."""
    return re.findall(r"\S+\s*", text)


def _contents(messages: Any) -> Sequence[str]:  # noqa: ANN401 - JSON is any
    try:
        contents = [_content(message["content"]) for message in messages if message["role"]]
    except (KeyError, TypeError):
        contents = []
    if not contents:
        raise RefusedError("'messages' must be a list of messages, each with a role and a content.", param="messages")
    return contents


def _content(content: Any) -> str:  # noqa: ANN401 - JSON is any
    """Return the text of a message, which may come in parts."""
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def _sentences(documents: str) -> Iterator[tuple[str, str]]:
    """Yield each sentence under a heading, behind the heading's title."""
    for document in re.split(r"^## ", documents, flags=re.MULTILINE)[1:]:
        title, _, text = document.partition("\n")
        for sentence in re.split(r"(?<=[.!?])\s+", text.strip()):
            yield title, sentence


@functools.lru_cache(maxsize=1_000)
def _vector(title: str, sentence: str) -> Sequence[float]:
    return of_document(embed(title), embed(sentence))

"""What a call is about: the strings that it carries, and the texts behind the vectors that it carries."""

from collections.abc import Iterator, Sequence

from aiohttp import web

REMEMBERED = 10_000
"""Texts whose vectors are known again; older ones are forgotten."""


class Texts:
    """The texts that were embedded lately, by their vectors."""

    def __init__(self) -> None:
        self._by_vector: dict[int, str] = {}

    def remember(self, vector: Sequence[float], text: str) -> None:
        """Keep the text of a vector. The vector itself is not kept: 1,536 numbers each would soon be much."""
        self._by_vector[hash(tuple(vector))] = text
        if len(self._by_vector) > REMEMBERED:
            del self._by_vector[next(iter(self._by_vector))]

    def of(self, body: object) -> str:
        """Return all texts in a JSON body, each on a line of its own."""
        return "\n".join(self._find(body))

    def _find(self, body: object) -> Iterator[str]:
        if isinstance(body, str):
            yield body
        elif isinstance(body, dict):
            for value in body.values():
                yield from self._find(value)
        elif isinstance(body, list) and set(map(type, body)) <= {int, float}:
            yield self._by_vector.get(hash(tuple(body)), "")
        elif isinstance(body, list):
            for value in body:
                yield from self._find(value)


TEXTS = web.AppKey("TEXTS", Texts)

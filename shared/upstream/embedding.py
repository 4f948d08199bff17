"""Turn a text into a vector, and find the documents whose vectors point the same way.

This stands in for an embedding model and is far simpler: it compares spelling and knows no meaning. A vector has one place
for each word of the documents; other words, and the runs of three letters in every word, share the rest. Texts that share
words get similar vectors, and parts of words (`budgt`, `budget`) slightly similar ones; rare words count more.

A real model has learned from much text what words mean. This one finds `Holidays` for `vacation` only because `_SYNONYMS`
says so; word order, negation and other languages are nothing to it.
"""

import math
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Sequence

from shared.upstream.documents import DOCUMENTS, Document

DIMENSIONS = 1536
"""How many numbers a vector has: as many as OpenAI's text-embedding-3-small gives."""

_TITLE_WEIGHT = 1.5  # beside 1 for the text under it
_LETTERS_WEIGHT = 0.5  # of all letter runs of a word together, beside 1 for the word itself
_SHORTEST_PLURAL = 4  # letters: `bus` and `gas` keep their s

_FILLERS = (
    "a about all an and any are as at be by can could did do does for from get had has have how i if in is it its me my no "
    "not of on or our should so that the their them there they this to up us was we were what when where which who why will "
    "with would you your"
)
_STOP_WORDS = frozenset(_FILLERS.split())
_SYNONYMS = {"bill": "invoice", "computer": "laptop", "maternity": "parental", "release": "deploy", "vacation": "holiday"}


def _singular(word: str) -> str:
    """Cut off an English plural ending, roughly: `policies` to `policy`, `reports` to `report`."""
    if len(word) < _SHORTEST_PLURAL or word.endswith("ss"):
        return word
    return word.removesuffix("ies") + "y" if word.endswith("ies") else word.removesuffix("s")


def _words(text: str) -> list[str]:
    """Return the words of a text that say something, each once, in order, as singulars."""
    found = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold())
    singulars = [_singular(word) for word in found if word not in _STOP_WORDS]
    # A dictionary keeps the order, a set would not, and the last digits of a sum depend on it.
    return list(dict.fromkeys(_SYNONYMS.get(word, word) for word in singulars))


_DOCUMENTS_WITH = Counter(word for document in DOCUMENTS for word in _words(f"{document.title} {document.text}"))
_OWN_PLACES = {word: place for place, word in enumerate(_DOCUMENTS_WITH)}
_SHARED_PLACES = DIMENSIONS - len(_OWN_PLACES) - 1  # the last place is for texts without a word


def _features(word: str) -> list[tuple[str, float]]:
    """Return what a word adds to a vector, each with its weight: the word, and its runs of three letters."""
    rarity = 1 / math.sqrt(max(1, _DOCUMENTS_WITH[word]))
    # The marks tell the beginning and the end of a word from the same letters inside another.
    marked = f"<{word}>"
    runs = [marked[start : start + 3] for start in range(len(marked) - 2)]
    share = rarity * _LETTERS_WEIGHT / math.sqrt(len(runs))
    return [(word, rarity), *((f"letters {run}", share) for run in runs)]


def _place(feature: str) -> tuple[int, int]:
    """Return where a feature stands in a vector, and its sign there."""
    if feature in _OWN_PLACES:
        return _OWN_PLACES[feature], 1
    # Python's own hash() of a string differs from process to process; a checksum does not.
    checksum = zlib.crc32(feature.encode())
    # With signs, features that share a place cancel out as often as they add up.
    return len(_OWN_PLACES) + checksum // 2 % _SHARED_PLACES, 1 if checksum % 2 else -1


def _to_unit_length(vector: Sequence[float]) -> list[float]:
    """Scale a vector to length 1; one of zeros only, which has no direction, gets the last axis's."""
    length = math.sqrt(math.fsum(number * number for number in vector))
    return [number / length for number in vector] if length else [*vector[:-1], 1.0]


def embed(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """Return the vector of a text: `dimensions` numbers, of length 1, the same in every process.

    Fewer dimensions than `DIMENSIONS`, at least 1, are the first ones of the whole vector, as OpenAI shortens its own.
    """
    vector = [0.0] * DIMENSIONS
    for word in _words(text):
        for feature, weight in _features(word):
            place, sign = _place(feature)
            vector[place] += sign * weight
    return _to_unit_length(vector[:dimensions])


def _document_numbers(document: Document) -> list[tuple[int, float]]:
    """Return the numbers of a document's vector that are not zero, about one in ten, each behind its place."""
    both = zip(embed(document.title), embed(document.text), strict=True)
    vector = _to_unit_length([_TITLE_WEIGHT * title + text for title, text in both])
    return [(place, number) for place, number in enumerate(vector) if number]


_NUMBERS = [(document, _document_numbers(document)) for document in DOCUMENTS]


def nearest(vector: Sequence[float], count: int) -> list[tuple[Document, float]]:
    """Return the `count` documents nearest to a vector, at least 1, with their cosine distances, nearest first.

    A distance is 0 for the same direction, 1 for nothing in common, 2 for the opposite. Equally near ones keep their order.

    Raises:
        ValueError: The vector has not `DIMENSIONS` numbers, or one of them is not finite.

    """
    if len(vector) != DIMENSIONS:
        raise ValueError(f"The vector has {len(vector)} dimensions, but the documents have {DIMENSIONS}.")
    if not all(math.isfinite(number) for number in vector):
        raise ValueError("The vector holds a number that is not finite.")
    unit = _to_unit_length(vector)
    distances = [(document, 1 - math.fsum(unit[place] * number for place, number in row)) for document, row in _NUMBERS]
    return sorted(distances, key=lambda found: found[1])[:count]

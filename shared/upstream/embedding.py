"""Turn a text into a vector, and find the documents whose vectors point the same way.

This stands in for an embedding model and is far simpler: it compares spelling and knows no meaning. Each word, and each run
of three letters in it, has a place in the vector that a checksum chooses. Texts that share words get similar vectors, texts
that share parts of words (`budgt`, `budget`) get slightly similar ones, and a word that few documents hold counts more.

A real model has learned from much text what words mean. This one finds `Holidays` for `vacation` only because `_SYNONYMS`
says so; word order, negation and other languages are nothing to it, and two unrelated words may share a place.
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

_TITLE_WEIGHT = 1.0
_TEXT_WEIGHT = 0.7
_LETTERS_WEIGHT = 0.5  # of all letter runs of a word together, beside 1 for the word itself
_SHORTEST_PLURAL = 4  # letters: `bus` and `gas` keep their s

_FILLERS = (
    "a about all an and any are as at be by can could did do does for from get had has have how i if in is it its me my no "
    "not of on or our should so that the their them there they this to up us was we were what when where which who why will "
    "with would you your"
)
_STOP_WORDS = frozenset(_FILLERS.split())
_SYNONYMS = {
    "vacation": "holiday",
    "computer": "laptop",
    "bill": "invoice",
    "recruit": "hiring",
    "maternity": "parental",
    "release": "deploy",
}


def _singular(word: str) -> str:
    """Cut off an English plural ending, roughly: `policies` to `policy`, `reports` to `report`."""
    if len(word) < _SHORTEST_PLURAL or word.endswith("ss"):
        return word
    return word.removesuffix("ies") + "y" if word.endswith("ies") else word.removesuffix("s")


def _words(text: str) -> list[str]:
    """Return the words of a text that say something, each once, in order, as singulars."""
    found = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold())
    singular = [_singular(word) for word in found if word not in _STOP_WORDS]
    # A dictionary keeps the order, a set would not: sums of floats depend on it.
    return list(dict.fromkeys(_SYNONYMS.get(word, word) for word in singular))


_DOCUMENTS_WITH = Counter(word for document in DOCUMENTS for word in _words(f"{document.title} {document.text}"))


def _features(word: str) -> list[tuple[str, float]]:
    """Return what a word adds to a vector, each with its weight: the word, and its runs of three letters."""
    rarity = 1 / math.sqrt(max(1, _DOCUMENTS_WITH[word]))
    # The marks tell the beginning and the end of a word from the same letters inside another.
    marked = f"<{word}>"
    runs = [marked[start : start + 3] for start in range(len(marked) - 2)]
    share = rarity * _LETTERS_WEIGHT / math.sqrt(len(runs))
    return [(word, rarity), *((f"letters {run}", share) for run in runs)]


def _to_unit_length(vector: Sequence[float]) -> list[float]:
    """Scale a vector to length 1; one of zeros only, which has no direction, becomes the first axis."""
    length = math.sqrt(math.fsum(number * number for number in vector))
    return [number / length for number in vector] if length else [1.0, *vector[1:]]


def embed(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """Return the vector of a text: `dimensions` numbers (at least one), of length 1, the same in every process."""
    vector = [0.0] * dimensions
    for word in _words(text):
        for name, weight in _features(word):
            # Python's own hash() of a string differs from process to process; a checksum does not.
            checksum = zlib.crc32(name.encode())
            # With signs, features that share a place by accident cancel out as often as they add up.
            sign = 1 if checksum & 0x80000000 else -1
            vector[checksum % dimensions] += sign * weight
    return _to_unit_length(vector)


def _document_places(document: Document) -> list[tuple[int, float]]:
    """Return the places of a document's vector that are not zero, about one in ten, with their numbers."""
    both = zip(embed(document.title), embed(document.text), strict=True)
    vector = _to_unit_length([_TITLE_WEIGHT * title + _TEXT_WEIGHT * text for title, text in both])
    return [(place, number) for place, number in enumerate(vector) if number]


_PLACES = [(document, _document_places(document)) for document in DOCUMENTS]


def nearest(vector: Sequence[float], count: int) -> list[tuple[Document, float]]:
    """Return the `count` documents nearest to a vector, with their cosine distances, nearest first.

    A distance is 0 for the same direction, 1 for nothing in common, 2 for the opposite. Documents equally near stand in the
    order of `DOCUMENTS`. The length of the vector's arrow is nothing to it.

    Raises:
        ValueError: The vector has another number of dimensions than the documents.
    """
    if len(vector) != DIMENSIONS:
        raise ValueError(f"The vector has {len(vector)} dimensions, but the documents have {DIMENSIONS}.")
    unit = _to_unit_length(vector)
    distances = [(document, 1 - math.fsum(unit[place] * number for place, number in places)) for document, places in _PLACES]
    return sorted(distances, key=lambda found: found[1])[:count]

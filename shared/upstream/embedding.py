"""Turn a text into a vector.

This stands in for an embedding model and is far simpler: it compares spelling and knows no meaning. A vector has one place
for each word of the documents; the runs of three letters in all words share the rest. Texts that share words get similar
vectors, texts that share parts of words (`budgt`, `budget`) slightly similar ones, and rare words count more.

A real model has learned from much text what words mean. This one finds `Holidays` for `vacation` only because `_SYNONYMS`
says so; word order, negation and other languages are nothing to it.
"""

import math
import re
import unicodedata
import zlib
from collections import Counter

from shared.upstream.documents import DOCUMENTS
from shared.upstream.vectors import to_unit_length

DIMENSIONS = 1536
"""How many numbers a vector has: as many as OpenAI's text-embedding-3-small gives."""

_LETTERS_WEIGHT = 0.4  # of all letter runs of a word together, beside 1 for the word itself
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
_SHARED_PLACES = DIMENSIONS - len(_DOCUMENTS_WITH) - 1  # the last place is for texts without a word
_OWN_PLACES = {word: place for place, word in enumerate(_DOCUMENTS_WITH, start=_SHARED_PLACES)}


def _letter_runs(word: str) -> list[str]:
    """Return the runs of three letters in a word, with marks that tell its beginning and end from other places."""
    marked = f"<{word}>"
    return [marked[start : start + 3] for start in range(len(marked) - 2)]


def _shared_place(run: str) -> int:
    """Return where a run of letters stands in a vector."""
    # Python's own hash() of a string differs from process to process; a checksum does not.
    return zlib.crc32(run.encode()) % _SHARED_PLACES


def embed(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """Return the vector of a text: `dimensions` numbers, of length 1, the same in every process.

    Fewer dimensions than `DIMENSIONS`, at least 1, are the first ones of the whole vector, as OpenAI shortens its own.
    """
    vector = [0.0] * DIMENSIONS
    for word in _words(text):
        weight = 1 / math.sqrt(_DOCUMENTS_WITH.get(word, 1))
        if word in _OWN_PLACES:
            vector[_OWN_PLACES[word]] = weight
        runs = _letter_runs(word)
        for run in runs:
            vector[_shared_place(run)] += weight * _LETTERS_WEIGHT / math.sqrt(len(runs))
    return to_unit_length(vector[:dimensions])

"""Turn a text into a vector, and find the documents whose vectors point the same way.

This stands in for an embedding model and is far simpler: it counts spelling and knows no meaning. Each word, and each
run of three letters in it, has a place in the vector that a checksum chooses. Texts that share words get similar
vectors; texts that share parts of words (`budgt`, `budget`) get slightly similar ones; a word that few documents
hold counts more than one that many hold.

A real model has learned from much text what words mean. This one finds `vacation` under `Holidays` only because
`_SYNONYMS` says so. Word order, negation, other languages and facts are nothing to it, and two unrelated words
may share a place. Its vectors only have the shape of real ones, so never mix the two in one database.
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
_LETTERS_WEIGHT = 0.5
"""How much all letter runs of a word count together, against 1 for the word itself."""

_STOP_WORDS = frozenset(
    "a about all an and any are as at be by can could did do does for from get had has have how i if in is it its me my "
    "no not of on or our should so that the their them there they this to up us was we were what when where which who "
    "whom why will with would you your".split()
)

_SYNONYMS = {
    "vacation": "holiday",
    "pto": "holiday",
    "finance": "budget",
    "computer": "laptop",
    "notebook": "laptop",
    "wfh": "remote",
    "supplier": "vendor",
    "bill": "invoice",
    "espresso": "coffee",
    "hire": "hiring",
    "recruit": "hiring",
    "maternity": "parental",
    "paternity": "parental",
    "release": "deployment",
    "privacy": "gdpr",
}


def _words(text: str) -> list[str]:
    """Return the words of a text that say something, each once, in order, without plural endings."""
    found = re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())
    singular = [_singular(word) for word in found if word not in _STOP_WORDS]
    return list(dict.fromkeys(_SYNONYMS.get(word, word) for word in singular))


def _singular(word: str) -> str:
    """Cut off an English plural ending, roughly: `policies` to `policy`, `reports` to `report`."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


_DOCUMENTS_WITH = Counter(word for document in DOCUMENTS for word in _words(f"{document.title} {document.text}"))


def _features(word: str) -> list[tuple[str, float]]:
    """Return what a word adds to a vector, as names and weights: the word, and its runs of three letters."""
    rarity = 1 / math.sqrt(max(1, _DOCUMENTS_WITH[word]))
    # The marks make the beginning and the end of a word different from the same letters inside it.
    marked = f"<{word}>"
    runs = [marked[start : start + 3] for start in range(len(marked) - 2)]
    share = rarity * _LETTERS_WEIGHT / math.sqrt(len(runs))
    return [(word, rarity), *((f"letters {run}", share) for run in runs)]


def _to_unit_length(vector: list[float]) -> list[float]:
    """Scale a vector to length 1; one of zeros only has no direction and gets the first axis's."""
    length = math.hypot(*vector)
    if length == 0:
        return [1.0, *vector[1:]]
    return [number / length for number in vector]


def embed(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """Return the vector of a text: `dimensions` numbers, of length 1; the same in every process.

    Raises:
        ValueError: `dimensions` is below 1.
    """
    if dimensions < 1:
        raise ValueError(f"A vector needs at least 1 dimension, not {dimensions}")
    vector = [0.0] * dimensions
    for word in _words(text):
        for name, weight in _features(word):
            # Python's own hash() of a string differs from process to process; a checksum does not.
            checksum = zlib.crc32(name.encode())
            # With signs, features that happen to share a place cancel out as often as they add up.
            sign = 1 if checksum & 0x80000000 else -1
            vector[checksum % dimensions] += sign * weight
    return _to_unit_length(vector)

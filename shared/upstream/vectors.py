"""Vectors as a database compares them: by the angle between them, whatever their lengths, or by how far apart they are."""

import math
from collections.abc import Sequence

TITLE_WEIGHT = 1.5
"""How much a document's title counts, beside 1 for the text under it."""

Numbers = dict[int, float]
"""The numbers of a vector that are not zero, by their places: of a document's one in fourteen, of a query's fewer."""


def to_unit_length(vector: Sequence[float]) -> list[float]:
    """Scale a vector to length 1; one of zeros only, which has no direction, gets the last axis's."""
    length = math.hypot(*vector)
    return [number / length for number in vector] if length else [*vector[:-1], 1.0]


def of_document(title: Sequence[float], text: Sequence[float]) -> list[float]:
    """Return the vector of a document, of length 1, from the vectors of its title and its text."""
    return to_unit_length([TITLE_WEIGHT * one + other for one, other in zip(title, text, strict=True)])


def numbers(vector: Sequence[float]) -> Numbers:
    """Return the numbers of a vector, scaled to length 1, that are not zero."""
    return {place: number for place, number in enumerate(to_unit_length(vector)) if number}


def distance(one: Numbers, other: Numbers) -> float:
    """Return the cosine distance of two vectors of length 1: 0 for one direction, 1 for none in common, 2 for opposite ones."""
    return 1 - math.fsum(one[place] * other[place] for place in one.keys() & other.keys())


def squared_distance(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the square of the distance between the points at which two vectors end."""
    return math.fsum((here - there) ** 2 for here, there in zip(one, other, strict=True))

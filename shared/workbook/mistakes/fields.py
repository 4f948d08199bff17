"""Checks the form of what a catalogue file holds: which fields a table has, and that they are texts or lists of texts."""

from collections.abc import Iterable, Mapping
from typing import Any


class CatalogueError(Exception):
    """The catalogue, or a name that is looked up in it, is wrong; the message is one line that says where and why."""


def tables(value: object, where: str) -> Iterable[tuple[int, dict[str, Any]]]:
    """Return the tables of a list, numbered from 1.

    Raises:
        CatalogueError: It is another thing than a list of tables; likewise below, for what else a field should be.

    """
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise CatalogueError(f"{where}: a list of tables is written [[mistake]] and [[mistake.edit]].")
    return enumerate(value, start=1)


def expect(table: Mapping[str, object], required: set[str], optional: set[str], where: str) -> None:
    """Refuse a table that lacks a required field, or has one that is neither required nor optional."""
    if missing := sorted(required - table.keys()):
        raise CatalogueError(f"{where}: {missing[0]} is missing.")
    if unknown := sorted(table.keys() - required - optional):
        raise CatalogueError(f"{where}: there is no field {unknown[0]}.")


def text(value: object, field: str, where: str) -> str:
    """Return a text that says something."""
    if not isinstance(value, str) or not value.strip():
        raise CatalogueError(f"{where}: {field} must be a text.")
    return value


def texts(value: object, field: str, where: str) -> tuple[str, ...]:
    """Return the texts of a list, which are different, and at least one."""
    if not isinstance(value, list) or not value or len(set(map(str, value))) < len(value):
        raise CatalogueError(f"{where}: {field} must be a list of different texts.")
    return tuple(text(item, field, where) for item in value)

"""Reads the exercises, the predictions and the objectives: TOML files in `catalogue`, into values that cannot be wrong in form.

An exercise is to write functions (`functions`), to repair a module with a mistake of the catalogue in it (`mistake`), or to
design an experiment (neither). `catalogue/waiting.toml` shows the fields.
"""

import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from shared.lesson.contract import CHAPTERS
from shared.workbook.exercise.exercises import HINTS, UNTIL, Exercise, Objective, Prediction
from shared.workbook.mistakes.catalogue import Mistake, load
from shared.workbook.mistakes.catalogue import named as named_mistake
from shared.workbook.mistakes.fields import CatalogueError, expect, tables, text, texts

FOLDER: Final = Path(__file__).parent / "catalogue"
OBJECTIVES: Final = FOLDER / "objectives.toml"

TOPICS: Final = tuple(topic for chapter in CHAPTERS for topic in (chapter, *(["ending"] if chapter == "background" else [])))
"""The chapters in reading order: one for each module, and going down, which is about what several modules do at the end."""


@cache
def exercises(folder: Path = FOLDER) -> tuple[Exercise, ...]:
    """Return all exercises, in the order of the chapters.

    Raises:
        CatalogueError: A file cannot be read, a field is missing, unknown or wrong, or a name stands there twice.

    """
    mistakes = load()
    found = tuple(_exercise(table, chapter, where, mistakes) for table, chapter, where in _tables(folder, "exercise"))
    _once(one.name for one in found)
    return found


@cache
def predictions(folder: Path = FOLDER) -> tuple[Prediction, ...]:
    """Return all predictions, in the order of the chapters; likewise."""
    found = tuple(_prediction(table, chapter, where) for table, chapter, where in _tables(folder, "prediction"))
    _once(one.name for one in found)
    return found


@cache
def objectives(file: Path = OBJECTIVES) -> tuple[Objective, ...]:
    """Return what a reader is to be able to do afterwards; likewise."""
    known = {one.name for one in exercises()} | {one.name for one in predictions()}
    found = []
    for number, table in tables(tomllib.loads(file.read_text(encoding="utf-8")).get("objective"), file.name):
        expect(table, required={"goal", "shown_by"}, optional=set(), where=f"{file.name}, objective {number}")
        found.append(Objective(text(table["goal"], "goal", file.name), texts(table["shown_by"], "shown_by", file.name)))
        if unknown := [name for name in found[-1].shown_by if name not in known]:
            raise CatalogueError(f"{file.name}: there is no exercise or prediction {unknown[0]}.")
    return tuple(found)


def named(name: str, numbered: Sequence[Exercise] | None = None) -> Exercise:
    """Return the exercise of this name, or of this number, counted from 1.

    Args:
        name: Its name or number.
        numbered: The exercises as they are numbered; all, unless a reader's variant has only some.

    Raises:
        CatalogueError: There is none.

    """
    for number, one in enumerate(exercises() if numbered is None else numbered, start=1):
        if name == str(number):
            return one
    for one in exercises():
        if name == one.name:
            return one
    raise CatalogueError(f"There is no exercise {name}; `list` shows those there are.")


def to_write(module: str) -> set[str]:
    """Return the functions of a module that some exercise asks to write."""
    return {name for one in exercises() if one.kind == "write" and one.module == module for name in one.functions}


def _tables(folder: Path, kind: str) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Yield each table of a kind in the chapters' files, with its chapter, and where it stands in words."""
    for chapter in TOPICS:
        file = folder / f"{chapter}.toml"
        content = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        expect(content, required=set(), optional={"exercise", "prediction"}, where=file.name)
        for number, table in tables(content.get(kind, []), file.name):
            yield table, chapter, f"{file.name}, {table.get('name', f'{kind} {number}')}"


def _once(names: Iterator[str]) -> None:
    if twice := sorted(name for name, count in Counter(names).items() if count > 1):
        raise CatalogueError(f"{', '.join(twice)} stands in the catalogue more than once.")


def _exercise(table: dict[str, Any], chapter: str, where: str, mistakes: list[Mistake]) -> Exercise:
    optional = {"module", "functions", "tests", "mistake"}
    expect(table, required={"name", "title", "goal", "hints"}, optional=optional, where=where)
    name, title, goal = (text(table[field], field, where) for field in ("name", "title", "goal"))
    hints = texts(table["hints"], "hints", where)
    if len(hints) != HINTS - 1:
        raise CatalogueError(f"{where}: there must be {HINTS - 1} hints; the last one is the reference.")
    functions, tests = (texts(table[field], field, where) if field in table else () for field in ("functions", "tests"))
    module = text(table.get("module", chapter), "module", where) if functions else ""
    if "mistake" not in table:
        return Exercise(name, chapter, title, goal, hints, module, functions, tests)
    mistake = named_mistake(text(table["mistake"], "mistake", where), mistakes)
    return Exercise(name, chapter, title, goal, hints, mistake.module, (mistake.function,), tests or mistake.tests, mistake)


def _prediction(table: dict[str, Any], chapter: str, where: str) -> Prediction:
    optional = {"count", "until", "leaves_after", "starts"}
    expect(table, required={"name", "question", "request", "because"}, optional=optional, where=where)
    if table.get("until", "last") not in UNTIL:
        raise CatalogueError(f"{where}: until cannot be {table['until']!r}.")
    return Prediction(chapter=chapter, **{**table, "starts": tuple(table.get("starts", ()))})

"""The exercises as they are written down: complete, on every stack, and with hints that lead there and do not jump."""

import ast
import re
from pathlib import Path

import pytest

from shared.lab.terms import terms
from shared.lab.variants import ROOT, groups
from shared.lesson.contract import ENDPOINTS
from shared.workbook.exercise import reference
from shared.workbook.exercise.contents import TOPICS, exercises, named, objectives, predictions, to_write
from shared.workbook.exercise.exercises import HINTS, Exercise
from shared.workbook.exercise.mine import BLANK, Mine, start
from shared.workbook.exercise.stubs import functions, is_stub
from shared.workbook.mistakes.fields import CatalogueError

anystack = pytest.mark.parametrize("base", groups())
anyexercise = pytest.mark.parametrize("exercise", exercises(), ids=lambda exercise: exercise.name)

TELLING = 16
"""Characters from which on a line of code tells something: `else:` or `pass` do not."""


def test_there_are_enough_of_every_kind() -> None:
    """There are at least twenty exercises, of three kinds, and each chapter has one, and a prediction."""
    assert len(exercises()) >= 20
    assert {one.kind for one in exercises()} == {"write", "repair", "design"}
    assert {one.chapter for one in exercises()} == set(TOPICS) == {one.chapter for one in predictions()}


def test_each_goal_is_shown_by_something() -> None:
    """Each objective of the lesson, and each item of its acceptance list, names what shows it; the README has the same list."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    items = re.findall(r"^- \[ \] (.+)$", readme, re.MULTILINE)
    plain = [item.replace("`", "") for item in items]
    missing = [item for item in plain if item not in {one.goal for one in objectives()}]
    assert items
    assert not missing, f"objectives.toml has no exercises for {missing}"
    assert len(objectives()) >= 5 + len(items)


def test_no_function_is_written_twice() -> None:
    """A function is asked for in one exercise only, so that a reset of one leaves all others alone."""
    asked = [(one.module, name) for one in exercises() if one.kind == "write" for name in one.functions]
    assert len(asked) == len(set(asked))


@anyexercise
def test_what_it_asks_for_exists(exercise: Exercise) -> None:
    """Its functions stand in every stack's module, its mistake can be planted in each, and its tests are tests of the suite."""
    for base in groups():
        assert (
            set(exercise.functions) <= functions(ast.parse(Mine(base).reference(exercise.module))).keys()
            if exercise.module
            else True
        )
        assert exercise.mistake is None or base in exercise.mistake.variants
    for test in exercise.tests:
        file, _, name = test.partition("::")
        body = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
        assert name.partition("[")[0] in {node.name for node in body if isinstance(node, ast.FunctionDef)}


@anystack
@anyexercise
def test_hints_do_not_give_the_answer_before_the_last(base: str, exercise: Exercise) -> None:
    """The first two steps can be read on this stack, and hold no line of the answer; the last one holds the answer."""
    mine = Mine(base)
    *early, last = (reference.hint(mine, exercise, step) for step in range(1, HINTS + 1))
    lines = {line.strip(" +") for line in last.split("\n") if exercise.kind != "repair" or line.startswith("+")}
    given = [line for line in lines if len(line) >= TELLING and any(line in hint for hint in early)]
    assert all(len(hint) > TELLING and "{" not in hint for hint in early)
    assert not given, f"the hints of {exercise.name} hold {given}"
    assert len(set(early)) == HINTS - 1
    assert reference.answer(mine, exercise) == last or last.startswith("---")


def test_the_words_of_a_hint_are_the_stacks() -> None:
    """What a hint names is what the reader's own stack calls it."""
    hints = {base: reference.hint(Mine(base), named("await-a-wait"), 2) for base in groups()}
    for base, hint in hints.items():
        assert terms(ROOT / "variants" / base)["sleep"] in hint
    threads = reference.hint(Mine("starlette_asyncio"), named("the-guard-at-the-door"), 2)
    assert "run_in_threadpool" in threads  # And not asyncio.to_thread: those are other threads than were limited.


def test_an_exercise_is_found_by_name_and_number() -> None:
    """A name and a number lead to an exercise; another word is refused, and says where the names are."""
    assert named("1") == named("await-a-wait") == exercises()[0]
    for number, one in enumerate(Mine(BLANK).exercises(), start=1):
        assert named(str(number), Mine(BLANK).exercises()) == one
    with pytest.raises(CatalogueError, match="list"):
        named("no-such-exercise")


def test_without_a_framework_there_is_the_whole_contract(tmp_path: Path) -> None:
    """The blank variant has a function for each endpoint and for each exercise, and the exercises that need no reference."""
    mine = start(BLANK, tmp_path)
    for row in ENDPOINTS:
        there = functions(ast.parse((mine.folder / f"{row.module}.py").read_text(encoding="utf-8")))
        assert is_stub(there[row.function])
    assert {one.kind for one in mine.exercises()} == {"write"}
    for exercise in mine.exercises():
        there = functions(ast.parse((mine.folder / exercise.file).read_text(encoding="utf-8")))
        assert all(is_stub(there[name]) for name in exercise.functions)
        assert "nox -s read" in reference.hint(mine, exercise, HINTS)


def test_to_write_is_what_exercises_ask_for() -> None:
    """What is taken out of a module is what some exercise asks to write, and no more."""
    assert to_write("together") == {"sequential_endpoint", "parallel_endpoint"}
    assert to_write("app") == set()

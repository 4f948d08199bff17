"""Makes the version of the lesson that an exercise is judged by: the reference, with the reader's own functions in it.

So an exercise depends on nothing that the reader has written, skipped or broken elsewhere, and nobody is thrown back by an edit
to another one.
"""

import ast
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.lesson.contract import MODULES
from shared.workbook.exercise.exercises import Exercise
from shared.workbook.exercise.mine import BLANK, NAME, Mine
from shared.workbook.exercise.stubs import Function, functions, is_stub, lines_of

_PLACE = re.compile(r'(?:[^\s"]*[\\/])?variants[\\/]mine[\\/](\w+)\.py(?:(:|", line )(\d+))?')


class NotReadyError(Exception):
    """The reader's file cannot be run yet; the message says where and why.

    Attributes:
        unwritten: Whether it is only not written yet.

    """

    def __init__(self, message: str, *, unwritten: bool = False) -> None:
        super().__init__(message)
        self.unwritten = unwritten


@dataclass(frozen=True, slots=True)
class Composed:
    """A version under test.

    Attributes:
        root: The folder that holds its `variants`.
        mine: Whose it is.
        exercise: What it is for.
        origins: Where each line of the exercise's module comes from: a file of the project and a line in it.

    """

    root: Path
    mine: Mine
    exercise: Exercise
    origins: tuple[tuple[str, int], ...]

    def in_the_readers_files(self, message: str) -> str:
        """Return a message with places in the reader's own files, and in the reference, where it names places in this version."""
        return _PLACE.sub(self._place, message)

    def _place(self, found: re.Match[str]) -> str:
        module, between, number = found[1], found[2], found[3]
        base = NAME if self.mine.base == BLANK or module not in MODULES else self.mine.base
        file, line = f"variants/{base}/{module}.py", int(number or 0)
        if module == self.exercise.module:
            file = f"variants/{NAME}/{self.exercise.file}"
            if 0 < line <= len(self.origins):
                file, line = self.origins[line - 1]
        return f"{file}{between}{line}" if number else file


def compose(mine: Mine, exercise: Exercise, root: Path) -> Composed:
    """Make the version of an exercise in a folder.

    Raises:
        NotReadyError: The reader's file is missing, is not Python, lacks a function, or has one that is not written yet.

    """
    folder = root / "variants" / NAME
    folder.mkdir(parents=True, exist_ok=True)
    (root / "variants" / "__init__.py").touch()
    place = f"variants/{NAME}/{exercise.file}"
    text = read(mine.folder / exercise.file, place)
    if mine.base == BLANK:  # Without a server there is nothing to judge.
        serve = f"variants/{NAME}/serve.py"
        are_written(parsed(read(mine.folder / "serve.py", serve), serve), ["serve"], serve)
    are_written(parsed(text, place), exercise.functions, place)
    own = [file for file in mine.folder.glob("*.py") if mine.base == BLANK or file.stem not in MODULES]
    for file in own:  # Also what the reader has added.
        (folder / file.name).write_bytes(file.read_bytes())
    origins = [(place, number) for number in range(1, text.count("\n") + 2)]
    if mine.base != BLANK:
        for module in MODULES:
            (folder / f"{module}.py").write_text(mine.reference(module), encoding="utf-8")
        if exercise.kind == "write":
            text, origins = _mixed(text, mine.reference(exercise.module), exercise, mine.base)
    (folder / f"{exercise.module}.py").write_text(text, encoding="utf-8")
    return Composed(root, mine, exercise, tuple(origins))


def read(file: Path, place: str) -> str:
    """Return the text of a reader's file, or raise NotReadyError, which names it by its place in the project."""
    try:
        return file.read_text(encoding="utf-8-sig")  # Some editors begin a file with a mark that says so.
    except OSError as error:
        raise NotReadyError(f"{place} cannot be read: {error}. `reset` puts it back.") from None
    except UnicodeDecodeError as error:
        raise NotReadyError(f"{place} is not UTF-8: {error}. Save it as UTF-8.") from None


def parsed(text: str, place: str) -> dict[str, Function]:
    """Return the functions of a reader's file by their names, or raise NotReadyError, likewise."""
    try:
        return functions(ast.parse(text))
    except SyntaxError as error:
        raise NotReadyError(f"{place}:{error.lineno or 1} is not Python: {error.msg}.") from None


def are_written(there: Mapping[str, Function], names: Iterable[str], place: str) -> None:
    """Raise NotReadyError when a file lacks one of these functions, or has one that is not written yet."""
    for name in names:
        if name not in there:
            raise NotReadyError(f"{place} has no function {name} any more. `reset` puts it back.")
    if stubs := [f"{place}:{there[name].lineno} {name}" for name in names if is_stub(there[name])]:
        message = f"Not written yet: {', '.join(stubs)}. This is the exercise; nothing is broken."
        raise NotReadyError(message, unwritten=True)


def _mixed(text: str, reference: str, exercise: Exercise, base: str) -> tuple[str, list[tuple[str, int]]]:
    """Return the reader's module with the reference's functions in the place of those that are not the exercise's."""
    place, other = f"variants/{NAME}/{exercise.file}", f"variants/{base}/{exercise.module}.py"
    lines, right = text.split("\n"), reference.split("\n")
    tree, known = ast.parse(text), functions(ast.parse(reference))
    marked = [(line, (place, number)) for number, line in enumerate(lines, start=1)]
    there = functions(tree)
    theirs: dict[str, list[tuple[str, tuple[str, int]]]] = {}
    for name, function in known.items():
        start, end = lines_of(function)
        theirs[name] = [(right[number - 1], (other, number)) for number in range(start, end + 1)]
    for name in reversed(there):
        if name in known and name not in exercise.functions:
            first, last = lines_of(there[name])
            marked[first - 1 : last] = theirs[name]
    below = min(lines_of(function)[0] for function in there.values())
    for name in known.keys() - there.keys():  # The reader has deleted it. Above all others, it is there for a table of routes.
        marked[below - 1 : below - 1] = [*theirs[name], ("", (other, 0))]
    added = _missing_imports(tree, ast.parse(reference))
    _uses_none_of(added.keys(), tree, exercise, place)
    above = [node.end_lineno or 0 for node in tree.body[:1] + _imports(tree)]
    top = max((last for last in above if last < below), default=0)
    marked[top:top] = [(line, (place, top)) for line in dict.fromkeys(added.values())]
    return "\n".join(line for line, _ in marked), [origin for _, origin in marked]


def _imports(tree: ast.Module) -> list[ast.Import | ast.ImportFrom]:
    return [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]


def _bound(tree: ast.Module) -> dict[str, str]:
    """Return the names that a module imports, and for each a line that imports it."""
    found = {}
    for node in _imports(tree):
        for alias in node.names:
            one = ast.Import([alias]) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, [alias], node.level)
            found[(alias.asname or alias.name).partition(".")[0]] = ast.unparse(one)
    return found


def _missing_imports(tree: ast.Module, reference: ast.Module) -> dict[str, str]:
    """Return what the reference imports and the reader's module does not, as an editor may have tidied it away."""
    there = _bound(tree)
    return {name: line for name, line in _bound(reference).items() if name not in there}


def _uses_none_of(names: Collection[str], tree: ast.Module, exercise: Exercise, place: str) -> None:
    """Refuse a function of the reader's that uses what only the reference's functions have imported for them."""
    for name in exercise.functions:
        found = [node for node in ast.walk(functions(tree)[name]) if isinstance(node, ast.Name)]
        own = {node.id for node in found if isinstance(node.ctx, ast.Store)}
        used = {node.id: node.lineno for node in found if node.id not in own}
        if unknown := [f"{place}:{used[one]} uses {one}" for one in names if one in used]:
            raise NotReadyError(f"{unknown[0]}, which the file does not import.")

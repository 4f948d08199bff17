"""A reader's own variant: how it begins, what is judged of it, and that an edit elsewhere does no harm."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.lab.variants import ROOT, groups
from shared.lab.verdict import EXERCISE
from shared.lesson.contract import MODULES
from shared.workbook.exercise import commands, mine, paint, progress, show
from shared.workbook.exercise.__main__ import parse, stack
from shared.workbook.exercise.check import Standing, Verdict, glance
from shared.workbook.exercise.compose import NotReadyError, compose
from shared.workbook.exercise.contents import named, predictions, to_write
from shared.workbook.exercise.mine import BLANK, Mine, MineError
from shared.workbook.exercise.progress import Progress
from shared.workbook.exercise.proof import copied
from shared.workbook.exercise.runner import Runner
from shared.workbook.exercise.sitting import Sitting
from shared.workbook.exercise.stubs import functions, is_stub, lines_of, without_bodies
from shared.workbook.exercise.watch import Watch
from tests.tools.exercising import WAIT, solve

anystack = pytest.mark.parametrize("base", groups())
REPAIR = named("the-server-stands-still")


def edit(mine: Mine, file: str, was: str, becomes: str) -> None:
    """Replace what stands in a file once."""
    text = (mine.folder / file).read_text(encoding="utf-8")
    assert text.count(was) == 1
    (mine.folder / file).write_text(text.replace(was, becomes), encoding="utf-8")


@anystack
def test_it_begins_as_the_exercise(base: str, tmp_path: Path) -> None:
    """Functions to write say that they are; everything else is the original's, and the whole can be imported."""
    made = copied(base, tmp_path)
    for module in MODULES:
        text = (made.folder / f"{module}.py").read_text(encoding="utf-8")
        there, original = functions(ast.parse(text)), functions(ast.parse(made.reference(module)))
        assert {name for name, function in there.items() if is_stub(function)} == to_write(module)
        assert list(there) == list(original)
        for name in there.keys() - to_write(module):
            assert ast.dump(there[name]) == ast.dump(original[name])
        assert base not in text
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-P", "-c", "import variants.mine.app"]
    subprocess.run(command, env=environment, cwd=tmp_path, check=True, timeout=60)  # noqa: S603 - our own command


def test_a_generator_stays_one_without_its_body() -> None:
    """A function that yields is still a generator when its body is gone; what a function inside it yields does not count."""
    text = (
        'async def one():\n    """Doc."""\n    yield 1\n\n\ndef two():\n    def inner():\n        yield 1\n\n    return inner\n'
    )
    stubs = functions(ast.parse(without_bodies(text, {"one", "two"})))
    yields = {name: any(isinstance(node, ast.Yield) for node in ast.walk(stub)) for name, stub in stubs.items()}
    assert yields == {"one": True, "two": False}
    assert all(map(is_stub, stubs.values()))


def test_it_is_found_and_not_made_twice(own: Mine) -> None:
    """It notes what it was made from; a second start does not touch it, and says what to do."""
    assert mine.find(own.root) == own
    with pytest.raises(MineError, match="already"):
        mine.start("fastapi_asyncio", own.root)
    with pytest.raises(MineError, match="start fastapi"):
        mine.find(own.root / "elsewhere")
    for wrong in ("((", "", "MADE_FROM = 3 + x", 'MADE_FROM = "sanic_asyncio"'):
        (own.folder / "__init__.py").write_text(wrong, encoding="utf-8")
        with pytest.raises(MineError, match="names the variant that it was made from"):
            mine.find(own.root)


@pytest.mark.parametrize("name", ["litestar", "nonsense", "a", ""])
def test_it_begins_from_one_of_the_stacks(name: str) -> None:
    """What is none of the variants, or may be several, is refused with the names that there are."""
    with pytest.raises(MineError, match=r"fastapi_asyncio, .*or blank"):
        stack(name)
    assert stack("fast") == "fastapi_asyncio"


def test_what_is_expected_has_an_end() -> None:
    """A prediction is a number of seconds: no less than none, and finite."""
    assert parse(["predict", "three-awaiting", "2.5"]).seconds == 2.5
    for wrong in ("nan", "inf", "-1", "two"):
        with pytest.raises(SystemExit):
            parse(["predict", "three-awaiting", wrong])


def test_what_is_not_written_is_named_as_the_exercise(own: Mine, tmp_path: Path) -> None:
    """Before anything runs, each function that is not written is named with its line, and that nothing is broken."""
    with pytest.raises(NotReadyError, match="nothing is broken") as raised:
        compose(own, WAIT, tmp_path)
    text = (own.folder / "waiting.py").read_text(encoding="utf-8").split("\n")
    line = text.index("async def slow_async_operation(name: str, seconds: float) -> str:") + 1
    assert f"variants/mine/waiting.py:{line} slow_async_operation" in str(raised.value)
    assert raised.value.unwritten


@anystack
def test_an_edit_elsewhere_does_no_harm(base: str, tmp_path: Path) -> None:
    """What is broken in another module, or in another function, is not in what an exercise is judged by."""
    made = copied(base, tmp_path / "project")
    solve(made)
    (made.folder / "together.py").write_text("this is no Python", encoding="utf-8")
    edit(made, "waiting.py", "write sync_endpoint, as its docstring says.", "broken in some other way")
    composed = compose(made, WAIT, tmp_path)
    for module in MODULES:
        text = (composed.root / "variants" / "mine" / f"{module}.py").read_text(encoding="utf-8")
        assert EXERCISE not in text
        assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(made.reference(module)))


@anystack
def test_what_was_deleted_or_tidied_away_is_there(base: str, tmp_path: Path) -> None:
    """A function that is gone is the reference's; imports stand above all functions, also where one stands between these."""
    made = copied(base, tmp_path / "project")
    solve(made)
    file = made.folder / "waiting.py"
    text = file.read_text(encoding="utf-8")
    start, end = lines_of(functions(ast.parse(text))["slow_sync_operation"])
    kept = text.split("\n")[: start - 1] + text.split("\n")[end:]
    text = "\n".join(line for line in kept if line != "import time")
    start, _ = lines_of(functions(ast.parse(text))["async_endpoint"])
    lines = text.split("\n")
    # As some editors do: a mark at the beginning, and an import in the middle; its name is a function's own variable besides.
    file.write_text("\n".join([*lines[: start - 1], "import json", *lines[start - 1 :]]), encoding="utf-8-sig")
    edit(
        made,
        "waiting.py",
        "    await asyncio.sleep(seconds)" if base != "anyio_trio" else "    await anyio.sleep(seconds)",
        "    time = seconds\n    await SLEEP(time)",
    )
    edit(made, "waiting.py", "SLEEP", "anyio.sleep" if base == "anyio_trio" else "asyncio.sleep")
    composed = compose(made, WAIT, tmp_path)
    judged = ast.parse((composed.root / "variants" / "mine" / "waiting.py").read_text(encoding="utf-8"))
    assert set(functions(judged)) == set(functions(ast.parse(made.reference("waiting"))))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(composed.root), str(ROOT)])}
    command = [sys.executable, "-P", "-c", "import variants.mine.waiting"]
    subprocess.run(command, env=environment, cwd=tmp_path, check=True, timeout=60)  # noqa: S603 - our own command


def test_places_are_those_of_the_readers_file(own: Mine, tmp_path: Path) -> None:
    """A line in what was judged is told as the line of the reader's file, or of the reference where that stood in."""
    solve(own)
    composed = compose(own, WAIT, tmp_path)
    judged = (composed.root / "variants" / "mine" / "waiting.py").read_text(encoding="utf-8").split("\n")
    readers = (own.folder / "waiting.py").read_text(encoding="utf-8").split("\n")
    line = next(number for number, text in enumerate(judged, 1) if "await slow_async_operation" in text)
    right = next(number for number, text in enumerate(readers, 1) if "await slow_async_operation" in text)
    assert line != right
    told = composed.in_the_readers_files(f"Look at variants/mine/waiting.py:{line} async_endpoint")
    assert told == f"Look at variants/mine/waiting.py:{right} async_endpoint"
    traceback = f'File "{composed.root}/variants/mine/waiting.py", line {line}, in x'
    assert composed.in_the_readers_files(traceback) == f'File "variants/mine/waiting.py", line {right}, in x'
    other = next(number for number, text in enumerate(judged, 1) if "asyncio.to_thread(" in text)
    assert composed.in_the_readers_files(f"variants/mine/waiting.py:{other}") == f"variants/aiohttp_asyncio/waiting.py:{other}"
    assert composed.in_the_readers_files("variants/mine/together.py:9") == "variants/aiohttp_asyncio/together.py:9"


def test_imports_that_an_editor_tidied_away_do_no_harm(own: Mine, tmp_path: Path) -> None:
    """What only other functions import is there for them; a function of the reader's that uses it is told to import it."""
    solve(own)
    edit(own, "waiting.py", "import time\n", "")
    compose(own, WAIT, tmp_path / "first")
    edit(own, "waiting.py", "import asyncio\n", "")
    with pytest.raises(NotReadyError, match="uses asyncio, which the file does not import"):
        compose(own, WAIT, tmp_path / "second")


@pytest.mark.parametrize(
    ("becomes", "said"), [("async def (", "is not Python"), ("async def another(name):\n    return 1", "no function")]
)
def test_what_cannot_run_says_where(own: Mine, tmp_path: Path, becomes: str, said: str) -> None:
    """A file that is not Python, or has lost a function, is told of at once, with the way back."""
    edit(own, "waiting.py", "async def async_endpoint(request: web.Request) -> web.Response:", becomes)
    with pytest.raises(NotReadyError, match=rf"variants/mine/waiting.py.*{said}"):
        compose(own, WAIT, tmp_path)


@pytest.mark.parametrize("name", ["await-a-wait", "tell-them-apart", "the-server-stands-still"])
def test_a_file_in_another_encoding_is_told_of(own: Mine, name: str) -> None:
    """What an editor did not save as UTF-8 is named in the verdict, and breaks nothing else that is asked for."""
    exercise = named(name)
    text = (
        (own.folder / exercise.file)
        .read_text(encoding="utf-8")
        .replace("def ", "# \N{LATIN SMALL LETTER U WITH DIAERESIS}\ndef ", 1)
    )
    (own.folder / exercise.file).write_text(text, encoding="cp1252")
    with Runner() as runner:
        found = glance(own, exercise, runner)
    assert found
    assert (found.standing, "Save it as UTF-8" in found.words) == (Standing.NOT_READY, True)
    assert exercise.goal in show.page(own, exercise, Progress(), found)
    assert "The reference:" in commands.solution(own, Progress(), exercise)
    if exercise.kind == "write":
        with pytest.raises(MineError, match="Save it as UTF-8 first"):
            mine.reset(own, exercise)
    else:
        assert commands.reset(own, Progress(), exercise).endswith(f"{exercise.file} is as at the beginning.")


def test_a_module_to_repair_is_judged_as_it_stands(own: Mine, tmp_path: Path) -> None:
    """The broken module takes the place of the reference's; its lines are those of the reader's file."""
    composed = compose(own, REPAIR, tmp_path)
    judged = composed.root / "variants" / "mine" / "waiting.py"
    assert judged.read_text(encoding="utf-8") == (own.folder / REPAIR.file).read_text(encoding="utf-8")
    assert "time.sleep(seconds)\n    return f" in judged.read_text(encoding="utf-8")
    assert composed.in_the_readers_files("variants/mine/waiting.py:7") == f"variants/mine/{REPAIR.file}:7"


def test_without_a_framework_serve_comes_first(tmp_path: Path) -> None:
    """On a blank variant nothing can be judged before it can be served, and that is said as the exercise."""
    blank = mine.start(BLANK, tmp_path)
    with pytest.raises(NotReadyError, match=r"variants/mine/serve.py:\d+ serve"):
        compose(blank, WAIT, tmp_path / "composed")


def test_a_reset_puts_back_one_exercise(own: Mine) -> None:
    """The functions of the exercise are as at the beginning; the others of the same file are as the reader left them."""
    solve(own)
    edit(own, "waiting.py", "write sync_endpoint, as its docstring says.", "mine")
    mine.reset(own, WAIT)
    begun = own.begun(WAIT).replace("write sync_endpoint, as its docstring says.", "mine")
    assert (own.folder / "waiting.py").read_text(encoding="utf-8") == begun
    edit(own, REPAIR.file, "import asyncio\n", "")
    mine.reset(own, REPAIR)
    assert (own.folder / REPAIR.file).read_text(encoding="utf-8") == own.begun(REPAIR)


@anystack
def test_a_reset_finds_the_place_of_each_function(base: str, tmp_path: Path) -> None:
    """Also where the reader has put the functions in another order, or has lost one: it comes before what uses it."""
    made = copied(base, tmp_path / "project")
    file = made.folder / "waiting.py"
    begun = file.read_text(encoding="utf-8")
    first, last = lines_of(functions(ast.parse(begun))["async_endpoint"])
    lines = begun.split("\n")
    endpoint = "\n".join(lines[first - 1 : last])
    rest = "\n".join(lines[: first - 1] + lines[last:])
    mine.reset(made, WAIT)
    assert file.read_text(encoding="utf-8") == begun
    ping = '@routes.get("/ping")\nasync def ping(' if "@routes" in begun else "async def ping("
    longer = endpoint.replace("    raise", "    one = 1\n    two = one\n    raise")
    upside_down = rest.replace("async def slow_async", f"{longer}\n\n\nasync def slow_async")
    for text in (upside_down, rest, rest.replace("async def slow_async_operation", "async def slow_another")):
        file.write_text(text, encoding="utf-8")
        mine.reset(made, WAIT)
        put_back = file.read_text(encoding="utf-8")
        there = functions(ast.parse(put_back))
        assert {*functions(ast.parse(begun))} <= {*there}
        assert "one = 1" not in put_back
        assert endpoint in put_back
        assert there["async_endpoint"].lineno < put_back.count("\n") - 1
        assert there[WAIT.functions[0]].lineno < there["ping"].lineno
        assert ping in put_back
    file.write_text("", encoding="utf-8")
    mine.reset(made, WAIT)
    assert file.read_text(encoding="utf-8") == begun


def test_progress_is_one_file_that_can_be_deleted(own: Mine) -> None:
    """What is solved stays so; a reset of one exercise is about that one; without the file, or with wrong parts, all is open."""
    exercises, kept = own.exercises(), Progress()
    kept.solve(WAIT)
    kept.go_on(WAIT, exercises)
    progress.save(own, kept)
    assert progress.load(own).open(exercises) == exercises[1]
    commands.skip(own, kept, exercises[1])
    assert kept.open(exercises) == exercises[2]
    commands.reset(own, kept, WAIT)
    assert kept.open(exercises) == WAIT
    assert kept.skipped == [exercises[1].name]
    for broken in ("[]", "3", '{"solved": []}', '{"hints": {"await-a-wait": "two"}}', '{"measured": {"x": null}}'):
        (own.folder / progress.FILE).write_text(broken, encoding="utf-8")
        assert progress.load(own) == Progress()
    (own.folder / progress.FILE).write_text('{"present": "one-by-one", "solved": 1}', encoding="utf-8")
    assert progress.load(own) == Progress(present="one-by-one")
    (own.folder / progress.FILE).write_text("{", encoding="utf-8")  # A slip must not cost what was reached.
    with pytest.raises(MineError, match="Mend it, or delete it"):
        progress.load(own)
    assert progress.load(own, kept) == kept


def test_a_variant_that_was_edited_is_said(own: Mine) -> None:
    """Where a mistake to repair does not fit a variant any more, that is said, and nothing is made half."""
    file = own.root / "variants" / "aiohttp_asyncio" / "waiting.py"
    text = file.read_text(encoding="utf-8").replace("await asyncio.sleep(seconds)", "time.sleep(seconds)")
    file.write_text(text, encoding="utf-8")
    shutil.rmtree(own.folder)
    with pytest.raises(MineError, match="aiohttp_asyncio was edited"):
        mine.start("aiohttp_asyncio", own.root)
    assert not own.folder.exists()


def test_what_was_skipped_is_left() -> None:
    """Where nothing is open any more, what was skipped is named; a prediction that was declined shows nothing."""
    kept = Progress(skipped=["await-a-wait"], predicted={one.name: None for one in predictions()})
    assert "await-a-wait" in show.nothing_left(kept)
    assert show.nothing_left(Progress()) == "Nothing is left."
    assert "(done)" not in show.goals(kept)


def test_hints_come_one_by_one_and_are_remembered(own: Mine) -> None:
    """Each time one step more is shown, and never a fourth."""
    kept = Progress()
    told = [commands.hint(own, kept, WAIT) for _ in range(4)]
    assert [text.count("Hint ") for text in told] == [1, 2, 3, 3]
    assert progress.load(own).hints == {WAIT.name: 3}


def test_a_reset_is_asked_for_twice_in_a_row(own: Mine) -> None:
    """On the screen a reset asks first; whatever comes between takes the question back."""
    solve(own)
    sitting = Sitting(own, Progress(present=WAIT.name, predicted=dict.fromkeys(one.name for one in predictions())))
    sitting.exercise = WAIT
    for key in ("reset", "hint", "reset", "solution", "reset"):
        assert not sitting.command(key)
        assert "await asyncio.sleep" in (own.folder / WAIT.file).read_text(encoding="utf-8")
    assert sitting.command("reset")
    assert "await asyncio.sleep" not in (own.folder / WAIT.file).read_text(encoding="utf-8")


def test_what_was_not_measured_is_known(own: Mine) -> None:
    """Whoever leaves while a prediction is measured has it measured when they come back; of this chapter, not of others."""
    kept = Progress(predicted={"three-blocking": 3.0, "three-awaiting": None, "one-after-another": 1.0})
    progress.save(own, kept)
    sitting = Sitting(own, kept)
    sitting.exercise = WAIT
    sitting.measured(predictions()[1], 2.0)
    assert [one.name for one in sitting.unmeasured] == ["three-blocking"]


def test_what_is_done_in_another_terminal_stays(own: Mine) -> None:
    """The screen takes over what the file says before it keeps anything; what cannot be read, it does not take for nothing."""
    sitting = Sitting(own, Progress())
    sitting.exercise = WAIT
    commands.skip(own, Progress(), REPAIR)
    sitting.judged(WAIT, Verdict(Standing.SOLVED, "seen"))
    kept = progress.load(own)
    assert (list(kept.solved), kept.skipped) == ([WAIT.name], [REPAIR.name])
    (own.folder / progress.FILE).write_text("{ half", encoding="utf-8")
    sitting.command("hint")
    assert (list(progress.load(own).solved), progress.load(own).hints) == ([WAIT.name], {WAIT.name: 1})
    (own.folder / progress.FILE).unlink()
    sitting.command("hint")
    assert progress.load(own) == Progress(hints={WAIT.name: 1})


def test_a_timeline_fits_the_screen() -> None:
    """A bar is made as short as it has to be, with its strongest signs; every other line stays as it is."""
    line = f"  /async |{'=' * 20}{'#' * 10}{' ' * 30}|  0.00 to 0.30 s"
    assert paint.narrowed(line, 120) == line
    narrow = paint.narrowed(line, 57)
    assert narrow == f"  /async |{'=' * 10}{'#' * 5}{' ' * 15}|  0.00 to 0.30 s"
    assert len(paint.narrowed(line, 40)) == 40
    assert paint.narrowed("a long line of words | with a bar", 10) == "a long line of words | with a bar"


def test_the_solution_shows_how_yours_differs(own: Mine) -> None:
    """The reference is shown, and the difference in the functions of the exercise; none when they are the same."""
    assert "-    raise NotImplementedError" in commands.solution(own, Progress(), WAIT)
    solve(own)
    assert commands.solution(own, Progress(), WAIT).endswith("Yours is the same.")


def test_only_what_belongs_to_the_exercise_is_followed(own: Mine) -> None:
    """A save of the exercise's file, or of one that the reader has added, is noticed; one of another exercise's is not."""
    watch = Watch(own)
    watch.follow(WAIT)
    edit(own, "together.py", "import asyncio\n", "import asyncio  # noted\n")
    assert not watch.changed()
    edit(own, "waiting.py", "import time\n", "import time  # noted\n")
    assert watch.changed()
    assert not watch.changed()
    (own.folder / "helpers.py").write_text("", encoding="utf-8")
    assert watch.changed()

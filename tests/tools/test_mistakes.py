"""The catalogue of mistakes fits the code and the suite; and its runner judges, goes on, chooses and cleans up as it should."""

import ast
import asyncio
import json
import multiprocessing
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

import psutil
import pytest

from shared.lab.causes import Cause
from shared.lab.variants import ROOT, Variant, groups
from shared.workbook.mistakes.__main__ import main, parse, wanted
from shared.workbook.mistakes.busy import busy_processes
from shared.workbook.mistakes.catalogue import Edit, Mistake, load
from shared.workbook.mistakes.fields import CatalogueError
from shared.workbook.mistakes.items import (
    PART_OF,
    SMOKE,
    WAITS,
    Planted,
    Round,
    all_planted,
    for_each_cause,
    for_each_mistake,
    for_each_test,
)
from shared.workbook.mistakes.judge import Outcome, Report, judge_planted, judge_right, read_reports
from shared.workbook.mistakes.kept import Kept, Keys, Result
from shared.workbook.mistakes.pauses import pauses
from shared.workbook.mistakes.plant import PlantError, difference, plant, planted_text
from shared.workbook.mistakes.runs import PARTS, Item, balanced, run, run_all
from tests import background

CATALOGUE = load()
TEST = "tests/test_waiting.py::test_x"
PLACE = "Look at variants/mine/waiting.py:3 wait"

SLEEPS = Mistake("sleeps", "t", "w", "waiting", "wait", Cause.BLOCKS, (TEST,), (Edit(("mine",), "await nap(1)", "sleep(1)"),))

MINE = Variant("mine", "asyncio", "mine")
PYPROJECT = "[dependency-groups]\nmine = []\n"
WAITING = """import nap, sleep

async def wait():
    await nap(1)

async def other():
    await nap(1)
"""
ENTRY = """
[[mistake]]
name = "sleeps"
title = "Title"
why = "Because."
module = "waiting"
function = "wait"
cause = "blocks"
tests = ["tests/test_waiting.py::test_x"]
[[mistake.edit]]
variants = ["mine"]
was = "await nap(1)"
becomes = "sleep(1)"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a project of one variant with two functions, and a suite that does what its name says."""
    folder = tmp_path / "project"
    files = {
        "pyproject.toml": PYPROJECT,
        "variants/__init__.py": "",
        "variants/mine/__init__.py": "",
        "variants/mine/app.py": "",
        "variants/mine/waiting.py": WAITING,
        "tests/conftest.py": CONFTEST,
        "tests/test_waiting.py": "def test_x():\n    pass\n",
        "tests/test_smoke.py": "def test_every_endpoint_answers():\n    pass\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


CONFTEST = """
import json
import pytest

def pytest_addoption(parser):
    for name in ("--plan", "--report"):
        parser.addoption(name)

def pytest_generate_tests(metafunc):
    if "folder" in metafunc.fixturenames:
        with open(metafunc.config.getoption("--plan")) as plan:
            entries = [one for one in json.load(plan) if metafunc.definition.nodeid in one["tests"]]
        metafunc.parametrize("folder", [one["root"] for one in entries], ids=[one["label"] for one in entries])

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call":
        error = call.excinfo.value if call.excinfo else None
        line = {"test": item.nodeid, "outcome": report.outcome, "cause": getattr(error, "cause", ""), "message": str(error)}
        with open(item.config.getoption("--report"), "a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\\n")
    return report
"""


def pairs() -> list[tuple[Mistake, str]]:
    """Return each mistake with each of its variants."""
    return [(mistake, variant) for mistake in CATALOGUE for variant in mistake.variants]


@pytest.mark.parametrize(("mistake", "name"), pairs(), ids=lambda value: value if isinstance(value, str) else value.name)
def test_each_edit_applies_once_and_compiles(mistake: Mistake, name: str) -> None:
    """Each mistake fits each of its variants as they stand, and changes something."""
    assert planted_text(mistake, name) != (ROOT / "variants" / name / f"{mistake.module}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("mistake", CATALOGUE, ids=lambda mistake: mistake.name)
def test_responsible_tests_exist(mistake: Mistake) -> None:
    """Each test that a mistake names stands in the suite."""
    for test in mistake.tests:
        file, _, name = test.partition("::")
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert name.partition("[")[0] in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{test} is gone"


def test_the_smoke_test_exists() -> None:
    """The test that runs with every mistake stands in the suite."""
    file, _, name = SMOKE.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_the_catalogue_is_large_and_covers_every_cause() -> None:
    """There are at least 250 mistakes, 900 planted, in every variant, and for each cause that the suite can name one."""
    assert len(CATALOGUE) >= 250
    assert len(pairs()) >= 900
    assert {mistake.cause for mistake in CATALOGUE} == set(Cause)
    assert {variant for _, variant in pairs()} == set(groups())


@pytest.mark.parametrize(
    ("was", "becomes", "words"),
    [
        ("[[mistake]]", "[[error]]", "no field error"),
        ('name = "sleeps"', 'name = "Sleeps too"', "name cannot be"),
        ('cause = "blocks"', 'cause = "magic"', "cause cannot be 'magic'"),
        ('module = "waiting"', 'module = "nowhere"', "module cannot be"),
        ('module = "waiting"', 'module = "waiting"\nneeds = "luck"', "needs cannot be 'luck'"),
        ('why = "Because."', 'why = ""', "why must be a text"),
        ('why = "Because."', 'wy = "Because."', "why is missing"),
        ('why = "Because."', 'why = "Because."\nextra = 1', "no field extra"),
        ("tests/test_waiting.py::test_x", "test_x", "test_x is no test's id"),
        ('["mine"]', '["yours"]', "no variant yours"),
        ('["mine"]', "[]", "variants must be a list"),
        ('"sleep(1)"', '"await nap(1)"', "another text"),
        ('was = "await nap(1)"', "", "was is missing"),
        ("[[mistake.edit]]", "[mistake.edit]", "[[mistake.edit]]"),
        ('title = "Title"', "title = Title", "waiting.toml"),
    ],
)
def test_a_wrong_catalogue_is_refused_in_one_line(root: Path, tmp_path: Path, was: str, becomes: str, words: str) -> None:
    """A field that is missing, unknown or wrong is named, with the file it stands in."""
    (tmp_path / "waiting.toml").write_text(ENTRY.replace(was, becomes), encoding="utf-8")
    with pytest.raises(CatalogueError) as raised:
        load(tmp_path, root)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_right_catalogue_is_read_and_a_name_stands_there_once(root: Path, tmp_path: Path) -> None:
    """What the file says arrives; a second mistake of the same name is refused, in whatever file it stands."""
    (tmp_path / "waiting.toml").write_text(ENTRY, encoding="utf-8")
    assert load(tmp_path, root) == [replace(SLEEPS, title="Title", why="Because.")]
    (tmp_path / "app.toml").write_text(ENTRY, encoding="utf-8")
    with pytest.raises(CatalogueError, match="sleeps more than once"):
        load(tmp_path, root)


def test_a_mistake_is_planted_in_its_function_and_nowhere_else(root: Path, tmp_path: Path) -> None:
    """The copy differs in one line, though another function has the same one; the project itself is as it was."""
    file = plant(SLEEPS, "mine", tmp_path, root)
    assert file == tmp_path / "variants" / "mine" / "waiting.py"
    assert file.read_text(encoding="utf-8") == WAITING.replace("await nap(1)", "sleep(1)", 1)
    assert (tmp_path / "variants" / "__init__.py").is_file()
    assert (root / "variants/mine/waiting.py").read_text(encoding="utf-8") == WAITING
    assert "-    await nap(1)\n+    sleep(1)" in difference(SLEEPS, "mine", root)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (replace(SLEEPS, edits=(Edit(("mine",), "await rest(1)", "sleep(1)"),)), "stands 0 times in wait"),
        (replace(SLEEPS, edits=(Edit(("mine",), "a", "b"),)), "times in wait, and not once"),
        (replace(SLEEPS, scope="module"), "stands 2 times"),
        (replace(SLEEPS, function="gone"), "gone"),
        (replace(SLEEPS, module="app"), "wait does not stand in app.py"),
        (replace(SLEEPS, edits=(Edit(("mine",), "await nap(1)", "await ("),)), "is not Python"),
    ],
)
def test_a_mistake_that_does_not_fit_is_refused(root: Path, changed: Mistake, words: str) -> None:
    """An edit that does not apply exactly once, in the named function, to something that compiles, is an error that says so."""
    with pytest.raises(PlantError, match=words):
        planted_text(changed, "mine", root)


def failed(cause: str, message: str = PLACE, test: str = f"{TEST}[mine]") -> Report:
    """Return the report of a test that failed."""
    return Report(test, "failed", cause, message)


PASSED = Report(f"{TEST}[mine]", "passed", "", "")
SMOKE_PASSED = Report("tests/test_smoke.py::test_s[mine]", "passed", "", "")


@pytest.mark.parametrize(
    ("reports", "outcome"),
    [
        ([failed("blocks"), SMOKE_PASSED], Outcome.CAUGHT),
        ([failed("blocks"), failed("blocks", test="tests/test_smoke.py::test_s")], Outcome.CAUGHT),
        ([failed("blocks", "no place"), failed("blocks")], Outcome.CAUGHT),
        ([replace(failed("blocks"), outcome="error")], Outcome.CAUGHT),
        ([failed("limited")], Outcome.ACCUSED),
        ([failed("")], Outcome.ACCUSED),
        ([failed("blocks"), failed("limited", test=f"{TEST}[mine-2]")], Outcome.ACCUSED),
        ([failed("blocks"), failed("limited", test="tests/test_smoke.py::test_s")], Outcome.ACCUSED),
        ([PASSED, SMOKE_PASSED], Outcome.MISSED),
        ([PASSED, failed("blocks", test="tests/test_smoke.py::test_s")], Outcome.MISSED),
        ([replace(PASSED, outcome="skipped")], Outcome.MISSED),
        ([failed("blocks", "Look at variants/mine/waiting.py:9 other")], Outcome.NO_PLACE),
        ([failed("blocks", "/wait took long. Look at variants/mine/waiting.py:9 waits")], Outcome.NO_PLACE),
        ([failed("blocks", "Look at variants/yours/waiting.py:3 wait")], Outcome.NO_PLACE),
        ([SMOKE_PASSED], Outcome.NOT_RUN),
        ([failed("blocks", test="tests/test_waiting.py::test_xy[mine]")], Outcome.NOT_RUN),
        ([], Outcome.NOT_RUN),
    ],
)
def test_a_planted_mistake_is_judged(reports: list[Report], outcome: Outcome) -> None:
    """Caught is: a responsible test failed with the right cause and names the place, and no test names another cause."""
    assert judge_planted(SLEEPS, "mine", reports).outcome == outcome


def test_every_failure_over_a_right_variant_is_a_false_alarm() -> None:
    """One failure among many is enough, and its message is told; without a single test there is no verdict."""
    assert judge_right([PASSED, SMOKE_PASSED]).outcome == Outcome.RIGHT
    judged = judge_right([PASSED, failed("blocks", "a message")])
    assert (judged.outcome, "a message" in judged.message) == (Outcome.FALSE_ALARM, True)
    assert judge_right([]).outcome == Outcome.NOT_RUN


def test_reports_are_read_up_to_where_they_were_cut_short(tmp_path: Path) -> None:
    """A file that does not exist holds nothing; a last line without an end does not count."""
    file = tmp_path / "report.jsonl"
    assert read_reports(file) == []
    line = json.dumps({"test": "t", "outcome": "passed", "cause": "", "message": ""})
    file.write_text(f"{line}\n{line[:20]}", encoding="utf-8")
    assert read_reports(file) == [Report("t", "passed", "", "")]


def write_suite(root: Path, body: str) -> None:
    """Let the responsible test do something."""
    lines = "import time\nimport pytest\n\nclass Wrong(Exception):\n    cause = 'blocks'\n\n"
    lines += "def test_x(folder):\n    "
    (root / "tests/test_waiting.py").write_text(f"{lines}{body}\n", encoding="utf-8")


FOUND = (
    f"text = open(folder + '/variants/mine/waiting.py').read()\n    if '    sleep(1)' in text:\n        raise Wrong('{PLACE}')"
)


@pytest.mark.parametrize(
    ("body", "outcome", "words"),
    [
        (FOUND, Outcome.CAUGHT, PLACE),
        ("pass", Outcome.MISSED, "none failed"),
        ("raise Wrong('nowhere')", Outcome.NO_PLACE, "nowhere"),
        ("assert 0, 'plain'", Outcome.ACCUSED, "plain"),
        ("time.sleep(60)", Outcome.TOO_LONG, "3 s"),
        ("this is no Python", Outcome.NOT_RUN, "SyntaxError"),
    ],
)
def test_a_run_plants_asks_the_suite_and_judges(root: Path, body: str, outcome: Outcome, words: str) -> None:
    """From the planted copy to the judgement, with a suite that finds it, does not, or does not end."""
    write_suite(root, body)
    judged = asyncio.run(run([Planted(SLEEPS, "mine", seconds=3 if outcome == Outcome.TOO_LONG else 60)], root))[0]
    assert judged.outcome == outcome, judged.message
    assert words in judged.message


def test_a_run_that_is_broken_off_leaves_no_process_and_no_folder(root: Path, tmp_path: Path) -> None:
    """What the suite has started ends with it, even in a session of its own, and its folder is gone."""
    seen = tmp_path / "seen.json"
    write_suite(
        root,
        "import json, os, subprocess, sys, tempfile\n"
        "    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True)\n"
        f"    open({str(seen)!r}, 'w').write(json.dumps([os.getpid(), child.pid, tempfile.gettempdir()]))\n"
        "    time.sleep(60)",
    )

    async def broken_off() -> None:
        task = asyncio.create_task(run_all([Planted(SLEEPS, "mine")], 1, Keys(root), lambda *_: None, root))
        while not (seen.is_file() and seen.read_text(encoding="utf-8").endswith("]")):
            assert not task.done()
            await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(broken_off())
    *pids, folder = json.loads(seen.read_text(encoding="utf-8"))
    deadline = time.monotonic() + 5
    while (alive := [pid for pid in pids if psutil.pid_exists(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive
    assert not Path(folder).exists()


def named(number: int) -> Planted:
    """Return the mistake under a name of its own."""
    return Planted(replace(SLEEPS, name=f"sleeps-{number}"), "mine")


def test_so_many_run_side_by_side(root: Path) -> None:
    """Of eight places a quarter are for runs that do not wait long, and where none does, as many more: the fifth run waits."""
    write_suite(root, "time.sleep(1)")
    began: list[float] = []

    def done(_: Item, result: Result) -> None:
        began.append(time.monotonic() - result.seconds)

    asyncio.run(run_all([named(number) for number in range(5)], 8, Keys(root), done, root))
    first, *_, fourth, fifth = sorted(began)
    assert fourth - first < 0.5, "the first four did not start together"
    assert fifth - first > 0.9, "the fifth did not wait for a place"


def test_what_waits_long_is_divided_evenly_and_begun_with_the_longest() -> None:
    """No part of several is much longer than another, none has nothing to do, and all have been given out."""
    waits: dict[Item, float] = {named(number): seconds for number, seconds in enumerate([30.0, 90.0, 20.0, 50.0, 40.0, 10.0])}
    parts = balanced(waits, 3)
    assert [sum(waits[item] for item in part) for part in parts] == [90.0, 80.0, 70.0]
    assert len(balanced(waits, 20)) == len(waits)
    assert sum(map(len, balanced(waits, 1))) == len(waits)
    assert not balanced({}, 3)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [("assert 'sleeps-2' not in folder, 'plain'", "accused"), ("'sleeps-2' in folder and os._exit(9)", "not run")],
)
def test_several_in_one_pytest_do_not_touch_each_other(root: Path, body: str, outcome: str) -> None:
    """Each is judged by its own reports; and when one ends pytest itself, the others run again without it."""
    write_suite(root, f"import os; {body}; {FOUND}")
    outcomes: dict[str, str] = {}

    def done(item: Item, result: Result) -> None:
        outcomes[item.name] = result.outcome

    asyncio.run(run_all([named(number) for number in range(3 * PARTS)], 1, Keys(root), done, root))
    assert outcome in outcomes.pop(named(2).name)
    assert set(outcomes.values()) == {Outcome.CAUGHT}
    assert len(outcomes) == 3 * PARTS - 1


def test_busy_processes_end_with_the_block_and_with_their_parent() -> None:
    """They compute meanwhile, and are gone afterwards, also when nobody can stop them any more."""
    with busy_processes(2) as ids:
        deadline = time.monotonic() + 10
        while min(sum(psutil.Process(pid).cpu_times()[:2]) for pid in ids) < 0.2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert time.monotonic() < deadline, "they do not compute"
    assert not any(psutil.pid_exists(pid) for pid in ids)
    code = (
        "import os\nfrom shared.workbook.mistakes.busy import busy_processes\n"
        "with busy_processes(1) as ids:\n    print(ids[0], flush=True)\n    os._exit(1)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    deadline = time.monotonic() + 10
    while psutil.pid_exists(int(done.stdout)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(int(done.stdout))


def test_pauses_halt_what_was_started_and_let_it_go_on() -> None:
    """What this process has started is halted now and then, but not what runs beside it; in the end all of it goes on."""

    def halted(pid: int) -> bool:
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED

    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process, busy_processes(1) as ids:
        try:
            with pauses():
                deadline, others = time.monotonic() + 10, False
                while not halted(process.pid) and time.monotonic() < deadline:
                    others |= halted(ids[0])
                    time.sleep(0.01)
                assert halted(process.pid), "it was never halted"
                assert not others, "what runs beside it was halted"
            assert not halted(process.pid), "it does not go on"
        finally:
            process.kill()


def result(key: str, item: str, outcome: str = "caught") -> Result:
    """Return a result."""
    return Result(key, item, outcome, "a message\nof two lines", 1.5)


def test_results_are_kept_under_their_key(tmp_path: Path) -> None:
    """A result is there for the next run, at once, the latest of an item; a line cut short loses that line only."""
    file = tmp_path / ".results" / "mistakes" / "kept.jsonl"
    kept = Kept(file)
    kept.add(result("1", "one"))
    kept.add(result("2", "two"))
    kept.add(result("3", "one", "missed"))
    with file.open("a", encoding="utf-8") as lines:
        lines.write('{"key": "4", "item"')
    again = Kept(file)
    assert again.get("2") == result("2", "two")
    assert again.get("3") == result("3", "one", "missed")
    assert (again.get("1"), again.get("4")) == (None, None)
    assert len(file.read_text(encoding="utf-8").splitlines()) == 2


def change(name: str) -> Callable[[Path], None]:
    """Return what changes a file of the project."""

    def changed(root: Path) -> None:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("# changed\n", encoding="utf-8")

    return changed


@pytest.mark.parametrize(
    ("name", "runs_again"),
    [
        ("variants/mine/app.py", True),
        ("variants/yours/app.py", False),
        ("shared/lesson/timing.py", True),
        ("shared/lab/verdict.py", True),
        ("shared/upstream/witness.py", True),
        ("tests/test_other.py", True),
        ("tests/stacks/test_other.py", True),
        ("tests/minimal/counting.py", True),
        ("constraints.txt", True),
        ("tests/tools/test_mistakes.py", False),
        ("README.md", False),
    ],
)
def test_a_result_holds_until_something_it_depends_on_changes(root: Path, name: str, runs_again: bool) -> None:
    """The variant, what all share and the suite's tests count; another variant and the workbook's own tests do not."""
    items: list[Item] = [Planted(SLEEPS, "mine"), Round(MINE, 1, 2)]
    before = [item.key(Keys(root)) for item in items]
    change(name)(root)
    assert [one != other for one, other in zip(before, [item.key(Keys(root)) for item in items], strict=True)] == [runs_again] * 2


def test_a_key_belongs_to_one_mistake(root: Path) -> None:
    """What a mistake does counts, and the words for a reader do not; each round has a key of its own."""
    keys = Keys(root)
    changes = [
        replace(SLEEPS, cause=Cause.LIMITED),
        replace(SLEEPS, tests=(f"{TEST}y",)),
        replace(SLEEPS, edits=(Edit(("mine",), "await nap(1)", "sleep(2)"),)),
    ]
    items: list[Item] = [
        Planted(SLEEPS, "mine"),
        *(Planted(one, "mine") for one in changes),
        Round(MINE, 1, 2),
        Round(MINE, 2, 2),
    ]
    assert len({item.key(keys) for item in items}) == len(items)
    assert Planted(replace(SLEEPS, title="other", why="other"), "mine").key(keys) == items[0].key(keys)


@pytest.mark.parametrize(
    ("choice", "kind"),
    [(for_each_cause, attrgetter("mistake.cause")), (for_each_mistake, attrgetter("mistake.name"))],
    ids=["--quick", "no choice"],
)
def test_a_choice_is_fair_and_the_same_every_time(
    choice: Callable[[Sequence[Planted]], list[Planted]], kind: Callable[[Planted], object]
) -> None:
    """One of each cause, or one of each mistake; every variant gets its share, as far as it can."""
    planted = all_planted(CATALOGUE, [], [])
    chosen = choice(planted)
    assert chosen == choice(planted)
    assert Counter(map(kind, chosen)) == Counter({kind(one): 1 for one in planted})
    shares = Counter(one.variant for one in chosen)
    assert max(shares.values()) - min(shares[variant] for variant in groups()) <= 4


def test_each_test_has_something_to_catch() -> None:
    """With --each-test every test that is responsible for some mistake meets one, and those of --quick are among them."""
    planted = all_planted(CATALOGUE, [], [])
    chosen = for_each_test(planted)
    assert chosen == for_each_test(planted)
    assert {test for one in chosen for test in one.mistake.tests} == {test for one in planted for test in one.mistake.tests}
    assert chosen[: len(Cause)] == for_each_cause(planted)
    assert len({one.name for one in chosen}) == len(chosen)
    shares = Counter(one.variant for one in chosen)
    assert max(shares.values()) - min(shares[variant] for variant in groups()) <= 8


def test_how_long_each_experiment_takes_is_known() -> None:
    """What is not known would be taken for short, and held up by others like it."""
    assert WAITS.keys() == background.JOBS.keys()
    assert set(PART_OF.values()) <= WAITS.keys()


@pytest.mark.parametrize("asked", [["--quick"], ["--each-test"], ["--only", "sleep-blocks"]])
def test_where_only_some_are_planted_there_are_no_rounds(asked: list[str]) -> None:
    """Unless they are asked for."""
    assert not wanted(parse(asked), CATALOGUE)[1]
    assert wanted(parse([*asked, "--rounds", "1"]), CATALOGUE)[1]


def test_names_may_be_given_together_or_one_by_one() -> None:
    """The last does not take the place of those before it."""
    asked = parse(["--only", "a", "b", "--only", "c", "--variant", "d", "--variant", "e"])
    assert (asked.only, asked.variant) == (["a", "b", "c"], ["d", "e"])
    assert parse([]).only == []


def test_a_choice_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Two choices at once are refused, with a message."""
    with pytest.raises(SystemExit):
        parse(["--quick", "--each-test"])
    assert "not allowed with argument --quick" in capsys.readouterr().err


def test_what_this_system_cannot_make_is_not_planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no process can be forked, a mistake that needs it is left out of all, and asked for by its name a clear refusal."""
    forks = {mistake.name for mistake in CATALOGUE if mistake.needs == "fork"}
    assert forks
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    assert not forks & {one.mistake.name for one in all_planted(CATALOGUE, [], [])}
    with pytest.raises(CatalogueError, match="on this system"):
        all_planted(CATALOGUE, sorted(forks), [])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "nothing-like-it"], "There is no mistake nothing-like-it"),
        (["--variant", "nobody"], "There is no variant nobody"),
        (["--only", "asyncio-sleep-under-trio", "--variant", "aiohttp"], "No version of asyncio-sleep-under-trio"),
        (["--show", "nothing-like-it"], "There is no mistake nothing-like-it"),
        (["--show", "asyncio-sleep-under-trio", "aiohttp"], "has no version for aiohttp_asyncio"),
    ],
)
def test_an_unknown_name_is_one_clear_line(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    """What cannot be done ends with the code 2 and a line that says why, before anything runs."""
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_the_catalogue_and_a_mistake_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    """--list names every mistake, and --show prints what one changes in each of its variants."""
    assert main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert all(mistake.name in listed for mistake in CATALOGUE)
    assert main(["--show", "sleep-blocks", "aiohttp"]) == 0
    shown = capsys.readouterr().out
    assert "+        time.sleep(seconds)" in shown
    assert "variants/aiohttp_asyncio/waiting.py" in shown

"""Verdicts on exercises, from real servers: a few of them on each stack. `nox -s exercises` proves them all."""

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest
from textual.widgets import Static

from shared.lab.causes import WORDS, Cause
from shared.workbook.exercise import predict, reference
from shared.workbook.exercise.__main__ import once
from shared.workbook.exercise.check import Standing, Verdict, check
from shared.workbook.exercise.commands import guess
from shared.workbook.exercise.contents import named, predictions
from shared.workbook.exercise.mine import Mine
from shared.workbook.exercise.progress import Progress, load, save
from shared.workbook.exercise.proof import proofs
from shared.workbook.exercise.runner import RunError, Runner
from shared.workbook.exercise.screen import Screen
from shared.workbook.exercise.sitting import Sitting
from tests.tools.exercising import WAIT, solve

SOON = 20.0
"""Seconds after which a verdict has to be there on a busy machine; alone it takes two."""


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    """Return a warm process for the tests of this module."""
    with Runner() as running:
        yield running


@pytest.mark.parametrize(
    ("base", "name"),
    [
        ("aiohttp_asyncio", "the-server-stands-still"),
        ("fastapi_asyncio", "all-or-none"),
        ("starlette_asyncio", "tell-them-apart"),
        ("anyio_trio", "results-of-others"),
    ],
)
def test_it_fails_unsolved_and_passes_with_the_reference(base: str, name: str) -> None:
    """As it begins, an exercise fails for its reason; with the reference it is solved."""
    (proof,) = proofs([base], [name])
    assert not proof.wrong
    assert proof.begun.first <= proof.begun.seconds


def test_the_suite_calls_it_the_exercise(own: Mine, runner: Runner) -> None:
    """The shared suite itself says of what is not written yet that it is the exercise, and nothing broken."""
    report = runner.run(own.root, ["tests/test_waiting.py::test_async_does_not_block"])[0]
    assert report.cause == Cause.UNWRITTEN
    assert WORDS[Cause.UNWRITTEN].cause in report.message


def test_a_wrong_version_is_told_of_in_the_readers_own_lines(own: Mine, runner: Runner) -> None:
    """A verdict names the cause, and the line of the reader's file that did it."""
    solve(own)
    file = own.folder / WAIT.file
    file.write_text(file.read_text(encoding="utf-8").replace("await asyncio.sleep(", "time.sleep("), encoding="utf-8")
    line = (
        file.read_text(encoding="utf-8").split("\n").index("async def slow_async_operation(name: str, seconds: float) -> str:")
        + 1
    )
    found = check(own, WAIT, runner)
    assert (found.standing, found.cause) == (Standing.WRONG, Cause.BLOCKS)
    assert found.first < found.seconds, "what noise may do is told as probable before it is tried again"
    assert f"variants/mine/waiting.py:{line} slow_async_operation" in found.words
    assert f"variants/mine/waiting.py:{line + 3} in slow_async_operation" in found.words


def test_what_does_not_start_is_told_in_short(own: Mine, runner: Runner) -> None:
    """A server that does not start is not wrong, but not ready; of what it printed the reader's own line is told, and why."""
    solve(own)
    file = own.folder / WAIT.file
    text = file.read_text(encoding="utf-8").replace(
        "async_endpoint(request: web.Request)", "async_endpoint(request: web.Nothing)"
    )
    file.write_text(text, encoding="utf-8")
    line = next(number for number, code in enumerate(text.split("\n"), 1) if "web.Nothing" in code)
    found = check(own, WAIT, runner)
    assert found.standing == Standing.NOT_READY
    first, place, *_, last = found.words.split("\n")
    assert first == "The server does not start:"
    assert place.strip().startswith(f'File "variants/mine/waiting.py", line {line}')
    assert last.startswith("AttributeError")


def test_an_unforeseen_error_is_told_with_its_line(own: Mine, runner: Runner) -> None:
    """Where a handler raised what nobody foresaw stands in the verdict: the reader does not see the server's log."""
    solve(own)
    file = own.folder / WAIT.file
    text = file.read_text(encoding="utf-8").replace("await asyncio.sleep(", "await asyncio.slep(")
    file.write_text(text, encoding="utf-8")
    line = next(number for number, code in enumerate(text.split("\n"), 1) if "asyncio.slep" in code)
    found = check(own, WAIT, runner)
    assert (found.standing, found.cause) == (Standing.WRONG, Cause.CRASHED)
    assert "AttributeError: module 'asyncio' has no attribute 'slep'" in found.words
    assert f"(at variants/mine/waiting.py:{line} in slow_async_operation)" in found.words


def test_an_experiment_is_judged_again_after_all_was_ended(own: Mine) -> None:
    """What tells nothing apart is told of with what it saw; when all was ended in between, the servers are started anew."""
    design = named("tell-them-apart")
    file = own.folder / design.file
    with Runner() as running:
        file.write_text("def requests(wait):\n    return ['/ping']\n\n\ndef verdict(seconds, wait):\n    return 'together'\n")
        found = check(own, design, running)
        assert found.standing == Standing.WRONG
        assert "Of the server of which `blocked` is right it said 'together'" in found.words
        running.close()
        file.write_text(reference.solved(own, design), encoding="utf-8")
        assert check(own, design, running).standing == Standing.SOLVED


@pytest.mark.parametrize(("more", "standing"), [("print('no', end='')", Standing.SOLVED), ("raise SystemExit", Standing.WRONG)])
def test_what_an_experiment_prints_is_no_verdict(own: Mine, more: str, standing: Standing) -> None:
    """It may print what it likes; one that ends before it has said anything is told so."""
    design = named("tell-them-apart")
    (own.folder / design.file).write_text(f"{reference.solved(own, design)}\n\n{more}\n", encoding="utf-8")
    with Runner() as running:
        found = check(own, design, running)
    assert found.standing == standing
    assert standing == Standing.SOLVED or "it ended without a word" in found.words


def test_a_run_that_hangs_is_ended_and_says_so(own: Mine) -> None:
    """A run without an end is given up, in words; the next one has a new process."""
    solve(own)
    with Runner() as running:
        with pytest.raises(RunError, match="hangs"):
            running.run(own.root, ["tests/test_waiting.py::test_async_does_not_block"], longest=0.1)
        assert check(own, WAIT, running).standing == Standing.SOLVED


def test_once_says_all_in_plain_text(own: Mine, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal, place, verdict, progress and what comes next; 1 until it is solved, and then 0, with the next exercise open."""
    assert once(own, load(own)) == 1
    said = capsys.readouterr().out
    for part in (
        WAIT.goal,
        "variants/mine/waiting.py:",
        "Not written yet",
        "Predict first",
        f"0 of {len(own.exercises())} solved",
        "Next: write, save",
    ):
        assert part in said
    solve(own)
    assert once(own, load(own)) == 0
    said = capsys.readouterr().out
    assert "Verdict: Solved" in said
    assert "Next: Exercise 2 of" in said
    assert load(own).present == "block-on-purpose"


def test_prediction_and_measurement_stand_side_by_side(own: Mine) -> None:
    """What was expected is kept, what is so is measured on the reference, and the reason is told."""
    kept = Progress()
    told = guess(own, kept, "the-first-event", 3)
    prediction = next(one for one in predictions() if one.name == "the-first-event")
    assert "you said 3 s" in told
    assert prediction.because in told
    assert 0.25 <= load(own).measured["the-first-event"] < 3
    assert predict.due(own, "answers", kept) == [one for one in predictions() if one.name == "a-whole-answer"]


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is so; fail when it is not so soon."""
    deadline = time.monotonic() + SOON
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def shown(screen: Screen) -> str:
    """Return what stands on a screen."""
    return "\n".join(str(screen.query_one(name, Static).content) for name in ("#heading", "#body", "#after"))


def test_the_screen_follows_what_is_saved(own: Mine, runner: Runner) -> None:
    """It begins with the verdict that nothing is written; a save brings a new one; its keys are always there."""
    names = [one.name for one in predictions()]
    kept = Progress(predicted=dict.fromkeys(names), measured=dict.fromkeys(names, 1.0))
    save(own, kept)

    async def use() -> None:
        screen = Screen(Sitting(own, kept), runner)
        async with screen.run_test(size=(120, 40)) as pilot:
            await until(lambda: "nothing is broken" in shown(screen))
            assert {"Hint", "Solution", "Quit"} <= {one.binding.description for one in screen.active_bindings.values()}
            await pilot.press("h", "h")
            assert "Hint 2 of 3" in shown(screen)
            await pilot.press("escape", "l")
            assert "tell-them-apart" in shown(screen)
            solve(own)
            await until(lambda: "Verdict: Solved" in shown(screen))
            await pilot.press("n")
            assert "Exercise 2 of" in shown(screen)
            await until(lambda: screen.sitting.found is not None)
            await pilot.press("ctrl+c")
            assert not screen.is_running

    asyncio.run(use())
    assert list(load(own).solved) == [WAIT.name]


def test_leaving_takes_no_time(own: Mine) -> None:
    """Whoever leaves while something is measured does not wait for it, and what was predicted is kept."""

    async def use() -> None:
        with Runner() as running:
            screen = Screen(Sitting(own, Progress()), running)
            async with screen.run_test(size=(80, 24)) as pilot:
                await pilot.press("6", "enter", "2", "enter", "escape")
                await pilot.press("q")

    began = time.monotonic()
    asyncio.run(use())
    # Right: a moment. Wrong: the three measurements, of six, two and two seconds; what starts up may take another two.
    assert time.monotonic() - began < 10
    assert load(own).predicted == {"three-blocking": 6.0, "three-awaiting": 2.0, "three-in-threads": None}
    assert not load(own).measured


def test_what_is_saved_before_the_predictions_is_looked_at(own: Mine, runner: Runner) -> None:
    """What was not written and is so now waits for the predictions, and is not called unwritten any more."""

    async def use() -> None:
        screen = Screen(Sitting(own, Progress()), runner)
        async with screen.run_test(size=(120, 40)):
            await until(lambda: "Not written yet" in shown(screen))
            solve(own)
            await until(lambda: "It is judged when the predictions are made." in shown(screen))

    asyncio.run(use())


def test_the_screen_asks_for_predictions_first(own: Mine, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a chapter is judged before its predictions are made or declined; a reset has to be asked for twice."""
    judged: list[str] = []

    def note(_: Mine, exercise: object, __: Runner) -> Verdict:
        judged.append(getattr(exercise, "name", ""))
        return Verdict(Standing.UNWRITTEN, "noted")

    monkeypatch.setattr("shared.workbook.exercise.work.glance", lambda *_: None)  # As if it could be run.
    monkeypatch.setattr("shared.workbook.exercise.work.check", note)
    monkeypatch.setattr(runner, "measure", lambda *_: 6.0)

    async def use() -> None:
        screen = Screen(Sitting(own, Progress()), runner)
        async with screen.run_test(size=(120, 40)) as pilot:
            await pilot.press("6", "enter", "2", "enter")
            assert not judged
            await pilot.press("escape")
            await until(lambda: judged == [WAIT.name])
            await until(lambda: "you said 6 s" in shown(screen) and "measured 6.00 s" in shown(screen))
            solve(own)
            await until(lambda: len(judged) == 2)  # A save that is noticed takes the question back.
            await pilot.press("r", "escape", "r")
            assert "await asyncio.sleep" in (own.folder / WAIT.file).read_text(encoding="utf-8")
            await pilot.press("r")
            assert "await asyncio.sleep" not in (own.folder / WAIT.file).read_text(encoding="utf-8")

    asyncio.run(use())
    assert load(own).predicted == {"three-blocking": 6.0, "three-awaiting": 2.0, "three-in-threads": None}

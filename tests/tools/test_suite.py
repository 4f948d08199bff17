"""The program behind `nox -s variant`: it runs the suite, says how it ended, and leaves what is compared."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from shared.lab.family import LEAVE, kill_all, outlived, started_by
from shared.lab.variants import ROOT
from shared.workbook import suite
from shared.workbook.compare.comparison import compare
from shared.workbook.mistakes.busy import busy_processes
from shared.workbook.results import read
from shared.workbook.suite import Job

VARIANT = "aiohttp_asyncio"

UNDER_WAY = 8
"""Processes that a column has started when its experiments are under way: servers, and their services."""

HEARS_CTRL_C = "import pytest, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); sys.exit(pytest.main())"
"""Pytest, as it is in a terminal: what a shell runs in its background ignores a Ctrl-C, with all that it starts."""

COLUMN = """
import sys, time
log, name = sys.argv[1:]
for word, seconds in (("begins", 2.0), ("ends", 0.0)):
    with open(log, "a") as lines:
        lines.write(word + "\\n")
    time.sleep(seconds)
print(name, "has run")
sys.exit(name == "second")
"""
"""What stands for the suite over one variant: it tells when it begins and ends. Two seconds are more than a start takes."""

BEGINS, ENDS = 60.0, 25.0
"""Seconds in which that many are there, and in which a column has ended that was broken off. Right: 3. Wrong: 35, where its
experiments run to their ends."""


def run(folder: Path, choice: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run some of the suite's tests over one variant, with results in a folder."""
    command = [sys.executable, "-m", "shared.workbook.suite", *options, f"{VARIANT}={sys.executable}", "--", "-k", choice]
    environment = {**os.environ, "WORKBOOK_RESULTS": str(folder), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False)  # noqa: S603 - our own


def test_what_the_suite_leaves_is_what_is_compared(tmp_path: Path) -> None:
    """After a run that passes there is a table, and a timeline, a date and versions to compare; the next one begins anew."""
    for choice, name in (("test_async_does_not_block", "/async x 2"), ("test_sync_blocks", "/sync x 2")):
        done = run(tmp_path, choice)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"{VARIANT}: passed" in done.stdout
        assert "What each variant did" in done.stdout
        found = compare(read(tmp_path))
        assert [one["name"] for one in found["experiments"]] == [name]
        result = found["experiments"][0]["results"][VARIANT]
        assert {row["kind"] for row in result["rows"]} == {"request", "operation"}
        assert result["stalls"] or name != "/sync x 2"  # Beside /async a busy machine may be slow for once, which is none.
        assert {"began", "framework", "python"} <= found["columns"][0].keys()


def test_the_stack_alone_is_compared_too(tmp_path: Path) -> None:
    """What is seen of the stack without our code joins what its variant did, which a run of the stacks leaves as it was."""
    for choice, options in (("test_async_does_not_block", []), ("gather_order", ["--stacks"])):
        done = run(tmp_path, choice, *options)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 passed" in done.stdout
        assert ("What each variant did" in done.stdout) == (not options)
    column = read(tmp_path)[VARIANT]
    assert list(column.experiments) == ["/async x 2"]
    assert column.character["gather_order"]["value"] == "of-the-calls"


def collected(*arguments: str) -> list[str]:
    """Return the files whose tests pytest finds with these arguments, once for each test."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--variant", VARIANT, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)  # noqa: S603 - our own command
    return [line.partition("::")[0] for line in done.stdout.splitlines() if "::" in line]


def test_a_named_variant_is_tested_without_its_stack_unless_that_is_asked_for() -> None:
    """What is about the workbook, or a stack alone, is left out; the comparison has both, each test once."""
    usual, stacks, both = collected(), collected("tests/stacks"), collected("tests", "tests/stacks")
    assert not [file for file in usual if file.count("/") > 1]
    assert set(stacks) == {"tests/stacks/test_own_doing.py"}
    assert sorted(both) == sorted(usual + stacks)


@pytest.mark.parametrize(
    ("choice", "said"), [("no_test_has_this_name", "deselected"), ("test_sync_blocks or", "wrong expression")]
)
def test_a_run_that_does_not_pass_is_said_and_told_by_the_exit_code(tmp_path: Path, choice: str, said: str) -> None:
    """Whether no test ran, or pytest understood nothing: the variant is named as failed, and the exit code is not 0."""
    done = run(tmp_path, choice)
    assert done.returncode
    assert f"{VARIANT}: FAILED" in done.stdout
    assert said in (done.stdout + done.stderr).lower()
    assert f"Failed: {VARIANT}" in done.stdout


@pytest.mark.parametrize("name", ["nobody", f"{VARIANT}/"])
def test_a_variant_that_is_not_there_is_told_once(name: str) -> None:
    """And not for each test that would have run over it."""
    command = [sys.executable, "-m", "pytest", "-q", "tests", "--variant", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)  # noqa: S603 - our own
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert (done.stdout + done.stderr).count("There is no variant") == 1


@pytest.mark.parametrize(("room", "most"), [(100.1, 2), (0.0, 3)], ids=["no room", "room"])
def test_one_more_column_begins_where_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: float, most: int
) -> None:
    """Beyond the first few a column waits for room, or for another's end; all are run, and what fails is named."""
    monkeypatch.setattr(suite, "BEGUN_AT_ONCE", 2)
    monkeypatch.setattr(suite, "ROOM", room)
    monkeypatch.setattr(suite, "ROOM_SECONDS", 0.0)
    log = tmp_path / "log"
    todo = [Job(name, [sys.executable, "-c", COLUMN, str(log), name], tmp_path / name) for name in ("first", "second", "third")]
    with (tmp_path / "console").open("w", encoding="utf-8") as file:
        assert suite.run_all(todo, Console(file=file)) == ["second"]
    said, running = log.read_text(encoding="utf-8").split(), [0]
    for word in said:
        running.append(running[-1] + (1 if word == "begins" else -1))
    assert max(running) == most, said
    assert said.count("begins") == said.count("ends") == len(todo)
    printed = (tmp_path / "console").read_text(encoding="utf-8")
    assert [printed.count(f"{name} has run") for name in ("first", "second", "third")] == [1, 1, 1]


def test_a_busy_machine_has_no_room_for_one_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not as long as each processor is busy; for the first few there is room all the same."""
    monkeypatch.setattr(suite, "ROOM_SECONDS", 1.0)
    with busy_processes(2 * (os.cpu_count() or 1)):
        room = suite.Room()
        time.sleep(suite.ROOM_SECONDS)
        assert not room.for_one_more_than(suite.BEGUN_AT_ONCE)
        assert room.for_one_more_than(suite.BEGUN_AT_ONCE - 1)


@pytest.mark.skipif(sys.platform == "win32", reason="there a Ctrl-C cannot be sent to one group of processes alone")
def test_a_ctrl_c_ends_all_of_it(tmp_path: Path) -> None:
    """It ends soon, whatever experiments are under way, and leaves no process behind."""
    command = [sys.executable, "-c", HEARS_CTRL_C, "-q", "tests", "--variant", VARIANT]
    environment = {**os.environ, "WORKBOOK_RESULTS": str(tmp_path)}
    with subprocess.Popen(  # noqa: S603 - our own
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as column:
        try:
            deadline = time.monotonic() + BEGINS
            while len(started_by(column.pid)) < UNDER_WAY and column.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
            family, pressed = started_by(column.pid), time.monotonic()
            os.killpg(column.pid, signal.SIGINT)
            said, _ = column.communicate(timeout=BEGINS)
            took = time.monotonic() - pressed
        finally:
            if column.poll() is None:
                kill_all(column.pid, [])
                column.kill()
    assert len(family) >= UNDER_WAY, said
    assert column.returncode == pytest.ExitCode.INTERRUPTED, said
    assert took < ENDS, f"it ended {took:.1f} s later"
    assert not outlived(family, LEAVE)

"""The table: what the last run of each variant saw, in an order that a reader can follow."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from shared.lab.variants import groups, named
from shared.lesson.contract import ENDPOINTS
from shared.workbook.table import main, read, table

FIRST, SECOND, *_ = groups()


def keep(folder: Path, file: str, *lines: dict[str, object]) -> None:
    """Leave lines of results, as the suite does."""
    with (folder / file).open("a", encoding="utf-8") as kept:
        kept.writelines(json.dumps(line) + "\n" for line in lines)


def saw(variant: str, experiment: str, seconds: float = 0.2, **more: object) -> dict[str, object]:
    """Return the line of an experiment."""
    return {"variant": variant, "experiment": experiment, "seconds": seconds, "verdict": "together", **more}


def printed(folder: Path) -> list[list[str]]:
    """Return the words of each line of the table, without those that are empty."""
    console = Console(width=500)
    with console.capture() as capture:
        console.print(table(read(folder)))
    return [line.split() for line in capture.get().splitlines() if line.split()]


def test_columns_stand_in_the_order_of_the_groups(tmp_path: Path) -> None:
    """Variants stand as in `pyproject.toml`, a second event loop beside the first, one without a group behind all."""
    labels = [label for name in groups() for label in (name, f"{name}-other")] + ["aaa", "aaa-other"]
    for label in sorted(labels, reverse=True):
        keep(tmp_path, f"{label}.jsonl", saw(label, "/async x 2"))
    assert list(read(tmp_path)) == labels
    assert labels in printed(tmp_path)


def test_rows_stand_in_the_order_of_the_lesson(tmp_path: Path) -> None:
    """Experiments stand in the order of the endpoints, fewer requests before more, and what the lesson does not have last."""
    paths = [endpoint.path for endpoint in ENDPOINTS[1:]]
    rows = [f"{path}{suffix}" for path in paths for suffix in ("", " x 2", " x 10", ", then another")] + ["/aaa x 2"]
    keep(tmp_path, "x.jsonl", *(saw(FIRST, row) for row in sorted(rows)))
    assert [" ".join(line[:-2]) for line in printed(tmp_path) if line[-2:] == ["0.20", "together"]] == rows


def test_only_the_last_run_of_a_variant_counts(tmp_path: Path) -> None:
    """What an earlier run saw is gone, whichever file it stands in; other variants keep their own last run."""
    keep(tmp_path, "z-1.jsonl", saw(FIRST, "/sync x 2", 0.1, run=7.0), saw(FIRST, "/async x 2", 0.1, run=7.0))
    keep(tmp_path, "a-2.jsonl", saw(FIRST, "/async x 2", 0.3, run=8.0), saw(SECOND, "/sync x 2", 0.4, run=5.0))
    keep(tmp_path, "z-3.jsonl", saw(FIRST, "/parallel", 0.5, run=8.0))
    keep(tmp_path, "z-1.jsonl", saw(FIRST, "/sequential", 0.1, run=7.0))
    known = read(tmp_path)
    assert known[FIRST]["verdicts"] == {"/async x 2": (0.3, "together"), "/parallel": (0.5, "together")}
    assert known[SECOND]["verdicts"] == {"/sync x 2": (0.4, "together")}
    assert ["/sync", "x", "2", "not", "run", "0.40", "together"] in printed(tmp_path)


def test_a_line_that_does_not_name_its_run_is_older(tmp_path: Path) -> None:
    """Lines without a run count only where there are no others."""
    keep(tmp_path, "a.jsonl", saw(FIRST, "/async x 2", run=1.0), saw(SECOND, "/sync x 2"), saw(FIRST, "/sync x 2"))
    assert [list(variant["verdicts"]) for variant in read(tmp_path).values()] == [["/async x 2"], ["/sync x 2"]]


def test_it_says_what_a_variant_ran_on(tmp_path: Path) -> None:
    """Framework, event loop and server stand above the experiments; a variant that did not get so far has none."""
    identity = {"framework": "frame 1", "event_loop": "loop 2", "server": "serv 3"}
    keep(tmp_path, "a.jsonl", {"variant": FIRST, "identity": identity}, saw(SECOND, "/sync x 2"))
    lines = printed(tmp_path)
    assert lines[3:6] == [["framework", "frame", "1"], ["event", "loop", "loop", "2"], ["server", "serv", "3"]]
    assert lines[6] == ["/sync", "x", "2", "not", "run", "0.20", "together"]


def test_without_results_it_says_what_to_run(tmp_path: Path) -> None:
    """Before the first run there is no table, but a sentence that says how to get one."""
    with pytest.raises(SystemExit, match="run nox -s variant first"):
        main(tmp_path)


def test_a_pipe_gets_a_width_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a pipe the names of all variants stand whole, however narrow the terminal."""
    labels = [variant.label for name in groups() for variant in named(name)]
    keep(tmp_path, "a.jsonl", *(saw(label, "/async x 2") for label in labels))
    main(tmp_path)
    assert labels in [line.split() for line in capsys.readouterr().out.splitlines()]

"""The table: what the last run of each variant saw, in an order that a reader can follow."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from shared.lab.variants import groups, named
from shared.lesson.contract import ENDPOINTS
from shared.workbook.results import read
from shared.workbook.table import main, table

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
    keep(tmp_path, f"{FIRST}.jsonl", *(saw(FIRST, row) for row in sorted(rows)))
    assert [" ".join(line[:-2]) for line in printed(tmp_path) if line[-2:] == ["0.20", "together"]] == rows


def test_what_a_variant_did_not_run_is_said(tmp_path: Path) -> None:
    """Each variant keeps its own last run; an experiment that it did not get to is shown as not run."""
    keep(tmp_path, f"{FIRST}.jsonl", saw(FIRST, "/async x 2", 0.3))
    keep(tmp_path, f"{SECOND}.jsonl", saw(SECOND, "/sync x 2", 0.4))
    assert ["/sync", "x", "2", "not", "run", "0.40", "together"] in printed(tmp_path)


def test_it_says_what_a_variant_ran_on(tmp_path: Path) -> None:
    """Framework, event loop and server stand above the experiments; a variant that did not get so far has none."""
    identity = {"framework": "frame 1", "event_loop": "loop 2", "server": "serv 3"}
    keep(tmp_path, f"{FIRST}.jsonl", {"variant": FIRST, "identity": identity})
    keep(tmp_path, f"{SECOND}.jsonl", saw(SECOND, "/sync x 2"))
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
    for label in labels:
        keep(tmp_path, f"{label}.jsonl", saw(label, "/async x 2"))
    main(tmp_path)
    assert labels in [line.split() for line in capsys.readouterr().out.splitlines()]

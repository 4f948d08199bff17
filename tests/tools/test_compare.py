"""The comparison: all that the suite saw stands in it, as data and as a page that needs nothing else."""

import json
import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from shared.lab import traits, variants
from shared.lab.variants import groups
from shared.lesson.character import TRAITS
from shared.workbook.compare.__main__ import main
from shared.workbook.compare.comparison import SCHEMA, compare
from shared.workbook.compare.page import code, place, render
from shared.workbook.results import read

FIRST, SECOND, *_ = groups()
NASTY = "<script>alert('&')</script>"


def bar(start: float, end: float, name: str = "/async?seconds=0.2", kind: str = "request") -> dict[str, object]:
    """Return a row of a timeline."""
    return {"start": start, "end": end, "name": name, "kind": kind}


def leave(folder: Path, label: str, *lines: dict[str, object]) -> None:
    """Leave results in a folder, as the suite does."""
    text = "".join(json.dumps({"variant": label, **line}) + "\n" for line in lines)
    (folder / f"{label}.jsonl").write_text(text, encoding="utf-8")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Leave what two variants did: one ran all, the other failed in one test, and declares something else than was seen."""
    folder = tmp_path / "results"
    folder.mkdir()
    timeline = {"rows": [bar(0, 0.2), bar(0, 0.4, NASTY, "broken off")], "more": 3, "stalls": [{"start": 0.1, "end": 0.3}]}
    identity = {"framework": "one 1.0", "event_loop": "asyncio 3", "server": "one 1.0", "python": "3"}
    stated = traits.declared(variants.named(FIRST)[0])
    character: list[dict[str, object]] = [{"trait": key, "value": value, "evidence": "seen"} for key, value in stated.items()]
    leave(
        folder,
        FIRST,
        {"began": "2026-01-01T00:00:00+00:00"},
        {"identity": identity},
        *character,
        {"experiment": "/async x 2", "seconds": 0.4, "verdict": "together", **timeline},
        {"experiment": "/parallel", "seconds": 0.2, "verdict": "together"},
    )
    leave(
        folder,
        SECOND,
        {"identity": identity},
        {"experiment": "/async x 2", "seconds": 0.8, "verdict": "together", "rows": [bar(0, 0.8)]},
        {"failed": "tests/test_x.py::test_y", "cause": "blocks", "message": NASTY},
        {"trait": "head", "value": "something-else", "evidence": NASTY},
    )
    return folder


def made(results: Path, capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], str, str]:
    """Run the command, and return the data, the page, and what was printed."""
    main(["--into", str(results.parent / "out")], results)
    out = results.parent / "out"
    data: dict[str, Any] = json.loads((out / "compare.json").read_text(encoding="utf-8"))
    return data, (out / "compare.html").read_text(encoding="utf-8"), capsys.readouterr().out


def test_the_data_hold_all_that_was_seen(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Versions, machine, date; each experiment with its chapter and timeline; each trait with what was seen and declared."""
    data, _, _ = made(results, capsys)
    assert data["schema"] == SCHEMA
    assert datetime.fromisoformat(data["made"]).tzinfo
    assert [column["began"] for column in data["columns"]] == ["2026-01-01T00:00:00+00:00", ""]
    assert data["machine"].keys() == {"system", "machine", "processors"}
    assert [(column["label"], column["framework"], len(column["failures"])) for column in data["columns"]] == [
        (FIRST, "one 1.0", 0),
        (SECOND, "one 1.0", 1),
    ]
    assert [(one["name"], one["chapter"], list(one["results"])) for one in data["experiments"]] == [
        ("/async x 2", "waiting", [FIRST, SECOND]),
        ("/parallel", "together", [FIRST]),
    ]
    assert data["experiments"][0]["results"][FIRST]["rows"][1] == bar(0, 0.4, NASTY, "broken off")
    assert [trait["key"] for trait in data["character"]] == list(TRAITS)
    head = next(trait for trait in data["character"] if trait["key"] == "head")
    assert (head["seen"][SECOND]["value"], head["differs"]) == ("something-else", True)
    assert head["declared"][SECOND] in TRAITS["head"].values
    assert head["values"].keys() == head["sources"].keys() == TRAITS["head"].values.keys()


class Page(HTMLParser):
    """Collects what a page refers to, and its elements' classes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.refers: list[str] = []
        self.leads: list[str] = []
        self.wrong = 0

    def handle_starttag(  # type: ignore[explicit-override]  # Python 3.11 has no `override` yet.
        self, tag: str, attrs: list[tuple[str, str | None]]
    ) -> None:
        """Note an element."""
        self.tags.append(tag)
        found = [value or "" for name, value in attrs if name in {"href", "src"}]
        out = [target for target in found if tag == "a" and target.startswith("https://")]  # Opened when somebody follows it.
        self.leads += out
        self.refers += [target for target in found if target not in out]
        self.wrong += ("class", "wrong") in attrs


def test_the_page_needs_nothing_else_and_hides_nothing(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It refers to itself alone, but for links to read on; text is text; what failed or is declared otherwise is marked."""
    _, text, _ = made(results, capsys)
    page = Page()
    page.feed(text)
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert page.refers
    assert page.leads
    assert all(re.fullmatch(r"#\w+", target) and f'id="{target[1:]}"' in text for target in page.refers)
    assert "url(" not in text
    assert NASTY not in text
    assert page.wrong == 2
    assert "not run, or failed" in text


def test_stacks_stand_on_one_axis(results: Path) -> None:
    """The same stretch of time is as wide on every stack: the longest of an experiment is the whole width."""
    text = render(compare(read(results)))
    widths = re.findall(r'title="/async\?seconds=0.2: [\d. to]+ s"', text)
    assert len(widths) == 2
    styles = re.findall(r'style="left:0.00%;width:([\d.]+)%" title="/async', text)
    assert styles == ["25.00", "100.00"]


@pytest.mark.parametrize(
    ("start", "end", "style"),
    [
        (0, 1, "left:0.00%;width:50.00%"),
        (-1, 1, "left:0.00%;width:50.00%"),
        (1.99, 9, "left:99.50%;width:0.50%"),
        (2, 2, "left:99.70%;width:0.30%"),
    ],
)
def test_no_bar_leaves_its_axis(start: float, end: float, style: str) -> None:
    """What began before the experiment, or ends after it, is cut off there."""
    assert place({"start": start, "end": end}, 2.0) == style


def test_what_stands_between_backticks_is_code() -> None:
    """The rest is text, whatever it looks like."""
    assert code("`a<b` and <i>") == "<code>a&lt;b</code> and &lt;i&gt;"


def test_the_tables_are_printed(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The terminal shows the verdicts, what was not run, the character, and where the page is."""
    _, _, printed = made(results, capsys)
    for word in ("0.40  together", "not run", "something else", "file://", "compare.json"):
        assert word in printed


def test_without_results_there_is_a_message(tmp_path: Path) -> None:
    """The command ends, says what to run first, and writes nothing."""
    with pytest.raises(SystemExit, match="nox -s compare"):
        main(["--into", str(tmp_path / "out")], tmp_path)
    assert not (tmp_path / "out").exists()

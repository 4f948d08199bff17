"""The side-by-side reader: what it finds, how it lays it out, and what it says when there is nothing to show."""

import os
import re
import subprocess
import sys
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest
from rich.console import Console

from shared.lesson.contract import ENDPOINTS, Endpoint
from shared.workbook.read import main, show
from shared.workbook.source import SourceError, choose, find, variants

ROOT = Path(__file__).parents[2]

PYPROJECT = """
[dependency-groups]
zebra_loop = []
other = []
aardvark_loop = []
aardvark_thread = []
without_app = []
"""

WAITING = """import a_framework_that_nobody_has


async def slow_async_operation(name, seconds):
    await nap(seconds)  # {name}
"""

TOGETHER = '''"""Together."""

routes = []


@routes.get(
    "/parallel",
)
@twice
async def parallel_endpoint(request):
    """Wait."""

    # Blank lines and brackets stay: [bold] as they are.
    return await gather({name!r})


def after():
    pass
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a project of three variants that nobody can import, one of a reader's own, and two other folders."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    for name in ("aardvark_loop", "aardvark_thread", "mine", "zebra_loop"):
        add(tmp_path, name, "app", "app = None\n")
        add(tmp_path, name, "waiting", WAITING.format(name=name))
        add(tmp_path, name, "together", TOGETHER.format(name=name))
    add(tmp_path, "without_app", "waiting", WAITING)
    (tmp_path / "variants" / "__pycache__").mkdir()
    return tmp_path


def add(root: Path, variant: str, module: str, text: str) -> None:
    """Write a module of a variant."""
    folder = root / "variants" / variant
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module}.py").write_text(text, encoding="utf-8")


def drawn(root: Path, what: str, names: list[str], width: int) -> list[str]:
    """Return the lines that a terminal of that width would show."""
    console = Console(width=width, file=StringIO(), color_system=None)
    show(names, find(what, names, root), console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the reader as a person does, with its output in a pipe."""
    changed = {"FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS", "PYTHONIOENCODING"}
    inherited = {name: value for name, value in os.environ.items() if name not in changed}
    return subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-m", "shared.workbook.read", *arguments],
        cwd=ROOT,
        env={**inherited, "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


def test_variants_stand_in_the_order_of_pyproject(root: Path) -> None:
    """Without names, all folders with a group and an app.py are shown, in the order of the groups; others are not."""
    assert variants(root) == ["zebra_loop", "aardvark_loop", "aardvark_thread"]
    assert choose([], root) == variants(root)


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["zebra"], ["zebra_loop"]),
        (["mine"], ["mine"]),
        (["aardvark_t", "zebra_loop", "z"], ["aardvark_thread", "zebra_loop"]),
    ],
    ids=["shortened", "a reader's own", "one of them twice"],
)
def test_variants_are_named_in_full_or_by_their_beginning(root: Path, names: list[str], chosen: list[str]) -> None:
    """A beginning is enough where only one variant has it; each variant is shown once, in the order of the names."""
    assert choose(names, root) == chosen


def test_a_full_name_is_never_ambiguous(root: Path) -> None:
    """A name that is also the beginning of another is that variant's."""
    add(root, "mine_too", "app", "")
    assert choose(["mine"], root) == ["mine"]


def test_an_endpoint_is_shown_with_its_decorators_and_its_operation(root: Path) -> None:
    """The function is shown from its first decorator to its last line, and below it what it waits with."""
    [[function], [operation]] = find("/parallel?seconds=1", ["mine"], root)
    assert function
    assert operation
    assert function.place == "variants/mine/together.py:6"
    assert function.code == "\n".join(TOGETHER.format(name="mine").split("\n")[5:14])
    assert operation.place == "variants/mine/waiting.py:4"
    assert operation.code == "async def slow_async_operation(name, seconds):\n    await nap(seconds)  # mine"


def test_the_module_of_the_contract_comes_first(root: Path) -> None:
    """Of two functions with one name, the endpoint's is the one in its own module, whatever precedes that."""
    add(root, "mine", "waiting", "def parallel_endpoint(): pass\n")
    [[function], _] = find("/parallel", ["mine"], root)
    assert function
    assert function.place == "variants/mine/together.py:6"


def test_an_endpoint_is_a_function_never_a_module(root: Path) -> None:
    """An endpoint whose function is called like one of a reader's modules shows the function."""
    add(root, "mine", "ping", "x = 1\n\ndef ping(): pass\n")
    [[function]] = find("/ping", ["mine"], root)
    assert function
    assert function.place == "variants/mine/ping.py:3"


@pytest.mark.parametrize("what", ["together.py", "together"])
def test_a_module_is_shown_whole(root: Path, what: str) -> None:
    """A module's name, with or without its ending, gives the whole file from line 1."""
    [[piece]] = find(what, ["mine"], root)
    assert piece
    assert piece.place == "variants/mine/together.py:1"
    assert piece.code == TOGETHER.format(name="mine").rstrip()


def test_a_function_is_found_wherever_it_stands(root: Path) -> None:
    """A function's name gives that function, also from a module that is not the lesson's; None where there is none."""
    add(root, "mine", "zz_extra", "x = 1\ndef lonely(): pass\n")
    [[absent, present]] = find("lonely", ["zebra_loop", "mine"], root)
    assert absent is None
    assert present
    assert present.place == "variants/mine/zz_extra.py:2"


def test_signs_that_end_no_line_in_python_end_none_here(root: Path) -> None:
    """A form feed or a Unicode line separator inside a file does not shift what is shown."""
    add(root, "mine", "zz_extra", "text = '\u2028'\n\x0c\ndef lonely():\n    return '\u2028'\n")
    [[piece]] = find("lonely", ["mine"], root)
    assert piece
    assert piece.code == "def lonely():\n    return '\u2028'"


def test_columns_stand_side_by_side_where_they_fit(root: Path) -> None:
    """Wide enough for all variants: one table, whose rows hold all; too narrow for two: one below the other."""
    names = ["zebra_loop", "aardvark_loop"]
    code = "return await gather('{}')"
    wide = [line for line in drawn(root, "/parallel", names, 200) if code.format(names[0]) in line]
    assert code.format(names[1]) in wide[0], f"Not side by side: {wide}"
    narrow = "\n".join(drawn(root, "/parallel", names, 70))
    assert narrow.index("aardvark_loop") > narrow.index("# zebra_loop"), f"Not one below the other:\n{narrow}"


def test_functions_and_operations_start_on_one_line(root: Path) -> None:
    """Beside each other, the operations start in one line, below a rule, even where a function above is shorter."""
    add(root, "mine", "together", "def parallel_endpoint(): pass\n")
    lines = drawn(root, "/parallel", ["zebra_loop", "mine"], 200)
    first = next(number for number, line in enumerate(lines) if "waiting.py:4" in line)
    assert lines[first].count("waiting.py:4") == 2
    assert lines[first - 1].startswith("├")


def test_a_column_is_given_up_before_code_is_wrapped(root: Path) -> None:
    """Two columns stand where the longest line fits twice, with the table's borders; one character less, and one does."""
    add(root, "mine", "together", f"def parallel_endpoint():\n    return {'x' * 49}\n")
    # Twice 60 characters, two spaces beside each, and three borders.
    beside, below = (drawn(root, "/parallel", ["mine", "mine"], width) for width in (127, 126))
    assert sum(line.count(f"return {'x' * 49}") for line in beside) == 2
    assert len(below) > len(beside)


def test_four_are_laid_out_two_by_two(root: Path) -> None:
    """Where three of four would fit, they stand in two rows of two, and no line of code is wrapped."""
    # The longest line here is a comment of 58 characters; with borders three columns need 184, four need 245.
    lines = drawn(root, "/parallel", ["zebra_loop", "aardvark_loop", "aardvark_thread", "mine"], 190)
    headings = [re.findall(r"\w+", line) for line in lines if re.fullmatch(r"│( \w+ +│)+", line)]
    assert headings == [["zebra_loop", "aardvark_loop"], ["aardvark_thread", "mine"]]
    assert sum(line.count("# Blank lines and brackets stay: [bold] as they are. ") for line in lines) == 4


@pytest.mark.parametrize("width", [200, 100, 60, 30, 8])
def test_no_line_is_wider_than_the_terminal(root: Path, width: int) -> None:
    """Whatever the width, nothing sticks out, and no character of the code is lost."""
    lines = drawn(root, "together", ["zebra_loop", "mine"], width)
    assert max(map(len, lines)) <= width
    signs = re.sub(r"[\s│╭╮╰╯─├┤┬┴┼]", "", "".join(drawn(root, "together", ["mine"], width)))
    assert signs.endswith(re.sub(r"\s", "", TOGETHER.format(name="mine")))


def test_the_rest_of_a_wrapped_line_is_indented(root: Path) -> None:
    """What is left of a long line stands further in than its beginning, so that it is not taken for a line of its own."""
    add(root, "mine", "together", "def parallel_endpoint():\n    return first_word + second_word + third_word\n")
    lines = [line.strip("│").rstrip() for line in drawn(root, "/parallel", ["mine"], 45)]
    assert lines[4:7] == [" def parallel_endpoint():", "     return first_word + second_word +", "         third_word"]


def test_a_variant_without_it_says_so(root: Path) -> None:
    """One variant that lacks the function does not keep the others from being shown."""
    add(root, "mine", "together", "")
    text = "\n".join(drawn(root, "/parallel", ["zebra_loop", "mine"], 200))
    assert "gather('zebra_loop')" in text
    assert "not in variants/mine" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/nowhere"], ["/nowhere", "/parallel", "/search-demo"]),
        (["nothing"], ["nothing", "/parallel", "together.py", "parallel_endpoint", "slow_async_operation"]),
        (["/async"], ["async_endpoint", "zebra_loop", "parallel_endpoint"]),
        (["/parallel", "nobody"], ["nobody", "zebra_loop", "aardvark_loop", "mine"]),
        (["/parallel", "aard"], ["aard ", "aardvark_loop", "aardvark_thread"]),
    ],
    ids=["endpoint", "function or module", "endpoint that no variant has", "variant", "ambiguous variant"],
)
def test_an_error_says_in_one_line_what_there_is(
    root: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: list[str]
) -> None:
    """What cannot be shown ends with code 2 and one line on stderr, which names it and what there is."""
    assert main(arguments, root) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert [word for word in words if word not in printed.err] == [], printed.err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"x = 1\ndef parallel_endpoint(:\n", "together.py:2: invalid syntax"),
        (b"# coding: klingon\n", "klingon"),
        (b"x = '\xff'\n", "encoding"),
        (b"x = 1\n" * 1000 + b"x = '\xff'\n", "can't decode"),
        (b"x = '\0'\n", "null bytes"),
    ],
    ids=["syntax", "unknown encoding", "not in its encoding", "further down", "null bytes"],
)
def test_a_broken_file_is_named(root: Path, capsys: pytest.CaptureFixture[str], content: bytes, words: str) -> None:
    """A file that Python cannot read ends with code 2 and one line that names the file and the reason."""
    (root / "variants" / "mine" / "together.py").write_bytes(content)
    assert main(["/parallel", "mine"], root) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("variants/mine/together.py:")
    assert words in printed.err
    assert printed.err.count("\n") == 1


def test_a_broken_file_does_not_hide_the_others(root: Path) -> None:
    """A module is shown though another module of the variant is broken."""
    add(root, "mine", "waiting", "def (")
    [[piece]] = find("together", ["mine"], root)
    assert piece
    with pytest.raises(SourceError, match=re.escape("variants/mine/waiting.py:1")):
        find("slow_async_operation", ["mine"], root)


def test_without_an_argument_it_lists_what_there_is() -> None:
    """Alone, the command lists each endpoint with its function and its file, and the variants."""
    done = start()
    assert done.returncode == 0
    lines = [line.split() for line in done.stdout.splitlines()]
    for row in ENDPOINTS:
        assert [row.method, row.path, row.function, f"{row.module}.py"] in lines
    assert ["Variants:", *variants()] in lines


def test_a_pipe_gets_plain_text_of_a_hundred_columns() -> None:
    """In a pipe there are no escape codes, and the width is 100, or what COLUMNS says."""
    done, narrow = start("app.py", variants()[0]), start("app.py", variants()[0], COLUMNS="60")
    assert "\x1b" not in done.stdout + narrow.stdout
    assert max(map(len, done.stdout.splitlines())) == 100
    assert max(map(len, narrow.stdout.splitlines())) == 60


def test_a_pipe_without_unicode_gets_what_it_can_show(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the output cannot hold a character, as in a pipe on Windows, a plain one takes its place; nothing fails."""
    add(root, "mine", "zz_extra", "tea = '\u8336'\n")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    raw = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(raw, encoding="ascii"))
    assert main(["zz_extra", "mine"], root) == 0
    assert b"| tea = '?' " in raw.getvalue()


def test_a_terminal_gets_colours(root: Path) -> None:
    """On a terminal the code is highlighted."""
    console = Console(width=100, file=StringIO(), force_terminal=True, color_system="standard", no_color=False)
    show(["mine"], find("/parallel", ["mine"], root), console)
    assert isinstance(console.file, StringIO)
    assert re.search(r"\x1b\[[\d;]+mawait\x1b", console.file.getvalue())


def test_a_reader_that_stops_early_is_no_error() -> None:
    """Closing the pipe, as `head` does, ends the command without a word."""
    command = [sys.executable, "-m", "shared.workbook.read", "app.py"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as reader:  # noqa: S603 - our own
        assert reader.stdout
        assert reader.stderr
        reader.stdout.close()
        assert reader.stderr.read() == ""


@pytest.mark.parametrize("row", ENDPOINTS, ids=lambda row: row.path)
def test_every_endpoint_is_found_in_every_variant(row: Endpoint) -> None:
    """Each variant's folder that has an app.py holds each endpoint's function in its module, and what it waits with."""
    names = sorted({*variants(), *(file.parent.name for file in ROOT.glob("variants/*/app.py"))})
    functions, *operations = find(row.path, names)
    places = {name: piece.place.rpartition(":")[0] if piece else None for name, piece in zip(names, functions, strict=True)}
    assert places == {name: f"variants/{name}/{row.module}.py" for name in names}
    assert len(operations) == bool(row.operation)
    assert all(all(found) for found in operations), f"{row.operation} is missing in a variant: {operations}"

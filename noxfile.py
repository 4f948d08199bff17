"""The menu: `nox --list` shows it, `nox -s NAME` runs one job, and what follows `--` goes to that job."""

import itertools
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
# uv makes an environment in a blink; virtualenv makes the same one where uv is not installed.
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["variant"]

PROJECT = nox.project.load_toml("pyproject.toml")
HOMES = ("variants", "shared/workbook/examples")
VARIANTS, EXAMPLES = ([group for group in PROJECT["dependency-groups"] if Path(home, group).is_dir()] for home in HOMES)
READY: dict[str, str] = {}  # The interpreter of each environment that a session has made ready in this run.
COMPARED: list[str] = []  # Likewise, what `compare` wants made of the suite's results.
CHROMA: list[str] = []  # Likewise, the program of the Chroma server.
LINTED = ["variants", "shared", "tests", "noxfile.py"]


def install(session: nox.Session, *groups: str) -> None:
    """Install dependency groups, in the versions that constraints.txt pins."""
    requirements = {name for group in groups for name in nox.project.dependency_groups(PROJECT, group)}
    # Compiled once, here, and not by a hundred servers that start side by side: pip does so by itself, uv where it is asked to.
    session.install("--constraint", "constraints.txt", *sorted(requirements), env={"UV_COMPILE_BYTECODE": "1"})


def chosen(session: nox.Session) -> tuple[str, str, list[str]]:
    """Return the variant that the command line names, the package it is in, and what follows it."""
    name, *rest = session.posargs or [""]
    home = next((home for home in HOMES if Path(home, name, "serve.py").is_file()), "")
    if not home:
        session.error(f"Name a variant: nox -s {session.name} -- NAME, one of {', '.join([*VARIANTS, *EXAMPLES])}")
    return name, f"{home.replace('/', '.')}.{name}", rest


def named(session: nox.Session) -> list[str]:
    """Return the variants with whose names the command line begins; what follows them is pytest's."""
    return list(itertools.takewhile({*VARIANTS, *EXAMPLES}.__contains__, session.posargs))


def leave_out(session: nox.Session, name: str, kind: list[str], other: str) -> None:
    """Skip a session whose variant is not among those that the command line names; say where one of the `other` kind is run."""
    wanted = named(session)
    if wanted and not set(wanted) & set(kind):
        session.error(f"{wanted[0]} is none of {', '.join(kind)}: run nox -s {other} -- {wanted[0]}")
    if wanted and name not in wanted:
        session.skip("another one is named")


@nox.session
@nox.parametrize("name", [nox.param(name, id=name) for name in VARIANTS])
def variant(session: nox.Session, name: str) -> None:
    """Run the shared suite over each variant, in an environment of its own; then one table: [-- NAME ...]."""
    leave_out(session, name, VARIANTS, "example")
    install(session, name, "suite")
    READY[name] = str(Path(session.bin, "python"))
    # The tests mostly wait, so those of all variants run side by side, as soon as every environment is ready.
    session.notify("suite")


@nox.session(default=False)
@nox.parametrize("name", [nox.param(name, id=name) for name in EXAMPLES])
def example(session: nox.Session, name: str) -> None:
    """Run the shared suite over the lesson on another framework; `nox -s variant example` sets it beside the others."""
    leave_out(session, name, EXAMPLES, "variant")
    install(session, name, "suite")
    READY[name] = str(Path(session.bin, "python"))
    session.notify("suite")


@nox.session(default=False)
def suite(session: nox.Session) -> None:
    """Run the shared suite in the environments that `variant` or `example` has made ready, and print the table; they call it."""
    if not READY:
        session.error("Nothing is ready: run nox -s variant")
    install(session, "workbook")
    ready = [f"{name}={python}" for name, python in READY.items()]
    # Time enough to end, in good order, what it has started.
    command = ("python", "-m", "shared.workbook.suite", *COMPARED, *ready, "--", *session.posargs[len(named(session)) :])
    session.run(*command, interrupt_timeout=15, terminate_timeout=15)


@nox.session(default=False)
def stacks(session: nox.Session) -> None:
    """Show on minimal applications, without our code, that what is stated of a stack is its own doing: [-- NAME ...]."""
    install(session, *VARIANTS, *EXAMPLES, "suite", "workbook")
    names = named(session)
    python = Path(session.bin, "python")
    ready = [f"{name}={python}" for name in names or [*VARIANTS, *EXAMPLES]]
    command = ("python", "-m", "shared.workbook.suite", "--stacks", *ready, "--", *session.posargs[len(names) :])
    session.run(*command, interrupt_timeout=15, terminate_timeout=15)


@nox.session(default=False, venv_backend="none")
def compare(session: nox.Session) -> None:
    """Run every experiment on every variant, and set them side by side: as tables, as compare.json and as compare.html."""
    if session.posargs:
        session.error("It compares everything, so nothing can be chosen: run nox -s compare")
    COMPARED.append("--compare")
    for name in VARIANTS:
        session.notify(f"variant({name})")


@nox.session(default=False)
def declared(session: nox.Session) -> None:
    """Write the README's table of where the stacks differ, and the answers of the page on choosing, from what is declared."""
    install(session, "workbook")
    session.run("python", "-m", "shared.workbook.declared")
    session.run("python", "-m", "shared.workbook.choosing")


@nox.session(default=False)
def table(session: nox.Session) -> None:
    """Print what the last runs of the suite saw, as one table."""
    install(session, "workbook")
    session.run("python", "-m", "shared.workbook.table")


@nox.session(default=False)
def serve(session: nox.Session) -> None:
    """Serve a variant with its upstreams: nox -s serve -- aiohttp_asyncio [--port N] [--reload]."""
    name, package, rest = chosen(session)
    install(session, *([name] if name in {*VARIANTS, *EXAMPLES} else VARIANTS), "upstream")
    session.run("python", "-m", f"{package}.serve", *rest)


@nox.session(default=False)
def read(session: nox.Session) -> None:
    """Show the function behind an endpoint in all variants, side by side: nox -s read -- /parallel [NAME ...]."""
    install(session, "workbook")
    session.run("python", "-m", "shared.workbook.read", *session.posargs)


@nox.session(default=False, venv_backend="none")
def coffee(session: nox.Session) -> None:
    """Run the coffee shop: one after another, then together, before any server."""
    session.run("python", "-m", "shared.workbook.coffee", external=True)


@nox.session(default=False)
def exercise(session: nox.Session) -> None:
    """Write your own: nox -s exercise -- start fastapi, then nox -s exercise [-- --once | list | hint | ...]."""
    install(session, *VARIANTS, "suite", "workbook")
    # What is not solved is no failure of the session; only --once, which a CI may ask, says so by its code.
    codes = [0] if "--once" in session.posargs else [0, 1]
    command = ("python", "-m", "shared.workbook.exercise", *session.posargs)
    session.run(*command, success_codes=codes, interrupt_timeout=15, terminate_timeout=15)


@nox.session(default=False)
def exercises(session: nox.Session) -> None:
    """Prove that each exercise fails unsolved and passes with the reference, on every stack: [-- --only NAME ...]."""
    install(session, *VARIANTS, "suite", "workbook")
    command = ("python", "-m", "shared.workbook.exercise.proof", *session.posargs)
    session.run(*command, interrupt_timeout=15, terminate_timeout=15)


@nox.session(default=False)
def mistakes(session: nox.Session) -> None:
    """Prove that the suite catches wrong versions, and no right one: nox -s mistakes -- [--quick | --each-test | --list]."""
    install(session, *VARIANTS, "suite", "workbook")
    # Time enough to end, in good order, what it has started.
    session.run("python", "-m", "shared.workbook.mistakes", *session.posargs, interrupt_timeout=15, terminate_timeout=15)


@nox.session(default=False)
def tools(session: nox.Session) -> None:
    """Test the workbook itself: its lab, its upstreams, its menu, its text, and what it says of frameworks and drivers."""
    install(session, *VARIANTS, "drivers", "workbook", "side_by_side")
    # Most of them wait for something, so several run at once; whoever has finished takes over what others still have to do.
    session.run("pytest", "tests/tools", "-q", "-n", "auto", "--maxprocesses", "4", "--dist", "worksteal", *session.posargs)


@nox.session(default=False)
def clients(session: nox.Session) -> None:
    """Hold the embedded services to the real formats: OpenAI's and Chroma's own clients have to work with them, unchanged."""
    install(session, "clients")
    session.run("pytest", "tests/clients", "-q", *session.posargs)


@nox.session(default=False)
def chroma(session: nox.Session) -> None:
    """Start a real Chroma server, compare the embedded one with it, and run every variant's searches against it: [-- -k NAME]."""
    install(session, "chroma", "suite")
    CHROMA.append(str(Path(session.bin, "chroma")))
    run_half(session, "tests/clients")
    # The variants must not need what Chroma brings along, so they get an environment without it.
    session.notify("searches", session.posargs)


@nox.session(default=False)
def searches(session: nox.Session) -> None:
    """Run the tests that want a real Chroma server; called by `chroma`."""
    if not CHROMA:
        session.error("There is no server: run nox -s chroma")
    install(session, *VARIANTS, "suite")
    run_half(session, "tests/chroma")


def run_half(session: nox.Session, folder: str) -> None:
    """Run one half of what wants a real Chroma server; a choice of tests may leave none of it, which pytest reports with 5."""
    session.run("pytest", folder, "-q", "--chroma", *CHROMA, *session.posargs, success_codes=[0, 5] if session.posargs else [0])


# Made anew each time: what an earlier run installed would hide what is missing.
@nox.session(default=False, reuse_venv=False)
@nox.parametrize("name", [nox.param(name, id=name) for name in [*VARIANTS, *EXAMPLES]])
def isolation(session: nox.Session, name: str) -> None:
    """Show that a variant needs no more than its group says: import it with only that, then serve it with the upstreams' too."""
    install(session, name)
    session.run("python", "-W", "error", "-m", "tests.tools.isolation", name)
    install(session, "upstream")
    session.run("python", "-W", "error", "-m", "tests.tools.isolation", name, "--serve")


@nox.session(default=False)
def lint(session: nox.Session) -> None:
    """Check style, format and the direction of imports."""
    install(session, "lint")
    session.run("ruff", "check", *LINTED)
    session.run("ruff", "format", "--check", *LINTED)
    session.run("lint-imports")


@nox.session(default=False)
def typing(session: nox.Session) -> None:
    """Check types, strictly, tests too."""
    install(session, "typing")
    session.run("mypy")


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Compile constraints.txt again, for every platform: the newest versions that fit together."""
    if not shutil.which("uv"):
        session.install("uv")
    groups = [argument for group in PROJECT["dependency-groups"] for argument in ("--group", group)]
    session.run("uv", "pip", "compile", "--universal", "--python-version", "3.11", "--upgrade", "--no-annotate", "--no-header",
                "--no-emit-index-url", "--quiet", "--output-file", "constraints.txt", *groups, external=True)  # fmt: skip

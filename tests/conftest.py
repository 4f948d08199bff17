"""One fixture is the variant under test: `server`, once for each variant and each event loop it runs on."""

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from shared.lab import variants
from shared.lab.causes import Cause
from shared.lab.experiment import Ask, Observation, run
from shared.lab.family import kill_all, started_by
from shared.lab.finding import Finding, sure
from shared.lab.host import IDLE_SECONDS
from shared.lab.places import SERVE
from shared.lab.plan import read
from shared.lab.probes_ending import End
from shared.lab.rules import last_error
from shared.lab.server import PATIENT, EndedError, Server, ServerError
from shared.lab.timeline import rows, stalls
from shared.lab.upstream import Upstreams, kept_for_others
from shared.lab.variants import Variant
from shared.lab.verdict import Accusation, Verdict, accusation, accuse
from shared.workbook.results import RESULTS, STACKS
from tests import background
from tests.computing import Computing
from tests.crowd import Crowd
from tests.doors import Doors
from tests.once import Once
from tests.stacks.experiments import Stack
from tests.trouble import Burst, Trouble

FAILED = pytest.StashKey[bool]()
FAILURES = pytest.StashKey[set[tuple[str, str]]]()
"""Which test has failed over which planned version: with other parameters it would say the same, each time of a new server."""

SETTINGS = {**PATIENT, "UPSTREAM_DEADLINE": "8", "CHAT_DEADLINE": "12", IDLE_SECONDS: "30"}
"""For the server of most tests: it is more patient than a reader's, for a machine may be too busy for what needs milliseconds.

aiohttp and anycorn close a new connection on which nothing has come for two seconds, and a client was seen to take longer before
it had sent what it had to say. A service has two seconds to answer in, and was seen to take longer as well. What is said of these
times is tested on servers of their own.
"""

WARM_SECONDS = 5.0
"""How long a server may take to warm up; what hangs for ever is a test's to find."""

END_PAUSE = 0.2
"""Seconds between two looks whether the experiments that were broken off have ended."""

KEPT_ROWS = 24
"""Rows of a timeline that are kept: enough to see a pattern."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of variants, and a report that a program can read."""
    help_text = "a folder of variants/, or an example; may be given again; without it, all of variants/ that are installed"
    parser.addoption("--variant", action="append", default=[], help=help_text)
    parser.addoption("--loop", help="only this event loop")
    parser.addoption("--plan", type=Path, help="a file that says which tests run over which versions; see shared/lab/plan.py")
    parser.addoption("--chroma", type=Path, help="the program `chroma`, for the tests that want a real Chroma server")
    parser.addoption("--report", type=Path, help="a file that gets a line of JSON for each test: its outcome, cause and message")


def pytest_configure(config: pytest.Config) -> None:
    """Say of a variant that is not there once, and not for each test that would have run over it."""
    try:
        for name in config.getoption("--variant") or ([] if config.getoption("--plan") else variants.groups()):
            variants.named(name)
    except variants.VariantError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out, where a variant is named, what is not about it: the workbook's own tests, and those of the stacks alone."""
    named = config.getoption("--variant") or config.getoption("--plan")
    if not named or collection_path.name not in {"tools", "clients", STACKS}:
        return None
    # Of arguments of which one is inside another, pytest takes only the outer: `tests tests/stacks` is to be both.
    asked = [config.invocation_params.dir / argument.partition("::")[0] for argument in config.args]
    return None if any(path.resolve().is_relative_to(collection_path.resolve()) for path in asked) else True


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a variant once for each variant and event loop."""
    for name in {"server", "subject"} & set(metafunc.fixturenames):
        found = _chosen(metafunc.config, metafunc.definition.nodeid)
        metafunc.parametrize(name, found, ids=[variant.label for variant in found], indirect=True)


def _chosen(config: pytest.Config, test: str) -> list[Variant]:
    loop, plan = config.getoption("--loop"), config.getoption("--plan")
    if plan:
        return [one.variant() for one in read(plan) if test in one.tests]
    by_name = [variants.named(name) for name in config.getoption("--variant") or variants.groups()]
    return [variant for loops in by_name for variant in loops if loop in {None, variant.loop}]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests last whose experiments take long, for these are begun first; before them, those of one variant together."""

    def place(item: pytest.Item) -> tuple[bool, str]:
        takes_long = bool(background.JOBS.keys() & set(getattr(item, "fixturenames", ())))
        variant = None if takes_long else _variant(item)
        return takes_long, variant.label if variant else ""

    items.sort(key=place)


def _variant(item: pytest.Item) -> Variant | None:
    """Return the variant that a test runs over; None when it runs over none."""
    parameters = getattr(item, "callspec", None)
    chosen: Variant | None = parameters and (parameters.params.get("server") or parameters.params.get("subject"))
    return chosen


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin the report with how many tests there are."""
    _report(session.config, {"collected": len(session.items)})


def _report(config: pytest.Config, line: dict[str, object]) -> None:
    file: Path | None = config.getoption("--report")
    if file:
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")


def _function(item: pytest.Item) -> str:
    """Return a test's id without its parameters."""
    return item.nodeid.partition("[")[0]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what has failed over this version with other parameters, where a plan makes many versions take their turns."""
    variant = _variant(item) if item.config.getoption("--plan") else None
    if variant and (_function(item), variant.label) in item.config.stash.setdefault(FAILURES, set()):
        pytest.skip("it has failed with other parameters")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Show an accusation, or why a server did not start, as its message alone; and write the report."""
    report: Any = yield
    accused = call.excinfo.value if call.excinfo and isinstance(call.excinfo.value, Accusation) else None
    if call.excinfo and isinstance(call.excinfo.value, Accusation | ServerError):
        report.longrepr = str(call.excinfo.value)
    if report.failed:
        item.stash[FAILED] = True
        if variant := _variant(item):
            if call.when == "call":
                item.config.stash.setdefault(FAILURES, set()).add((_function(item), variant.label))
            cause = accused.cause if accused else ""
            line = {"failed": item.nodeid, "cause": cause, "message": report.longreprtext}
            keep_line(variant, line, of_the_stack=_of_the_stack(item))
    if call.when == "call" or report.outcome != "passed":
        cause, message = accused.cause if accused else "", report.longreprtext
        _report(item.config, {"test": item.nodeid, "outcome": report.outcome, "cause": cause, "message": message})
    return report  # type: ignore[no-any-return]  # What the hook yields has no type in pytest.


class Servers:
    """The server that tests ask for: started when a test first asks, and stopped when one asks for another variant's."""

    def __init__(self, upstreams: Upstreams) -> None:
        self._upstreams = upstreams
        self._running: Server | None = None
        self._used_by = ""

    def get(self, variant: Variant, test: str) -> Server:
        """Return the variant's server, warmed up: a first request costs up to 25 ms that no later one does.

        Raises:
            Accusation: It has ended by itself since the test before this one; the next gets a new one.

        """
        before, self._used_by = self._used_by, test
        if self._running and self._running.variant == variant:
            if not (ended := self._running.ended):
                return self._running
            says = last_error(self._running.log())
            self.stop()
            sentence = f"the server ended by itself {ended}, in or after {before}; the log says: {says}"
            accuse(variant, Observation([]), sure(Cause.CRASHED, sentence, SERVE))
        self.stop()
        self._running = Server(variant, self._upstreams, settings=SETTINGS)
        paths = ("/ping", "/threaded?seconds=0", "/async?seconds=0", "/parallel?seconds=0", "/sync?seconds=0")
        asks = [*map(Ask, paths), Ask("/search-demo?query=warm", "POST"), Ask("/")]
        seen = run(self._running, asks, watch=True, patience=WARM_SECONDS)
        self._upstreams.wait_for_calls(WARM_SECONDS)  # What was broken off is none of the first test's calls.
        with contextlib.suppress(ValueError):  # A wrong implementation may say anything; a test of its own looks at that.
            keep_line(variant, {"identity": json.loads(seen.answers[-1].body)})
        return self._running

    def kill(self) -> None:
        """Kill the server, which may be beyond stopping, so that the next test gets a new one."""
        if self._running:
            self._running.process.kill()
        self.stop()

    def stop(self) -> None:
        """Stop the server, and let its upstreams forget what they were told to do to it."""
        running, self._running = self._running, None
        if running:
            with running:
                self._upstreams.behave()


@pytest.fixture(scope="session", autouse=True)
def jobs(request: pytest.FixtureRequest) -> Iterator[dict[tuple[str, str], Once[Any]]]:
    """Begin the results of each variant anew, and the experiments that take long, for the tests that will ask for them."""
    kept = dict.fromkeys((variant, _of_the_stack(item)) for item in request.session.items if (variant := _variant(item)))
    for variant, of_the_stack in kept:
        _results(variant, of_the_stack=of_the_stack).unlink(missing_ok=True)
        keep_line(variant, {"began": datetime.now(UTC).isoformat(timespec="seconds")}, of_the_stack=of_the_stack)
    wanted: dict[str, list[Variant]] = {name: [] for name in background.JOBS}  # In this order.
    for item in request.session.items:
        for name in background.JOBS.keys() & set(getattr(item, "fixturenames", ())):
            subject: Variant = item.callspec.params["subject"]  # type: ignore[attr-defined]  # A test with a fixture has it.
            if not variants.missing(subject.name) and subject not in wanted[name]:
                wanted[name].append(subject)
    # Not all of a variant's at once: what a busy machine does to the first would be taken for the variant's own doing.
    # Beside a plan there are other plans, so its own take turns, whoever makes them.
    subjects, planned = max(1, *map(len, wanted.values())), bool(request.config.getoption("--plan"))
    several = 1 if planned else background.SIDE_BY_SIDE * subjects
    turns = Lock() if planned else contextlib.nullcontext()

    def make(name: str, variant: Variant) -> object:
        with turns:
            try:
                return background.JOBS[name](variant)
            except EndedError as error:
                sentence = f"the server ended by itself {error.how}; the log says: {last_error(error.log)}"
                raise accusation(Finding(Cause.CRASHED, sentence, places=(SERVE,)), Observation([]), variant) from error

    before = started_by(os.getpid())  # The services that a worker of the exercises keeps.
    experiments = {
        (name, variant.label): Once[Any](partial(make, name, variant)) for name, chosen in wanted.items() for variant in chosen
    }
    with kept_for_others(), ThreadPoolExecutor(several) as working, ThreadPoolExecutor(subjects) as waiting:
        begun = [
            (waiting if name in background.MOSTLY_WAIT and not planned else working).submit(experiment.result)
            for (name, _), experiment in experiments.items()
        ]
        yield experiments
        for executor in (working, waiting):
            executor.shutdown(wait=False, cancel_futures=True)
        # Each is over whose tests have run. The others were broken off, as by a Ctrl-C: nobody will ask for what they see.
        while not all(experiment.done() for experiment in begun):
            kill_all(os.getpid(), before)
            time.sleep(END_PAUSE)


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Iterator[Servers]:
    """Return what starts the servers; the last one is stopped when the last test has run."""
    # What runs the suite again and again, as the exercises do, keeps the services from one run to the next.
    kept = pytestconfig.pluginmanager.get_plugin("kept")
    with contextlib.nullcontext(kept.upstreams) if kept else Upstreams() as upstreams:
        running = Servers(upstreams)
        yield running
        running.stop()


@pytest.fixture
def subject(request: pytest.FixtureRequest) -> Variant:
    """Return the variant under test; skip the test when its packages are not installed and nobody named it."""
    return _installed(request)


@pytest.fixture
def server(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Server]:
    """Serve the variant under test."""
    running = servers.get(_installed(request), request.node.name)
    yield running
    if request.node.stash.get(FAILED, False):
        servers.kill()  # What goes on in it would show in the next test.
    else:
        running.upstreams.behave()  # Take back what a test asked for and no call has met.


def _installed(request: pytest.FixtureRequest) -> Variant:
    chosen: Variant = request.param
    if absent := variants.missing(chosen.name):
        reason = f"{chosen.name} needs {', '.join(absent)}, not installed here; nox gives each variant an environment of its own"
        if request.config.getoption("--variant"):
            pytest.fail(reason)
        pytest.skip(reason)
    return chosen


@pytest.fixture
def reader(subject: Variant, jobs: dict[tuple[str, str], Once[Any]]) -> background.Reader:
    """Return what was seen of the variant when it was started as a reader starts it."""
    found: background.Reader = jobs["reader", subject.label].result()
    return found


@pytest.fixture
def ending(subject: Variant, jobs: dict[tuple[str, str], Once[Any]]) -> background.Ending:
    """Return what was seen of the variant on its way to the end."""
    found: background.Ending = jobs["ending", subject.label].result()
    return found


@pytest.fixture
def aside(subject: Variant, jobs: dict[tuple[str, str], Once[Any]]) -> background.Aside:
    """Return what was seen of the variant by probes, slow readers and clients that leave."""
    found: background.Aside = jobs["aside", subject.label].result()
    return found


@pytest.fixture
def stack(subject: Variant, jobs: dict[tuple[str, str], Once[Any]]) -> Stack:
    """Return what was seen of the variant's stack without our code."""
    return _seen_of_the_stack(subject, jobs["stack", subject.label])


@pytest.fixture
def stack_end(subject: Variant, jobs: dict[tuple[str, str], Once[Any]]) -> Stack:
    """Return what was seen of the end of the variant's stack without our code."""
    return _seen_of_the_stack(subject, jobs["stack_end", subject.label])


def _seen_of_the_stack(variant: Variant, seen: Once[Stack | None]) -> Stack:
    return seen.result() or pytest.fail(f"there is no minimal application tests/minimal/variants/{variant.name}/serve.py")


@pytest.fixture
def going_down(subject: Variant, jobs: dict[tuple[str, str], Once[Any]]) -> list[End]:
    """Return what was seen of the variant when it was stopped while it worked: once, or as often as was asked for."""
    found: list[End] = jobs["going_down", subject.label].result()
    return found


@pytest.fixture
def trouble(subject: Variant, jobs: dict[tuple[str, str], Once[Any]]) -> Trouble:
    """Return what was seen of the variant when its services misbehaved in every way."""
    found: Trouble = jobs["trouble", subject.label].result()
    return found


@pytest.fixture
def burst(subject: Variant, jobs: dict[tuple[str, str], Once[Any]]) -> Burst:
    """Return what was seen of the variant when two hundred searches came at once."""
    found: Burst = jobs["burst", subject.label].result()
    return found


@pytest.fixture
def doors(subject: Variant, jobs: dict[tuple[str, str], Once[Any]]) -> Doors:
    """Return what was seen of the variant when its services could not be reached."""
    found: Doors = jobs["doors", subject.label].result()
    return found


@pytest.fixture
def crowd(subject: Variant, jobs: dict[tuple[str, str], Once[Any]]) -> Crowd:
    """Return what was seen of the variant when a hundred clients held conversations at once, and half of them left."""
    found: Crowd = jobs["crowd", subject.label].result()
    return found


@pytest.fixture
def computing(aside: background.Aside) -> Computing:
    """Return what was seen of the variant when its worker processes were killed, and when it was stopped beside one at work."""
    return aside.computing


def _of_the_stack(item: pytest.Item) -> bool:
    """Return whether a test is about a variant's stack, without our code."""
    return item.path.parent.name == STACKS


def _results(variant: Variant, *, of_the_stack: bool) -> Path:
    return (RESULTS / STACKS if of_the_stack else RESULTS) / f"{variant.label}.jsonl"


def keep_line(variant: Variant, line: dict[str, object], *, of_the_stack: bool = False) -> None:
    """Add a line to what the tables are made from; not for a variant from elsewhere.

    Args:
        variant: Of which variant it was seen.
        line: What was seen, as `shared.workbook.results` reads it.
        of_the_stack: Whether it was seen of the variant's stack without our code, which has a run of its own.

    """
    if variant.root != variants.ROOT:
        return
    file = _results(variant, of_the_stack=of_the_stack)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({"variant": variant.label, **line}) + "\n")


def keep(server: Server, experiment: str, verdict: Verdict) -> None:
    """Keep a verdict, and the timeline that proved it, for what is made of them at the end."""
    keep_seen(server.variant, experiment, verdict.name, verdict.seen)


def keep_seen(variant: Variant, experiment: str, verdict: str, seen: Observation) -> None:
    """Do the same where the server is no longer there."""
    timeline = [asdict(row) for row in rows(seen)]
    details = {
        "rows": timeline[:KEPT_ROWS],
        "more": len(timeline[KEPT_ROWS:]),
        "stalls": [asdict(stall) for stall in stalls(seen)],
    }
    keep_line(variant, {"experiment": experiment, "seconds": seen.seconds, "verdict": verdict, **details})


def pytest_report_header() -> str:
    """Say on what the suite runs."""
    return f"cores: {os.cpu_count()}, platform: {sys.platform}"

"""Three waits, one after another and together: `together.py`."""

from shared.lab import verdict
from shared.lab.experiment import Ask, Observation, run
from shared.lab.server import Server
from shared.lab.verdict import prove
from shared.lesson.contract import TASKS
from tests.conftest import keep_verdict


def test_parallel_waits_together(server: Server) -> None:
    """The three tasks of /parallel overlap, and take as long as one."""

    def ask(wait: float) -> Observation:
        return run(server, [Ask(f"/parallel?seconds={wait}")], ping=True)

    keep_verdict(server, "/parallel", prove(ask, verdict.together, "together", server.variant.name))


def test_sequential_waits_in_turn(server: Server) -> None:
    """The three tasks of /sequential never overlap, take the sum, and leave the event loop free."""

    def ask(wait: float) -> Observation:
        return run(server, [Ask(f"/sequential?seconds={wait}")], ping=True)

    keep_verdict(server, "/sequential", prove(ask, verdict.in_turn, "one after another", server.variant.name))


def test_many_parallel_at_once(server: Server) -> None:
    """Ten requests to /parallel wait together as well: thirty tasks, one wait."""

    def ten(wait: float) -> Observation:
        return run(server, [Ask(f"/parallel?seconds={wait}")] * 10, ping=True)

    keep_verdict(server, "/parallel x 10", prove(ten, verdict.together, "together", server.variant.name))


def test_console_shows_the_interleaving(server: Server) -> None:
    """/parallel starts all three before the first has finished; /sequential finishes each before the next starts."""
    together = run(server, [Ask("/parallel?seconds=0.1")]).printed.splitlines()
    assert sorted(together[:3]) == [f"[ASYNC] Starting {name}" for name in TASKS], "/parallel: not all start before one finishes"
    assert sorted(together[3:]) == [f"[ASYNC] Finished {name}" for name in TASKS], "/parallel: not each task finishes once"
    in_turn = run(server, [Ask("/sequential?seconds=0.1")]).printed.splitlines()
    expected = [f"[ASYNC] {what} {name}" for name in TASKS for what in ("Starting", "Finished")]
    assert in_turn == expected, "/sequential: a task starts before the one before it has finished"

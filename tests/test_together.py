"""Three waits, one after another and together: `together.py`."""

from shared.lab import checks
from shared.lab.experiment import Ask
from shared.lab.server import Server
from shared.lab.verdict import prove
from tests.conftest import keep
from tests.test_waiting import two


def test_parallel_waits_together(server: Server) -> None:
    """The three tasks of /parallel overlap, and take as long as one."""
    keep(server, "/parallel", prove(server, "together", lambda wait: [Ask(f"/parallel?seconds={wait}")], checks.together))


def test_sequential_waits_in_turn(server: Server) -> None:
    """The three tasks of /sequential never overlap, take the sum, and leave the event loop free; so do two such requests."""
    verdict = prove(server, "one after another", lambda wait: two("/sequential", wait), checks.in_turn)
    keep(server, "/sequential x 2", verdict)


def test_many_parallel_at_once(server: Server) -> None:
    """Twenty requests to /parallel wait together as well: sixty tasks, each request its own time."""
    keep(server, "/parallel x 20", prove(server, "together", lambda wait: two("/parallel", wait) * 10, checks.together))

"""What takes seconds, all in one experiment to save them: waits by default, and upstreams that do not answer."""

import json

from shared.lab.experiment import Ask, run
from shared.lab.server import Server
from shared.lab.verdict import EARLY
from shared.lesson.contract import endpoint
from shared.lesson.settings import UPSTREAM_DEADLINE
from tests.test_contract import problem


def test_default_waits_and_silent_upstreams(server: Server) -> None:
    """Without `seconds` an endpoint waits its documented time; a silent upstream, or one that drips, is a 504 at the deadline."""
    for kind in ("silence", "drip"):
        server.upstreams.misbehave("embeddings", kind)
    search = Ask("/search-demo?query=budget", "POST")
    seen = run(server, [Ask("/threaded"), Ask("/async"), Ask("/parallel"), search, search])
    for answer in seen.answers[:3]:
        due = endpoint(answer.ask.path).seconds or 0
        assert due - EARLY <= answer.seconds, f"{answer.ask.path} took {answer.seconds:.2f} s by default, not {due:g}"
        assert json.loads(answer.body)["elapsed"].startswith(f"{due:g}."), f"{answer.ask.path}: {answer.body!r}"
    for answer in seen.answers[3:]:
        assert "did not answer within" in str(problem(answer, 504)["detail"])
        assert answer.seconds >= UPSTREAM_DEADLINE - EARLY, "504 before it was due"
        late = f"504 after {answer.seconds:.1f} s: the deadline starts anew with every byte, or something blocked the event loop"
        assert answer.seconds < 2 * UPSTREAM_DEADLINE, late
    assert [call.broken_off for call in seen.calls] == [True, True], "an upstream call outlived its deadline"

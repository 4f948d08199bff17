"""Every endpoint once, all at the same time: a quick look, which a mistake in one place leaves as it is in all others."""

from shared.lab import rules
from shared.lab.experiment import Ask, run
from shared.lab.refusal import refused
from shared.lab.server import Server
from shared.lab.verdict import judge
from shared.lesson.contract import ENDPOINTS


def test_every_endpoint_answers(server: Server) -> None:
    """Each endpoint answers with its own status and in the contract's shape, while all others are asked too."""
    asks = []
    for endpoint in ENDPOINTS:
        quick = "?seconds=0.04" if endpoint.seconds or endpoint.works else ""
        query = "?query=budget" if endpoint.module in {"search", "answers"} else quick
        asks.append(Ask(endpoint.example + query, endpoint.method, status=endpoint.status))
    seen = run(server, asks)
    judge(server, seen, rules.broken(seen, rules.IN_WORDS))
    for answer in seen.answers:
        if answer.ask.status == 202 and answer.status != 202:
            judge(server, seen, rules.other_status(answer, seen))
        if answer.ask.status >= 400:
            judge(server, seen, refused(answer, answer.ask.status, log="\n".join(seen.printed)))

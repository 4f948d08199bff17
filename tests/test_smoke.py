"""Every endpoint once: a quick look at everything, which a mistake in one place leaves as it is in all others."""

from shared.lab import rules
from shared.lab.experiment import Ask, run
from shared.lab.refusal import refused
from shared.lab.server import Server
from shared.lab.verdict import judge
from shared.lesson.contract import ENDPOINTS


def test_every_endpoint_answers(server: Server) -> None:
    """Each endpoint answers with its own status and in the contract's shape, alone and with a wait of its own."""
    for endpoint in ENDPOINTS:
        quick = "?seconds=0.04" if endpoint.seconds or endpoint.works else ""
        query = "?query=budget" if endpoint.module in {"search", "answers"} else quick
        seen = run(server, [Ask(endpoint.path + query, endpoint.method, status=endpoint.status)])
        judge(server, seen, rules.broken(seen, rules.IN_WORDS))
        if endpoint.status != 200:
            judge(server, seen, refused(seen.answers[0], endpoint.status, log="\n".join(seen.printed)))

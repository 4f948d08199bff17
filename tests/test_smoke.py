"""Every endpoint once: a quick look at everything, which a mistake in one place leaves as it is in all others."""

from shared.lab import rules
from shared.lab.experiment import Ask, run
from shared.lab.server import Server
from shared.lab.verdict import judge
from shared.lesson.contract import ENDPOINTS


def test_every_endpoint_answers(server: Server) -> None:
    """Each endpoint answers with success and in the contract's shape, alone and with a wait of its own."""
    for endpoint in ENDPOINTS:
        query = "?query=budget" if endpoint.module in {"search", "answers"} else "?seconds=0.04" if endpoint.seconds else ""
        seen = run(server, [Ask(endpoint.path + query, endpoint.method)])
        judge(server, seen, rules.broken(seen, rules.IN_WORDS))

"""Every endpoint once, all at the same time: a quick look, which a mistake in one place leaves as it is in all others."""

from shared.lab import rules
from shared.lab.experiment import Ask, run
from shared.lab.refusal import refused
from shared.lab.server import Server
from shared.lab.talk import Hear, start
from shared.lab.talks import talked
from shared.lab.tries import first_good
from shared.lab.verdict import judge
from shared.lesson.contract import ENDPOINTS, SOCKET

LATE, TRIES = 504, 3


def test_every_endpoint_answers(server: Server) -> None:
    """Each endpoint answers with its own status and in the contract's shape, while all others are asked too.

    Searches, and whatever waits or computes, are sent parameters besides that they do not know, and ignore.
    """
    asks = []
    for endpoint in ENDPOINTS:
        quick = "?seconds=0.04&n=1000&limit=10" if endpoint.seconds or endpoint.works else ""
        query = "?query=budget&tab=1" if endpoint.module in {"search", "answers"} else quick
        says = (start("quick", 0.04), Hear("done", "quick")) if endpoint.method == SOCKET else ()
        path = endpoint.example if says else endpoint.example + query
        asks.append(Ask(path, endpoint.method, status=endpoint.status, says=says))
    # Again, where something was late, such as a worker process that has to begin: a machine may be very busy.
    seen = first_good(range(TRIES), lambda _: run(server, asks), lambda seen: all(one.status != LATE for one in seen.answers))
    judge(server, seen, rules.broken(seen, rules.IN_WORDS) or talked(seen))
    for answer in seen.answers:
        if answer.ask.status == 202 and answer.status != 202:
            judge(server, seen, rules.other_status(answer, seen))
        if answer.ask.status >= 400:
            judge(server, seen, refused(answer, answer.ask.status, log="\n".join(seen.printed)))

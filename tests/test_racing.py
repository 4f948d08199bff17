"""Three replicas are asked at once, and the first answer wins: `racing.py`. The evidence is what became of the others."""

import json

from shared.lab import checks
from shared.lab.causes import Cause
from shared.lab.experiment import Ask, Observation
from shared.lab.finding import EARLY, Finding, sure
from shared.lab.readers import leave
from shared.lab.refusal import refused
from shared.lab.server import Server
from shared.lab.tries import first_good
from shared.lab.verdict import judge, prove
from shared.lesson.contract import FACTORS
from shared.lesson.work import FAILED, REPLICAS, WORK
from tests.conftest import keep
from tests.trouble import SETTLE

FASTEST = f"task{FACTORS.index(min(FACTORS)) + 1}"
WAITS = (0.2, 0.4, 0.8)

STAYS = (0.3, 0.6, 1.2)
"""How long the fastest replica takes, in seconds, for each try; its client leaves after half of that."""


def test_the_first_answer_wins(server: Server) -> None:
    """All replicas are asked at once; the fastest one's answer comes in its own time, and the others are broken off."""

    def check(seen: Observation) -> list[Finding]:
        return all_asked(seen) or checks.holds_the_loop(seen, seen.answers[0].ask.wait) or fastest(seen) or others_off(seen)

    verdict = prove(server, "the fastest", lambda wait: [Ask(f"/first?seconds={wait}")], check, WAITS, linger=max(FACTORS))
    keep(server, "/first", verdict)


def all_asked(seen: Observation) -> list[Finding]:
    """Check that each replica was asked once, and that none had to end before the next was asked."""
    tasks = sorted(call.task for call in seen.calls)
    if tasks != [f"task{number + 1}" for number in range(REPLICAS)]:
        sentence = f"/first asked for {', '.join(tasks) or 'nothing'}, and there are {REPLICAS} replicas"
        # On a busy machine one may have answered before another could be asked.
        return [Finding(Cause.WRONG_CALL, sentence, certain=len(tasks) >= REPLICAS)]
    first_end = min(call.start + call.seconds for call in seen.calls)
    if max(call.start for call in seen.calls) >= first_end:
        return [Finding(Cause.ONE_BY_ONE, "/first asked one replica only when another had ended")]
    return []


def fastest(seen: Observation) -> list[Finding]:
    """Check that the answer is the fastest replica's, and came in that one's time."""
    answer = seen.answers[0]
    body, wait = json.loads(answer.body), answer.ask.wait
    sentence = f"{answer.ask.path} answered {body.get('result')!r} after {answer.seconds:.2f} s"
    if answer.seconds < wait - EARLY:
        return sure(Cause.TOO_FAST, f"{sentence}, and the fastest replica takes {wait:g}")
    if answer.seconds >= 1.5 * wait:  # Right: once. Wrong: the second one's time, which is twice that.
        return [Finding(Cause.TOO_SLOW, f"{sentence}: the fastest replica had answered after {wait:g} s")]
    if body.keys() != {"result", "elapsed"} or body["result"] != f"{FASTEST} result":
        return sure(Cause.WRONG_ANSWER, f"{sentence}, and the fastest is {FASTEST}")
    return []


def others_off(seen: Observation) -> list[Finding]:
    """Check that the calls of the others were broken off."""
    left = [call for call in seen.calls if call.task not in {FASTEST, ""} and not call.was_left]
    if not left:
        return []
    sentence = f"when /first had its answer, the service worked on {left[0].task} for {left[0].seconds:.2f} s, to its end"
    # A server that stood still for so long may have found both at once, the first answer and the next.
    return [Finding(Cause.RUNS_ON, sentence, certain=left[0].end is None or left[0].end > seen.answers[0].received)]


def test_the_first_may_have_failed(server: Server) -> None:
    """Where the first that answers has failed, that is the answer, and the others are broken off."""

    def asks(wait: float) -> list[Ask]:
        server.upstreams.behave()
        server.upstreams.misbehave("work", "answer", marker=f"name={FASTEST}", status=FAILED)
        return [Ask(f"/first?seconds={wait}", status=502)]

    def check(seen: Observation) -> list[Finding]:
        return refused(seen.answers[0], 502, WORK, when="when the fastest replica had failed") or others_off(seen)

    prove(server, "502", asks, check, WAITS, linger=max(FACTORS))


def test_the_race_ends_when_its_client_leaves(server: Server) -> None:
    """A client that leaves ends the race at once, or the winner does: no other call than the winner's comes to its end."""

    def asked_and_left(wait: float) -> Observation:
        last = server.upstreams.last_call()
        _, seen = leave(server, f"/first?seconds={wait}", wait / 2, max(FACTORS) * wait)
        server.upstreams.wait_for_calls(SETTLE)
        seen.calls = server.upstreams.calls(last)
        return seen

    # Where a busy machine had no time to ask all of them, in none of the tries, there is nothing to see.
    seen = first_good(STAYS, asked_and_left, lambda seen: len(seen.calls) == REPLICAS and not losers_end(seen))
    judge(server, seen, losers_end(seen) if len(seen.calls) == REPLICAS else [])


def losers_end(seen: Observation) -> list[Finding]:
    """Find that more than one call came to its end by itself."""
    ended = [call.task for call in seen.calls if call.end and not call.broken_off]
    if len(ended) <= 1:
        return []
    sentence = f"a client left {seen.answers[0].ask.path}, and the service worked on {', '.join(ended)} to the end"
    return [Finding(Cause.RUNS_ON, f"{sentence}; however the race ends, no more than one call may")]

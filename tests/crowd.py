"""A hundred conversations at once, half of whose clients leave without a word; with a server of its own."""

from dataclasses import dataclass
from typing import Final

from shared.lab import aftermath
from shared.lab.experiment import Ask, Observation, run
from shared.lab.finding import EARLY
from shared.lab.readers import deaf
from shared.lab.server import PATIENT, Server, serving
from shared.lab.talk import Hear, Leave, Pause, Step, cancel, start
from shared.lab.talks import talked
from shared.lab.tries import first_good
from shared.lab.upstream import most_at_once
from shared.lab.variants import Variant
from shared.lesson.command import PING
from shared.lesson.contract import SOCKET
from shared.lesson.messages import MAX_RUNNING
from shared.lesson.upstreams import MAX_CALLS
from tests.trouble import SEARCH, Left, left_over, seconds_to_stop

CLIENTS: Final = 100
TASKS: Final = MAX_RUNNING
CANCELLED: Final = 3
"""Of the tasks of each conversation."""

SHORT, LONG = 0.05, 9.0
"""Seconds that a task takes which is to end by itself, and one which is not."""

CROWDS = tuple((CLIENTS, apart) for apart in (0.002, 0.005, 0.015))
"""How many clients come in each try, and the seconds between two of them: a busy machine can accept them one by one.

Anycorn closes a connection on which nothing has come for two seconds, and the client, too, may be slow.
"""

SMALLER = ((CLIENTS, 0.03), (CLIENTS // 2, 0.06), (CLIENTS // 4, 0.12))
"""The same for more tries, where the server had to wait for a processor: no sign of life of a client is read in time then, and
its conversation is ended, or tasks come to their end before all clients are there. Fewer may leave something behind as well."""

DEADLINE: Final = 60.0
"""Seconds that a task may wait, beside its own: a thousand of them share a pool of a hundred connections."""

SAID: Final = 20_000
"""Messages without an end of listening: their replies are more than fits between a server and a client that does not read."""

HELD: Final = CLIENTS // 10
"""Conversations that have ended and are perhaps not yet collected. Right: none, as a rule. Wrong: all that there were."""

NAMES: Final = [f"task{number}" for number in range(TASKS)]
KEPT, OFF = NAMES[CANCELLED:], NAMES[:CANCELLED]

ROOM = [f"/limited?tasks={MAX_CALLS // 2}&at_once={MAX_CALLS // 2}&seconds={seconds}" for seconds in (1, 3, 9)]
"""Asked for twice at once, as many calls as the pool has room for, where every place in it has been given back; for each try."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """What was seen of it.

    Attributes:
        seen: All conversations; the first half of the clients stayed to the end.
        broken_off: How many tasks were broken off, in this try and in those before it.
        left: What was left when all were over.
        kept: How many conversations were still held by somebody at last, though all had ended.
        deaf: What was left when a client had said a lot, read no reply and left.
        after: As many calls at once as there is room for, after all that.
        log: What the server had printed when the conversations were over.
        log_deaf: What it printed after that.
        stops: In how many seconds it stopped at last, when it was idle.

    """

    seen: Observation
    broken_off: int
    left: Left
    kept: int
    deaf: Left
    after: Observation
    log: str
    log_deaf: str
    stops: float


def run_a_crowd(variant: Variant) -> Crowd:
    """Hold a hundred conversations, each with ten tasks, three of them cancelled; again, where a machine was too busy for it.

    Fewer at last, where it has no processor for so many.
    """
    with serving(variant, settings={**PATIENT, "UPSTREAM_DEADLINE": f"{DEADLINE:g}"}) as server:
        run(server, [SEARCH])
        idle = aftermath.look(server)
        tries: list[Observation] = []

        def converse(crowd: tuple[int, float]) -> Observation:
            tries.append(_converse(server, *crowd))
            return tries[-1]

        seen = first_good(CROWDS, converse, good, more=SMALLER, starved=lambda seen: seen.starved > PING / 2)
        broken_off = sum(call.was_left for seen in tries for call in seen.calls)
        left, log = left_over(server, idle), server.log()
        with deaf(server, "hello", SAID):
            pass
        left_deaf = left_over(server, idle)
        filled = _fill(server)
        kept = aftermath.conversations(server, HELD)
        log_deaf, stops = server.log()[len(log) :], seconds_to_stop(server)
        return Crowd(seen, broken_off, left, kept, left_deaf, filled, log, log_deaf, stops)


def _fill(server: Server) -> Observation:
    """Fill the pool; again, with longer calls, where a machine was too busy to begin all of them before the first had ended."""
    return first_good(
        ROOM,
        lambda path: run(server, [Ask(path)] * 2, patience=DEADLINE),
        lambda seen: most_at_once(seen.calls) >= MAX_CALLS,
    )


def _converse(server: Server, clients: int, apart: float) -> Observation:
    """Hold the conversations, and see their calls to the end: those of the last to leave are broken off a moment later."""
    asks = []
    for place in range(clients):
        others = Pause((clients - place) * apart)  # Those that are still to come.
        says = stays(others) if place < clients // 2 else leaves(place, others)
        asks.append(Ask("/ws", SOCKET, after=place * apart, status=101, says=tuple(says)))
    last, seen = server.upstreams.last_call(), run(server, asks, patience=DEADLINE)
    server.upstreams.wait_for_calls(LONG + 1)
    seen.calls = server.upstreams.calls(last)
    return seen


def good(seen: Observation) -> bool:
    """Whether every client did what it wanted to, and heard what it had to."""
    return not (too_late(seen) or talked(seen))


def too_late(seen: Observation) -> bool:
    """Whether a task came to its end that is long enough for every client to cancel it, or to leave it, unless all is slow."""
    return any(not call.was_left and call.seconds >= LONG - EARLY for call in seen.calls)


def stays(others: Pause) -> list[Step]:
    """Return what a client does that stays: when all others are there it cancels three tasks, and hears the rest to their end."""
    starts = [start(name, SHORT if name in KEPT else LONG) for name in NAMES]
    ends = [Hear("cancelled", name, patience=DEADLINE) for name in OFF] + [Hear("done", name, patience=DEADLINE) for name in KEPT]
    return [*starts, Hear("started", NAMES[-1], patience=DEADLINE), others, *map(cancel, OFF), *ends]


def leaves(place: int, others: Pause) -> list[Step]:
    """Return what a client does that leaves when all others are there: when tasks are cancelled, or right after it said so."""
    says: list[Step] = [*(start(name, LONG) for name in NAMES), others, *map(cancel, OFF)]
    return [*says, *([Hear("cancelled", OFF[-1], patience=DEADLINE)] if place % 2 else []), Leave()]

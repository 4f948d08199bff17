"""Verdicts: what an experiment proves, in words.

Noise only ever makes things slower. So a lower bound must hold every time, while an upper bound must hold once in a few tries:
what *can* take the short time does not block. It is certain at once only where `/ping` shows that there was no noise.
"""

import ast
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from shared.lab.causes import WORDS, Cause
from shared.lab.experiment import HANG, Ask, Observation, run
from shared.lab.finding import Check, Finding
from shared.lab.places import CREATE_APP, HANDLE_ERROR, LIFESPAN, OPEN_CLIENT, SERVER_TIMING, WITH_REQUEST_ID
from shared.lab.rules import broken
from shared.lab.server import Server
from shared.lab.talk import Say
from shared.lab.terms import terms
from shared.lab.timeline import draw
from shared.lab.variants import Variant
from shared.lesson.contract import MODULES

WAITS = (0.15, 0.3, 0.5, 0.5)
"""The waits of the tries, in seconds: longer ones later, because noise does not grow with the wait.

Once more as long rather than longer still: what is forgiven grows with the wait, and a lie of a fixed size would be.
"""


BUSY = 5
"""How many times as long as the work itself a wait has to be, so that half of it cannot be work on a busy machine.

After a try that failed, the same requests are sent without a wait: what they take then is the work alone, here and now.
"""

MORE_TRIES = 2
"""How many failed tries of a wait do not count in which the lab was late; or, of the last, the server had no processor for long.

What was seen may be the machine's time.
"""

LATE = 1 / 4
"""The part of the shortest wait that the lab has to be late for that: bounds stand half a wait from what is right."""

STARVED = 1 / 2
"""The part of it that the server has to wait in all: a hundred short waits may matter less than a long one."""

NOTICED = 0.05
"""Seconds that either has to take at the least: to send a hundred requests takes the lab nearly as long."""

LONGEST = 3.0
"""The longest wait of a try, in seconds; an experiment may ask for twice and three times it, and no wait may exceed ten."""

REST = 0.1
"""Seconds between two tries, in which no call may be begun."""

FEW_LOOKS = 4
"""Looks in which a thread has to stand in one place, so that it can be told where."""

DOUBTS: list[Callable[[Cause], None]] = []
"""Who wants to be told of the probable cause after a try that noise may have spoilt, before the next one."""

EXERCISE = "This is the exercise:"
"""How the error begins that stands in a function which a reader has yet to write."""

ON_THE_LOOP = {Cause.BLOCKS, Cause.DOES_NOT_BLOCK, Cause.HANGS, Cause.SAME_PROCESS, Cause.THREADS, Cause.TOO_SLOW}
"""Causes for which it is evidence where the event loop's thread stood; beside others it would lead astray, to `/sync` mostly."""

BESIDE = {
    Cause.FALSE_REPORT: (SERVER_TIMING,),
    Cause.CLIENT_PER_REQUEST: (OPEN_CLIENT, LIFESPAN),
    Cause.LEAK: (LIFESPAN,),
    Cause.LOST_CONTEXT: (WITH_REQUEST_ID,),
    Cause.WRONG_ERROR: (HANDLE_ERROR, CREATE_APP),  # The hook, and where it is registered.
    Cause.TELLS_SECRETS: (HANDLE_ERROR,),
}
"""Where a cause may lie beside the endpoint."""


class Accusation(AssertionError):  # noqa: N818 - it accuses an implementation; nothing in the lab went wrong
    """A variant does not do what the contract says; the message is for its author.

    Attributes:
        cause: What is probably wrong.

    """

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an experiment proved, when it proved what the contract asks for.

    Attributes:
        name: In one or two words, such as `together`.
        seen: What proved it.

    """

    name: str
    seen: Observation


def prove(  # noqa: PLR0913 - few experiments name more than the first four
    server: Server,
    name: str,
    asks: Callable[[float], Sequence[Ask]],
    check: Check,
    waits: Sequence[float] = WAITS,
    linger: float = 0.0,
    *,
    watch: bool = True,
) -> Verdict:
    """Try with longer and longer waits until nothing is found wrong, or something that noise cannot cause.

    On a busy machine the later waits are longer still, by what the requests were seen to take without a wait. Where the
    lab itself was late, as when the whole machine stands still for a moment, the same wait is tried again; so is the last one
    where others had the processors that the server was to run on.

    Args:
        server: The variant under test.
        name: What the verdict is called when nothing is wrong.
        asks: What to send in a try, given its wait in seconds.
        check: Names what is wrong with an observation, beside the rules that hold for every answer.
        waits: The wait of each try, in seconds.
        linger: For how many waits to go on watching after the last answer.
        watch: Whether to send `/ping`s all the while, to look where threads stand, and to read along on the console; it costs
            the server work of its own.

    Raises:
        Accusation: Something was wrong in every try, or certainly.

    """
    shortest, number, late = 0.0, 0, 0
    while number < len(waits):
        wait = max(waits[number], shortest)
        sent = asks(wait)
        # Where only some may wait at once, as in a pool of six threads, the last rightly takes several times its own wait.
        patience = HANG + sum(ask.due for ask in sent)
        seen = run(server, sent, watch=watch, linger=linger * wait, patience=patience)
        findings = broken(seen) or check(seen)
        if not findings:
            return Verdict(name, seen)
        worst = max(findings, key=lambda finding: finding.certain)
        is_last = number == len(waits) - 1  # After any other a longer wait follows, and that is as good as the same again.
        lab_was_late = _lab_was_late(seen)
        counts = late == MORE_TRIES or not (lab_was_late or (is_last and _server_was_starved(seen)))
        if worst.certain or (counts and is_last):
            worst = _compared_with_alone(server, worst, seen)
            raise accusation(worst, seen, server.variant, _held(server, worst, seen))
        doubt(worst)
        if (counts or not lab_was_late) and any(ask.wait for ask in sent):  # A search cannot be asked to wait.
            shortest = min(BUSY * _work_alone(server, asks(0.0)), LONGEST)
        number, late = (number + 1, 0) if counts else (number, late + 1)
        _let_calls_end(server)
    raise ValueError("There has to be a wait to try.")


def _lab_was_late(seen: Observation) -> bool:
    """Return whether the lab was so late that what it saw may be its own time."""
    return seen.lab_late >= max(NOTICED, LATE * _shortest_wait(seen))


def _server_was_starved(seen: Observation) -> bool:
    """Return whether the server and its services had to wait so long for a processor that what was seen may be that."""
    return seen.starved >= max(NOTICED, STARVED * _shortest_wait(seen))


def _shortest_wait(seen: Observation) -> float:
    steps = [step.seconds for answer in seen.answers for step in answer.ask.says if isinstance(step, Say)]
    waits = [*steps, *(answer.ask.wait for answer in seen.answers if not answer.ask.says)]
    return min(filter(None, waits), default=0.0)


def _work_alone(server: Server, asks: Sequence[Ask]) -> float:
    """Return how many seconds requests take that do not wait; that the lab was late is no work, and lets no wait grow."""
    seen = run(server, asks)
    return seen.seconds - seen.lab_late


def doubt(finding: Finding) -> None:
    """Tell whoever wants to know what was probably wrong in a try, before the next one."""
    for tell in DOUBTS:
        tell(finding.cause)


def _let_calls_end(server: Server) -> None:
    """Wait for the calls that a try has left, so that the next one is not taken to have made them; not for ever."""
    deadline, known = time.monotonic() + LONGEST, -1
    while known != (last := server.upstreams.last_call()) and time.monotonic() < deadline:
        known = last
        server.upstreams.wait_for_calls(deadline - time.monotonic())
        time.sleep(REST)  # What was asked for nobody may only now be on its way; and calls in turn leave moments without one.


def judge(server: Server, seen: Observation, findings: Sequence[Finding]) -> None:
    """Accuse the variant of the first finding, if there is one.

    Raises:
        Accusation: There is.

    """
    if findings:
        raise accusation(findings[0], seen, server.variant, _held(server, findings[0], seen))


def accuse(variant: Variant, seen: Observation, findings: Sequence[Finding]) -> None:
    """Do the same where the server is no longer there.

    Raises:
        Accusation: There is a finding.

    """
    if findings:
        raise accusation(findings[0], seen, variant)


def _compared_with_alone(server: Server, finding: Finding, seen: Observation) -> Finding:
    """Send a request again that was answered too early beside others: when it is right alone, it took something from them."""
    if finding.cause != Cause.TOO_FAST or finding.ask is None or len(seen.answers) == 1:
        return finding
    if broken(run(server, [finding.ask])):
        return finding
    return replace(finding, cause=Cause.SHARED_STATE, sentence=f"{finding.sentence}; alone it waits as long as it was asked to")


def _held(server: Server, finding: Finding, seen: Observation) -> list[str]:
    """Send the same requests again where they blocked, and return what the guard in the server's process saw hold the loop."""
    if finding.cause != Cause.BLOCKS or seen.stuck or seen.process_stood_still:  # It is said already, or nobody can answer.
        return []
    server.held()
    run(server, [answer.ask for answer in seen.answers])
    return server.held()


def accusation(finding: Finding, seen: Observation, variant: Variant, held: Sequence[str] = ()) -> Accusation:
    """Say it: what was sent, measured and expected, the probable cause, the cure, where to look; then the evidence.

    Args:
        finding: What is wrong.
        seen: What it was found in.
        variant: Whose code it is.
        held: What was seen to hold its event loop.

    """
    if any(EXERCISE in line for line in seen.printed):
        finding = replace(finding, cause=Cause.UNWRITTEN)
    words = WORDS[finding.cause]
    cure = words.cure.format(**terms(variant.folder))
    cure = f"{cure[0].upper()}{cure[1:]}"
    lines = [
        f"{finding.sentence}.",
        f"Probable cause: {words.cause}. {cure}.",
        f"Look at {_where(finding, seen, variant)}.",
        *(_stood(seen) if finding.cause in ON_THE_LOOP else []),
        *(f"Seen from inside, the event loop was held by {line}." for line in held),
        draw(seen, finding.ask),
    ]
    return Accusation(finding.cause, "\n".join(lines))


def _where(finding: Finding, seen: Observation, variant: Variant) -> str:
    """Name the files, the lines and the functions to look at, the likeliest first."""
    places = [*finding.places]
    asks = [finding.ask, *(answer.ask for answer in seen.answers)]
    if endpoint := next((ask.known for ask in asks if ask), None):
        names = [endpoint.function, endpoint.operation, *endpoint.through]
        places += [(endpoint.module, name) for name in names if name]
    places += BESIDE.get(finding.cause, ())
    return ", ".join(dict.fromkeys(_place(variant, *place) for place in places))


def _place(variant: Variant, module: str, function: str) -> str:
    modules = dict.fromkeys([module, *MODULES])  # What an endpoint waits with may stand in another chapter.
    for file in (variant.folder / f"{name}.py" for name in modules):
        tree = ast.parse(file.read_text(encoding="utf-8")) if file.is_file() else ast.Module([], [])
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function:
                return f"{variant.place}/{file.name}:{node.lineno} {function}"
    return f"{variant.place}/{module}.py {function}"


def _stood(seen: Observation) -> list[str]:
    """Say where the event loop's thread stood, when it stood there in half of all looks: a busy one passes many places."""
    place, times = Counter(seen.on_loop).most_common(1)[0] if seen.on_loop else ("", 0)
    if times < FEW_LOOKS or times < seen.looks / 2:
        return []
    return [f"In {times} of {seen.looks} looks at it, the event loop's thread stood at {place}."]

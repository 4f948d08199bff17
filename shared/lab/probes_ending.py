"""What the end of a server shows of its stack: read from the experiments of `shutdown`, `terminal` and `failing_start`."""

import signal
from collections.abc import Callable
from dataclasses import dataclass

from shared.lab.failing_start import Failed
from shared.lab.finding import EARLY
from shared.lab.shutdown import Down
from shared.lab.terminal import Pressed
from shared.lab.traits import Shown
from shared.lesson.command import SHUTDOWN_WAIT

OTHER = "something else"

TOLD = {1001, 1012}
"""The codes of a WebSocket that say that the server goes away, and that it is started anew."""


@dataclass(frozen=True, slots=True)
class End:
    """How a server ended: stopped while it worked, in a terminal, and when it failed to start."""

    down: Down
    pressed: Pressed
    failed: Failed


def shutdown_wait(end: End) -> Shown:
    """See how long a request was waited for that takes longer than three seconds."""
    answer = end.down.answers["a long request"]
    after = end.down.after(answer)
    evidence = f"a request of {answer.ask.wait:g} s was under way at SIGTERM, and {_outcome(end.down)}"
    if answer.status == 200:  # noqa: PLR2004 - HTTP's success
        return Shown("longer", evidence, end.down.seen)
    return Shown("three-seconds" if after >= SHUTDOWN_WAIT - EARLY else OTHER, evidence, end.down.seen)


def cut_off(end: End) -> Shown:
    """See what the client of that request got."""
    status = end.down.answers["a long request"].status
    evidence = f"a request that takes longer than a stop waits for it {_outcome(end.down)}"
    return Shown({200: "none", 500: "an-error", 0: "closed"}.get(status, f"status {status}"), evidence, end.down.seen)


def _outcome(down: Down) -> str:
    answer = down.answers["a long request"]
    return f"was answered {answer.status or 'nothing'} {down.after(answer):.2f} s later"


def socket_stop(end: End) -> Shown:
    """See what became of a conversation that its client did not want to end."""
    answer = end.down.answers["a conversation"]
    after, code = end.down.after(answer), answer.talk.code
    told = f"was closed with the code {code}" if code else "was not closed"
    evidence = f"a conversation was under way at SIGTERM, and {told} {after:.2f} s later"
    if code in TOLD and after < SHUTDOWN_WAIT - EARLY:  # Right: at once. Nearest other: when a stop waits no longer.
        return Shown("closed", evidence, end.down.seen)
    if code:
        return Shown("cut-off" if code not in TOLD and after >= SHUTDOWN_WAIT - EARLY else OTHER, evidence, end.down.seen)
    return Shown("waited-for" if after >= SHUTDOWN_WAIT - EARLY else OTHER, evidence, end.down.seen)


def exit_sigterm(end: End) -> Shown:
    """See what it ended with after SIGTERM."""
    code = end.down.exit_code
    return Shown(_meaning(code, signal.SIGTERM), f"after SIGTERM it ended with {_said(code)}", end.down.seen)


def exit_sigint(end: End) -> Shown:
    """See what it ended with after Ctrl-C."""
    code = end.pressed.exit_code
    return Shown(_meaning(code, signal.SIGINT), f"after Ctrl-C it ended with {_said(code)}", end.down.seen)


def _meaning(code: int | None, sent: int) -> str:
    return {0: "zero", 1: "one", -sent: "by-the-signal"}.get(code, OTHER) if code is not None else OTHER


def _said(code: int | None) -> str:
    return "no exit code: it had to be killed" if code is None else f"the exit code {code}"


def ctrl_c(end: End) -> Shown:
    """See what stood on the terminal after Ctrl-C."""
    # On Python 3.11 asyncio says so of a worker process whose end another thread was told of first: seen once.
    printed = "\n".join(line for line in end.pressed.printed.splitlines() if not line.startswith("Unknown child process pid"))
    evidence = f"after Ctrl-C the terminal shows {printed.splitlines()[-1]!r}" if printed else "Ctrl-C printed nothing"
    value = "nothing" if not printed else "a-traceback" if "Traceback" in printed else "a-few-words"
    return Shown(value, evidence, end.down.seen)


def failed_start(end: End) -> Shown:
    """See what it ended with when its lifespan had failed."""
    code = end.failed.exit_code
    told = "RuntimeError" in end.failed.printed  # It is what fails.
    evidence = f"when its start failed, it ended with {_said(code)}{'' if told else ', and did not print the error'}"
    return Shown(f"exit-{code}" if code and told else OTHER, evidence, end.down.seen)


ENDING_PROBES: dict[str, Callable[[End], Shown]] = {
    "shutdown_wait": shutdown_wait,
    "cut_off": cut_off,
    "socket_stop": socket_stop,
    "exit_sigterm": exit_sigterm,
    "exit_sigint": exit_sigint,
    "ctrl_c": ctrl_c,
    "failed_start": failed_start,
}
"""The probe of each trait of which a variant, and its stack alone, show a value at their end."""


def background_task(down: Down) -> Shown:
    """See what became of work that the framework's own means had begun, and that would have ended soon."""
    return _fate(down, "the framework's own", BACKGROUND_TASK)


def bare_task(down: Down) -> Shown:
    """See what became of a task that was only started."""
    return _fate(down, "a task that nobody holds", BARE_TASK)


def _fate(down: Down, what: str, seconds: float) -> Shown:
    call = down.call(seconds)
    if call is None or call.end is None:
        return Shown("not-there" if call is None else OTHER, f"{what}: there is no such thing on this stack", down.seen)
    fate = "broken off" if call.was_left else "done"
    evidence = f"work of {seconds:g} s in {what} was {fate} {call.end - down.asked:.2f} s after SIGTERM"
    return Shown("broken-off" if call.was_left else "waited-for", evidence, down.seen)


BACKGROUND_TASK, BARE_TASK = 1.5, 4.0
"""Seconds that work takes in each of these."""

HOMELESS_PROBES: dict[str, Callable[[Down], Shown]] = {"background_task": background_task, "bare_task": bare_task}
"""The probe of each trait that only a minimal application shows: a right variant has none of these."""

"""Experiments on the end of a server: SIGTERM in the middle of everything, Ctrl-C in a terminal, a start that fails."""

from http import HTTPStatus
from typing import Final

from shared.lab.causes import Cause
from shared.lab.experiment import Answer, Ask
from shared.lab.finding import EARLY, Finding, sure
from shared.lab.follow import background, body
from shared.lab.places import (
    BEGIN_BACKGROUND,
    CALL_WORK,
    COMPUTE,
    CONVERSATION_ENDPOINT,
    LIFESPAN,
    OPEN_BACKGROUND,
    OPEN_WORKERS,
    SERVE,
    SLOW_ASYNC_OPERATION,
    WORK_IN_BACKGROUND,
)
from shared.lab.processes import n_for
from shared.lab.shutdown import KNOCKS, Down, go_down
from shared.lab.stream import events
from shared.lab.talk import Hear, start
from shared.lab.terminal import Pressed
from shared.lab.upstream import Call
from shared.lab.variants import Variant
from shared.lab.verdict import doubt
from shared.lesson.command import SHUTDOWN_WAIT
from shared.lesson.contract import FACTORS, SOCKET, TASKS
from shared.lesson.jobs import GRACE
from shared.lesson.limits import MAX_SECONDS
from tests.computing import begun_anew

QUICK: Final = 1.0
LATE: Final = SHUTDOWN_WAIT + 3.0
"""Seconds that a request takes which can end in time, and one which cannot, though a busy machine may be late with the signal."""

ATTENTIVE: Final = LATE + 0.6
RACE: Final = LATE + 0.9
"""Seconds that two more of these take; the second is the quickest of its calls, and others take two and three times as long."""

SHORT_STREAM: Final = 0.4
LONG_STREAM: Final = LATE / 3 + 0.1
"""Seconds of the shortest of a stream's tasks; the longest takes three times as long. A call is known by how long it takes, so no
task of the long one takes as long as anything else here."""

SHORT_WORK: Final = SHUTDOWN_WAIT + GRACE / 2
LONG_WORK: Final = SHUTDOWN_WAIT + GRACE + 4.0
LONGER_WORK: Final = LONG_WORK + 0.5
"""Seconds that work in the background takes which can end in time, and that two pieces take which cannot."""

LAST: Final = SHUTDOWN_WAIT + GRACE
"""Seconds after which a server that was asked to stop has nothing more to wait for."""

ROOM: Final = GRACE - 0.2
"""Seconds that each of these may take besides on a busy machine: a little less than the nearest wrong, which is one wait more."""

SHORT_TASK: Final = 1.2
LONG_TASK: Final = SHUTDOWN_WAIT + 5.0
"""Seconds that a task takes in a conversation which can end in time, where there is any, and which cannot."""

COMPUTING: Final = 0.4
"""Seconds of work for a processor, about: it has to be under way at SIGTERM."""

AT_CTRL_C: Final = 0.3
"""The same at Ctrl-C: a machine that has eight times as much to do still ends it within `SHUTDOWN_WAIT`."""

PIECES: Final = {
    "a request": Ask(f"/patient?seconds={QUICK}"),
    "a long request": Ask(f"/patient?seconds={LATE}"),
    "an attentive request": Ask(f"/attentive?seconds={ATTENTIVE}"),
    "a race": Ask(f"/first?seconds={RACE}"),
    "three waits": Ask(f"/sequential?seconds={MAX_SECONDS:g}"),
    "a stream": Ask(f"/as-completed?seconds={SHORT_STREAM}"),
    "a long stream": Ask(f"/as-completed?seconds={LONG_STREAM}"),
    "work": background(SHORT_WORK),
    "long work": background(LONG_WORK),
    "longer work": background(LONGER_WORK),
    "a conversation": Ask(
        *("/ws", SOCKET), status=101, says=(start("short", SHORT_TASK), start("long", LONG_TASK), Hear("done", "long"))
    ),
    "a silent conversation": Ask("/ws", SOCKET, status=101, says=(Hear("done"),)),
}
CUT_OFF: Final = {
    "a long request": (LATE,),
    "a long stream": tuple(factor * LONG_STREAM for factor in FACTORS),
    "an attentive request": (ATTENTIVE,),
    "a race": tuple(factor * RACE for factor in FACTORS),
}
"""What cannot end in time, and how long its calls take."""

CALLS: Final = 17
"""How many calls these have under way at once: each stream and the race have three, and the conversation two."""

GIVEN_UP: Final = 504
TRIES, MORE_TRIES = 3, 2
"""How often to stop a server that is late; and how often besides, where it had no processor for long."""


def go_down_amid_work(variant: Variant) -> Down:
    """Stop a variant in the middle of everything; again, where it was late: that may be noise."""
    seconds = COMPUTING
    down = _go_down(variant, seconds)
    for number in range(1, TRIES + MORE_TRIES):
        findings = wrong_with(down)
        amid = down.after(down.answers["work on the CPU"]) > 0
        if amid and all(finding.certain for finding in findings):
            break
        if number >= TRIES and down.starved < ROOM / 2:
            break
        if findings:
            doubt(findings[0])
        seconds *= 1 if amid else 2
        down = _go_down(variant, seconds)
    return down


def _go_down(variant: Variant, computing: float) -> Down:
    work = Ask(f"/cpu?n={n_for(computing)}&limit={MAX_SECONDS:g}")
    return go_down(variant, {**PIECES, "work on the CPU": work}, CALLS)


def told(answer: Answer) -> list[str]:
    """Return the names of the events that a stream told, as far as it came."""
    whole = Answer(answer.ask, answer.sent, body=answer.body[: answer.body.rfind(b"\n\n") + 2], arrivals=answer.arrivals)
    return [event.name for event in events(whole)] if whole.body.endswith(b"\n\n") else []


def workers_begin_anew(down: Down) -> list[Finding]:
    """Find forks among a server's processes: what it cuts off stays open until they have ended as well."""
    return begun_anew(down.forks)


def nothing_is_given_up(down: Down) -> list[Finding]:
    """Find that a service was given up that was only as slow as it had been asked to be; or as a busy machine made it."""
    for name, answer in down.answers.items():
        in_time = down.after(answer) < SHUTDOWN_WAIT - EARLY  # Later it may be how the server cuts it off.
        if answer.status == GIVEN_UP and in_time and answer.ask.known and answer.ask.known.works:
            sentence = f"{name}, whose service takes {answer.ask.wait:g} s as it was asked to, was answered {GIVEN_UP}"
            return [Finding(Cause.NO_DEADLINE, f"{sentence} after {answer.seconds:.2f} s", places=(CALL_WORK,), ask=answer.ask)]
    return []


def what_can_end_ends(down: Down) -> list[Finding]:
    """Find that a request or a stream was cut off that would have ended in time."""
    for name in ("a request", "a stream"):
        answer = down.answers[name]
        whole = answer.status == 200 and not answer.error and (name == "a request" or told(answer).count("result") == 3)
        if not whole:
            sentence = f"{name} that takes {QUICK:g} s or little more was under way at SIGTERM, and {outcome(down, answer)}"
            sentence = f"{sentence}; {SHUTDOWN_WAIT} s are there to end in"
            return [Finding(Cause.CUT_SHORT, sentence, places=(SERVE, LIFESPAN))]
    return []


def outcome(down: Down, answer: Answer) -> str:
    """Say what became of an answer."""
    status = f"answered {answer.status}" if answer.status else "without an answer"
    how = f", broken off ({answer.error.partition(':')[0]})" if answer.error else ""
    return f"was {status}{how} {down.after(answer):.2f} s later"


def what_cannot_end_is_cut_off(down: Down) -> list[Finding]:
    """Find that what takes too long was cut off before its time, or waited for."""
    for name in CUT_OFF:
        answer, after = down.answers[name], down.after(down.answers[name])
        whole = answer.status == 200 and not answer.error and (name != "a long stream" or told(answer).count("result") == 3)
        sentence = f"{name} was under way at SIGTERM, and {outcome(down, answer)}; {SHUTDOWN_WAIT} s are right"
        if not whole and after < SHUTDOWN_WAIT - EARLY:
            # On a busy machine a service may be given up before there is a signal.
            return [Finding(Cause.CUT_SHORT, sentence, certain=after > 0, places=(SERVE, LIFESPAN))]
        if whole or after >= SHUTDOWN_WAIT + ROOM:
            return [Finding(Cause.LINGERS, sentence, places=(SERVE,))]
    return []


def what_is_cut_off_is_broken_off(down: Down) -> list[Finding]:
    """Find that a call went on for a request that had been cut off, until the server's process ended."""
    for name, takes in CUT_OFF.items():
        request = down.answers[name]
        for call in filter(None, map(down.call, takes)):
            after = (call.end or down.gone) - down.asked
            # Right: with its request. Wrong: with the process, which waits for work in the background besides.
            if after >= SHUTDOWN_WAIT + ROOM:
                sentence = f"{name} was cut off {down.after(request):.2f} s after SIGTERM, and its call went on until {after:.2f}"
                return [Finding(Cause.RUNS_ON, sentence, ask=request.ask)]
    return []


def a_cancelled_wait_is_the_last(down: Down) -> list[Finding]:
    """Find that a handler began its next wait when the one before had been cut off, which takes longer than there is time."""
    answer = down.answers["three waits"]
    # What else has such a name had begun before SIGTERM, unless a busy machine was very late.
    begun = [line for task in TASKS[1:] if (line := f"[ASYNC] Starting {task}") in down.printed]
    if not begun:
        return []
    sentence = f"the first of three waits of {MAX_SECONDS:g} s each was under way at SIGTERM, and was cut off"
    sentence = f"{sentence}; then the log says {' and '.join(map(repr, begun))}"
    return [Finding(Cause.UNCANCELLABLE, sentence, places=(SLOW_ASYNC_OPERATION,), ask=answer.ask)]


def nobody_new_is_served(down: Down) -> list[Finding]:
    """Find that somebody who came after the signal was served as ever."""
    if down.knocked.status != HTTPStatus.OK:
        return []
    sentence = f"a client that connected {KNOCKS:g} s after SIGTERM was still served: its /ping was answered 200"
    # On a busy machine the server may not have been told by then.
    return [Finding(Cause.LINGERS, f"{sentence}; nobody new is to be taken on", places=(SERVE,), ask=down.knocked.ask)]


def conversations_end(down: Down) -> list[Finding]:
    """Find that what runs in a conversation was not broken off when there was no time left for it."""
    answer, late = down.answers["a conversation"], down.call(LONG_TASK)
    if late is None:
        sentence = f"a conversation was under way at SIGTERM, and of its two tasks not both had begun ({answer.error})"
        return [Finding(Cause.WRONG_CALL, sentence, places=(CONVERSATION_ENDPOINT,))]
    after = (late.end or down.gone) - down.asked
    if after >= SHUTDOWN_WAIT + ROOM or not late.was_left:
        sentence = f"a task of {LONG_TASK:g} s in a conversation ended {after:.2f} s after SIGTERM; {SHUTDOWN_WAIT} s are there"
        return [Finding(Cause.LINGERS, sentence, places=(CONVERSATION_ENDPOINT, SERVE))]
    silent = down.answers["a silent conversation"]
    if silent.talk.status and bool(silent.talk.code) != bool(answer.talk.code):
        codes = f"the one in which tasks ran with the close code {answer.talk.code}, the silent one with {silent.talk.code}"
        sentence = f"two conversations were under way at SIGTERM, and ended differently: {codes}"
        return [Finding(Cause.LINGERS, sentence, places=(LIFESPAN, CONVERSATION_ENDPOINT, SERVE))]
    return []


def work_ends_or_is_reported(down: Down) -> list[Finding]:
    """Find that work in the background was lost that could have ended, or broken off without a word, or too early, or late."""
    ended, late = down.call(SHORT_WORK), {name: down.call(seconds) for name, seconds in LATE_WORK.items()}
    if ended is None or None in late.values():
        sentence = "of three pieces of work that were accepted not all had begun at SIGTERM"
        return [Finding(Cause.LOST, sentence, places=(OPEN_BACKGROUND, WORK_IN_BACKGROUND))]
    if ended.was_left or ended.end is None:
        after = (ended.end or down.gone) - down.asked
        sentence = f"work that had {SHORT_WORK:g} s to do at SIGTERM was broken off after {after:.2f} s; it may take {LAST:g}"
        return [Finding(Cause.LOST, sentence, places=(OPEN_BACKGROUND, BEGIN_BACKGROUND, LIFESPAN))]
    return next((found for name, call in late.items() if call and (found := _is_reported(down, name, call))), [])


SHUTDOWN_FAILED: Final = ("Application shutdown failed", "Lifespan failure in shutdown")
"""The words of uvicorn and of anycorn."""

LATE_WORK: Final = {"long work": LONG_WORK, "longer work": LONGER_WORK}


def _is_reported(down: Down, name: str, late: Call) -> list[Finding]:
    """Find that a piece of work which cannot end in time was not broken off when it should be, or without a word."""
    after = (late.end or down.gone) - down.asked
    how = "came to its end" if late.end and not late.was_left else "was broken off"
    sentence = (
        f"work that takes {LATE_WORK[name]:g} s {how} {after:.2f} s after SIGTERM; to be broken off after {LAST:g} is right"
    )
    if after < LAST - EARLY:  # It may also have come to its end, where a busy machine was late with the signal.
        return [Finding(Cause.LOST, sentence, certain=late.was_left, places=(OPEN_BACKGROUND, BEGIN_BACKGROUND, LIFESPAN))]
    if after >= LAST + ROOM:
        return [Finding(Cause.LINGERS, sentence, places=(OPEN_BACKGROUND,))]
    job = str(body(down.answers[name]).get("id"))
    named = any(job in line for line in down.printed.splitlines())
    return [] if named else sure(Cause.LOST, f"{sentence}; the log does not name it", WORK_IN_BACKGROUND, OPEN_BACKGROUND)


def computing_ends(down: Down) -> list[Finding]:
    """Find that work on the CPU was cut off before its time, or waited for: on a busy machine it may take any."""
    answer = down.answers["work on the CPU"]
    after, whole = down.after(answer), answer.status == 200 and not answer.error
    sentence = f"work on the CPU was under way at SIGTERM, and {outcome(down, answer)}; {SHUTDOWN_WAIT} s are there to end in"
    if not whole and after < SHUTDOWN_WAIT - EARLY:
        return [Finding(Cause.CUT_SHORT, sentence, ask=answer.ask, places=(SERVE, LIFESPAN, OPEN_WORKERS))]
    lingers = Finding(Cause.LINGERS, sentence, ask=answer.ask, places=(SERVE, OPEN_WORKERS))
    return [lingers] if after >= SHUTDOWN_WAIT + ROOM else []


def left_to_the_server(pressed: Pressed) -> list[Finding]:
    """Find that work on the CPU was lost at Ctrl-C, which the worker gets as well; not that a busy machine was late with it."""
    answer = pressed.computed
    if answer is None or answer.status == 504 or (answer.status == 200 and not answer.error):
        return []
    after, got = answer.received - pressed.at, f"answered {answer.status}" if answer.status else "broken off"
    if not 0 < after < SHUTDOWN_WAIT - EARLY:
        return []
    sentence = (
        f"work on the CPU was under way at Ctrl-C, and was {got} {after:.2f} s later; {SHUTDOWN_WAIT} s are there to end in. "
        "A terminal sends the signal (SIGINT) to the worker process as well, and that has to ignore it"
    )
    return [Finding(Cause.CUT_SHORT, sentence, certain=True, places=(COMPUTE, OPEN_WORKERS, SERVE), ask=answer.ask)]


def the_end_is_no_error(down: Down) -> list[Finding]:
    """Find that the lifespan failed at its end: an ASGI server says so, whatever it ends with, and another exit code tells it."""
    said = next((line for line in down.printed.splitlines() if any(words in line for words in SHUTDOWN_FAILED)), "")
    sentence = f"after SIGTERM the log says {said!r}: an error got out of the lifespan, such as the end of a deadline"
    return sure(Cause.CRASHED, sentence, LIFESPAN, OPEN_BACKGROUND) if said else []


def it_stops_in_time(down: Down) -> list[Finding]:
    """Find that a server had not ended when it had nothing more to wait for."""
    if down.exit_code is None:
        return sure(
            Cause.LINGERS,
            f"{down.seconds:.0f} s after SIGTERM it had not ended, and was killed",
            SERVE,
            OPEN_BACKGROUND,
            LIFESPAN,
        )
    late = [call.end for seconds in LATE_WORK.values() if (call := down.call(seconds)) and call.end]
    last = max(LAST, *(end - down.asked for end in late)) if late else LAST
    if down.seconds >= last + ROOM:
        sentence = f"it ended {down.seconds:.2f} s after SIGTERM, and its last work after {last:.2f}; {LAST:g} s are right"
        return [Finding(Cause.LINGERS, sentence, places=(SERVE, OPEN_BACKGROUND, LIFESPAN))]
    return []


def nothing_is_left(down: Down) -> list[Finding]:
    """Find what a server has left behind."""
    return sure(Cause.LEAK, f"when it had ended there was still {down.left[0]}", LIFESPAN) if down.left else []


def wrong_with(down: Down) -> list[Finding]:
    """Find what is wrong with an end: the first thing that another follows from."""
    return next((findings for check in CHECKS if (findings := check(down))), [])


CHECKS = (
    *(workers_begin_anew, nothing_is_given_up, what_can_end_ends, what_cannot_end_is_cut_off, a_cancelled_wait_is_the_last),
    *(nobody_new_is_served, conversations_end, work_ends_or_is_reported, computing_ends, it_stops_in_time, nothing_is_left),
    *(what_is_cut_off_is_broken_off, the_end_is_no_error),
)

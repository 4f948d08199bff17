"""The end of a server: what ends, what is told, how long it takes, what is left; and what each variant declares of it.

`WORKBOOK_SHUTDOWNS=20` in the environment has each server stopped twenty times in the middle of everything, instead of once.
"""

import pytest

from shared.lab.causes import Cause
from shared.lab.experiment import Observation
from shared.lab.finding import EARLY, sure
from shared.lab.places import CREATE_APP, LIFESPAN, OPEN_BACKGROUND, SERVE
from shared.lab.probes_ending import ENDING_PROBES, End
from shared.lab.shutdown import LONGEST
from shared.lab.traits import strange, wrong
from shared.lab.variants import Variant
from shared.lab.verdict import accuse
from shared.lesson.command import SHUTDOWN_WAIT
from shared.lesson.jobs import GRACE
from tests.conftest import keep_line
from tests.crowd import Crowd
from tests.going_down import left_to_the_server, nothing_is_given_up, workers_begin_anew, wrong_with
from tests.trouble import Burst, Trouble

AT_ONCE = 0.9 * GRACE
"""Seconds. Right: a few tenths. Wrong: all the time that work in the background is given, or more, where there is none."""


def test_it_ends_as_declared(subject: Variant, going_down: list[End]) -> None:
    """At SIGTERM what can end in time ends, the rest is cut off or broken off and told, and nothing is left, in five seconds."""
    for end in going_down:
        accuse(subject, end.down.seen, wrong_with(end.down))


def test_ctrl_c_in_a_terminal(subject: Variant, going_down: list[End]) -> None:
    """Ctrl-C lets the request and the work under way end, and ends the upstreams and workers that the variant has started."""
    for end in going_down:
        seen, pressed = end.pressed.seen, end.pressed
        accuse(subject, seen, left_to_the_server(pressed))
        if pressed.answer.status != 200 or pressed.answer.error:
            sentence = f"a request was under way at Ctrl-C, and was answered {pressed.answer.status}, {pressed.answer.error}"
            accuse(subject, seen, sure(Cause.CUT_SHORT, sentence, SERVE))
        if pressed.left:
            accuse(subject, seen, sure(Cause.LEAK, f"after Ctrl-C there was still {pressed.left[0]}", LIFESPAN))
        if pressed.exit_code is None:
            accuse(subject, seen, sure(Cause.LINGERS, "after Ctrl-C it had to be killed", SERVE, LIFESPAN))


def test_who_reads_nothing_does_not_hold_it_up(subject: Variant, burst: Burst) -> None:
    """A client that reads nothing, of a long answer or in a conversation, cannot keep the server from its end, nor others'."""
    seen, request, after = burst.unread.seen, burst.unread.request, burst.unread.request.received - burst.unread.asked
    # Later it has had its time, which a busy machine may need.
    if request.status != 200 and burst.unread.under_way and 0 < after < SHUTDOWN_WAIT - EARLY:
        became = f"answered {request.status}" if request.status else f"not answered ({request.error.partition(':')[0]})"
        sentence = (
            f"while clients read nothing, {request.ask.path} was under way at SIGTERM, and was {became} {after:.2f} s later"
        )
        sentence = f"{sentence}; {SHUTDOWN_WAIT} s are there to end in"
        accuse(subject, Observation([request]), sure(Cause.CUT_SHORT, sentence, CREATE_APP, LIFESPAN, SERVE))
    if not burst.unread.ended:
        sentence = "a client read nothing of /as-completed, and another no reply of a conversation; the server was asked to stop"
        accuse(subject, seen, sure(Cause.LINGERS, f"{sentence}, and {LONGEST:g} s later it had not ended", SERVE, CREATE_APP))


def test_an_idle_server_ends_at_once(subject: Variant, crowd: Crowd, trouble: Trouble) -> None:
    """A server that has nothing to do waits for nothing when it is asked to stop: of two such, one ends at once."""
    if (soonest := min(crowd.stops, trouble.stops)) > AT_ONCE:
        sentence = f"two servers that had nothing to do were asked to stop, and ended {soonest:.2f} s later at the soonest"
        accuse(
            subject, Observation([]), sure(Cause.LINGERS, f"{sentence}; nothing is to be waited for", LIFESPAN, OPEN_BACKGROUND)
        )


@pytest.mark.parametrize("key", ENDING_PROBES)
def test_a_statement_on_the_end_is_true(subject: Variant, going_down: list[End], key: str) -> None:
    """What a variant says of how its stack ends is what it was seen to do."""
    for end in going_down:
        shown = ENDING_PROBES[key](end)
        keep_line(subject, {"trait": key, "value": shown.value, "evidence": shown.evidence})
        findings = [*strange(subject, key), *wrong(subject, key, shown)]
        if findings:  # What was seen may be the doing of something else that is wrong.
            accuse(subject, end.down.seen, workers_begin_anew(end.down) or nothing_is_given_up(end.down))
        accuse(subject, shown.seen, findings)

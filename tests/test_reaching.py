"""What a variant makes of services that cannot be reached: nobody listens, or a connection hangs."""

import json
from dataclasses import replace

from shared.lab.causes import Cause
from shared.lab.experiment import Answer
from shared.lab.finding import EARLY, Finding, sure
from shared.lab.follow import body
from shared.lab.places import BEGIN, GET_ANSWER, IN_OUR_WORDS, OPEN_CLIENT, STREAM_ANSWER
from shared.lab.rules import broken
from shared.lab.stream import events
from shared.lab.variants import Variant
from shared.lab.verdict import accuse
from shared.lesson.calls import MAX_CALLS
from tests.doors import ANSWERS, CONNECTS, FULL, MODEL, REFUSES, Doors, given_up, goes_on
from tests.test_resilience import DEADLINE, accuse_in_trouble, remains, wrong_in_trouble
from tests.trouble import BEFORE, NAMES, TOO_LATE, Case, Fault


def wrong_unreached(answer: Answer, case: Case, log: str) -> list[Finding]:
    """Find what is wrong with the answer to a request whose service cannot be reached: its status, and its words."""
    if findings := wrong_in_trouble(answer, case, log):
        return findings
    detail = (events(answer)[-1].data if answer.status == 200 else json.loads(answer.body))["detail"]
    if detail == f"The {NAMES[case.service]} cannot be reached.":
        return []
    return sure(Cause.WRONG_ERROR, f"{case.label} was told {detail!r}, and not that it cannot be reached", IN_OUR_WORDS)


def test_no_proxy_is_asked(subject: Variant, doors: Doors) -> None:
    """A proxy that the environment names is for the world outside: no call to a service, which carries a key, goes there."""
    if doors.proxied:
        sentence = f"{len(doors.proxied)} calls, the first of them to {doors.proxied[0]}, went to the proxy that http_proxy names"
        accuse(subject, doors.unreached[0].rounds[0], sure(Cause.PROXIED, sentence, OPEN_CLIENT))


def test_a_service_that_cannot_be_reached(subject: Variant, doors: Doors) -> None:
    """A connection that is refused, or not there in time, is a 502 that says so, for each service, and after it all is well."""
    for one in doors.unreached:
        accuse_in_trouble(subject, one.cases, one.rounds, wrong_unreached)
        accuse(subject, one.after[-1], [] if goes_on(one) else broken(one.after[-1]))


def test_a_connection_that_hangs_is_given_up_in_time(subject: Variant, doors: Doors) -> None:
    """It is given up at the deadline for a connection: never before, and in one of a few tries not much later."""
    for one in doors.unreached:
        for place, case in enumerate(one.cases):
            # Of another answer the test above tells, which may well be early.
            right = [seen for seen in one.rounds if not wrong_unreached(seen.answers[place], case, "")]
            most = given_up(replace(one, rounds=right), place)[0] if right else CONNECTS
            least = given_up(one, place)[1]
            if case.fault.kind == "hang" and most < CONNECTS - EARLY:
                sentence = f"{case.label} was given up after {most:.2f} s, and a connection has {CONNECTS:g}"
            elif least > TOO_LATE * CONNECTS:
                sentence = f"{case.label} was given up after {least:.2f} s at best, and a connection has {CONNECTS:g}"
            else:
                continue
            places = (OPEN_CLIENT, BEGIN)
            accuse(subject, one.rounds[-1], [Finding(Cause.NO_DEADLINE, sentence, places=places, ask=case.ask)])


def test_the_deadline_is_the_one_that_is_set(subject: Variant, doors: Doors) -> None:
    """A model that is silent is given up when the deadline is over that the settings give it, and not at the default."""
    for answer in doors.silent.answers:
        case = Case(answer.ask, "chat", Fault("silence", 504))
        accuse(subject, doors.silent, wrong_in_trouble(answer, case, "\n".join(doors.silent.printed)))
        due = BEFORE["chat"] + ANSWERS
        if answer.seconds < due - EARLY:
            path = answer.ask.path.partition("?")[0]
            sentence = (
                f"{path} gave a silent model up after {answer.seconds:.3f} s; with CHAT_DEADLINE={ANSWERS:g} {due:.2f} are due"
            )
            accuse(subject, doors.silent, [Finding(Cause.NO_DEADLINE, sentence, places=DEADLINE, ask=answer.ask)])


def test_the_model_is_the_one_that_is_set(subject: Variant, doors: Doors) -> None:
    """The model that is asked, for a whole answer and for a stream, is the one that the settings name."""
    for call in doors.silent.calls:
        if call.service == "chat" and call.sent["model"] != MODEL:
            sentence = f"with OPENAI_CHAT_MODEL={MODEL} the model {call.sent['model']} was asked"
            place = STREAM_ANSWER if call.sent.get("stream") else GET_ANSWER
            accuse(subject, doors.silent, sure(Cause.WRONG_CALL, sentence, place))


def test_a_refused_connection_is_tried_again(subject: Variant, doors: Doors) -> None:
    """A search whose first connection is refused makes another a moment later, and is answered where that is accepted."""
    lost = [one.seen for one in doors.again if one.in_time and one.seen.answers[0].status != 200]
    if lost and not any(one.helped for one in doors.again):
        answer = lost[-1].answers[0]
        sentence = f"a connection to the embeddings service was refused, and {REFUSES:g} s later accepted again; in none"
        sentence = f"{sentence} of {len(doors.again)} tries did a second attempt help: the search was answered {answer.status}"
        accuse(subject, lost[-1], [replace(*sure(Cause.WRONG_CALL, sentence, BEGIN), ask=answer.ask)])


def test_who_waits_for_a_place_does_not_wait_for_a_connection(subject: Variant, doors: Doors) -> None:
    """While all places for calls are taken, who comes may wait for one as long as for an answer: no connection hangs there."""
    answer, *others = doors.crowded.answers
    # Where there was a place, its own connection may have taken too long, on a busy machine.
    if answer.status == 502 and answer.received < min(
        other.received for other in others if other.ask.endpoint.path == "/limited"
    ):
        detail = body(answer).get("detail")
        sentence = f"{MAX_CALLS} calls were under way for {FULL[-1]:g} s, and a search that came then was answered 502 after"
        sentence = f"{sentence} {answer.seconds:.2f} s: {detail!r}; a connection has {CONNECTS:g} s, and a wait for a place more"
        accuse(subject, doors.crowded, [replace(*sure(Cause.NO_DEADLINE, sentence, OPEN_CLIENT), ask=answer.ask)])


def test_services_that_cannot_be_reached_leave_nothing(subject: Variant, doors: Doors) -> None:
    """No task, thread, connection or call is left when connections have been refused and have hung."""
    accuse(subject, doors.unreached[-1].after[-1], remains(doors.left))

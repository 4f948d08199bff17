"""From a reader's start to the end: default waits, silent and dead upstreams, errors that nobody foresaw, signals."""

import math
from dataclasses import replace
from typing import Any

from shared.lab.causes import Cause
from shared.lab.complaints import left_open
from shared.lab.experiment import Answer, Observation
from shared.lab.finding import EARLY, sure
from shared.lab.follow import body
from shared.lab.host import PLANTED, Crash
from shared.lab.places import (
    ANSWER_STREAM,
    CALL_UPSTREAM,
    CALL_WORK,
    COMPUTE,
    CONVERSATION_ENDPOINT,
    HANDLE_ERROR,
    LIFESPAN,
    OPEN_BACKGROUND,
    OPEN_WORKERS,
    SEARCH_DEMO,
    SERVE,
    STREAM_ANSWER,
    STREAM_UPSTREAM,
    WORK_AND_TELL,
    WORK_IN_BACKGROUND,
    WORK_ON,
)
from shared.lab.refusal import refused
from shared.lab.rules import broken, elapsed, other_status
from shared.lab.stream import events
from shared.lab.talks import talked, understood
from shared.lab.variants import Variant
from shared.lab.verdict import accuse
from shared.lesson.command import KEEP_ALIVE
from shared.lesson.limits import MAX_SECONDS
from shared.lesson.settings import UPSTREAM_DEADLINE
from shared.lesson.upstreams import MAX_IDLE
from tests.background import (
    AGAIN_TOO_LATE,
    BUSY_FOR,
    COMPUTING_LIMIT,
    DEFAULT_LIMIT,
    IDLE_TOO_LONG,
    THREAD_WORKS,
    TOO_LONG,
    Ending,
    Reader,
    began,
    is_placed,
    times_logged,
)
from tests.test_computing import right
from tests.test_deadlines import late as limit_passed
from tests.trouble import CALLED, KEPT, NAMES

LEFT = (SEARCH_DEMO, ("waiting", "async_endpoint"), ("waiting", "threaded_endpoint"))
LEFT_STREAM = (STREAM_ANSWER, ANSWER_STREAM, STREAM_UPSTREAM)
"""What the clients leave that leave."""

ROUNDED = 0.001
"""Seconds by which the stream among the longest requests ends sooner: three times a third that is rounded."""

HEAD = b"HTTP/1.1 "
"""How an answer begins."""

STREAMS = {"/answer-stream": (STREAM_ANSWER,), "/as-completed": (WORK_ON,)}
"""Where what fails in a stream is caught."""


def serves(subject: Variant, reader: Reader) -> None:
    """Accuse a variant that does not say where it serves."""
    if not reader.answers:
        accuse(subject, Observation([]), sure(Cause.CRASHED, f"it does not say where it serves, but {reader.line!r}"))


def test_default_waits(subject: Variant, reader: Reader) -> None:
    """Without `seconds` an endpoint waits its documented time, and it may be asked for ten, as a reader starts it."""
    serves(subject, reader)
    seen = Observation(reader.answers)
    accuse(subject, seen, broken(seen))
    for answer in reader.answers[1:]:
        due = answer.ask.due
        if elapsed(answer) >= 1.5 * due:  # Midway to the nearest wrong, twice.
            accuse(subject, seen, sure(Cause.TOO_SLOW, f"{answer.ask.path} took {elapsed(answer):.2f} s by default, not {due:g}"))


def test_what_no_service_learns_has_its_defaults(subject: Variant, reader: Reader) -> None:
    """Who does not say how long a thread works, when its deadline is over, or how much is computed, gets what is documented."""
    serves(subject, reader)
    seen = Observation(reader.by_default)
    in_time, over, told_when, computed, unworked = reader.by_default
    # First: where it has no deadline, other work on a busy machine has none either.
    limit = f"The worker process did not end within {COMPUTING_LIMIT:g} seconds"
    if unworked.status == 504:
        accuse(subject, seen, refused(unworked, 504, limit))
    elif unworked.seconds > COMPUTING_LIMIT:
        sentence = f"while no worker worked, {limit_passed(unworked, COMPUTING_LIMIT)} by default"
        accuse(subject, seen, [replace(*sure(Cause.NO_DEADLINE, sentence), ask=unworked.ask)])
    successes = [replace(one, ask=replace(one.ask, status=200)) for one in (over, computed) if one.status != 504]
    accuse(subject, seen, broken(Observation([in_time, *successes])))
    for answer in (in_time, over):
        sentence = f"{answer.ask.path} was answered {answer.status} after {answer.seconds:.2f} s, and a thread that works for"
        sentence = f"{sentence} {THREAD_WORKS:g} s is right by default"
        if answer.status == 200 and answer.seconds < THREAD_WORKS - EARLY:
            accuse(subject, seen, [replace(*sure(Cause.TOO_FAST, sentence), ask=answer.ask)])
        if answer is in_time and elapsed(answer) >= TOO_LONG:
            accuse(subject, seen, [replace(*sure(Cause.TOO_SLOW, sentence), ask=answer.ask)])
    # A stack that waits for the thread's end answers both late, whatever the deadline.
    if over.status == 200 and told_when.status != 200:
        accuse(subject, seen, [replace(*sure(Cause.NO_DEADLINE, limit_passed(over, DEFAULT_LIMIT)), ask=over.ask)])
    if over.status == 504:
        accuse(subject, seen, refused(over, 504, f"The worker thread did not end within {DEFAULT_LIMIT:g} seconds"))
    # On a machine that is slow or busy enough, the time is over before so much is computed; no more is then known of it.
    findings = refused(computed, 504, limit) if computed.status == 504 else right(computed)
    accuse(subject, seen, [replace(finding, ask=computed.ask) for finding in findings])


def test_the_longest_that_may_be_asked_for(subject: Variant, reader: Reader) -> None:
    """A task of a conversation may take ten seconds, so may work in the background and any wait; and a deadline may be late."""
    serves(subject, reader)
    seen = Observation(reader.long)
    accuse(subject, seen, talked(seen))
    _, begun, one, other, *whole = reader.long
    for answer in whole:
        streamed = answer.ask.endpoint.streams and answer.status == 200 and answer.body.endswith(b"\n\n")
        names = [event.name for event in events(answer)] if streamed else ["result"]
        became = f"answered {answer.status}" if answer.status else f"not answered ({answer.error})"
        if answer.status == 200:
            became = f"broken off ({answer.error})" if answer.error else f"told {', '.join(names)}"
        sentence = f"{answer.ask.path} was {became} after {answer.seconds:.2f} s, and 10 are right: that was asked for"
        if answer.status != 200 or answer.error or names != ["result"]:
            accuse(subject, seen, [replace(*sure(Cause.NO_DEADLINE, sentence), ask=answer.ask)])
        if answer.seconds < MAX_SECONDS - EARLY - ROUNDED:
            accuse(subject, seen, [replace(*sure(Cause.TOO_FAST, sentence), ask=answer.ask)])
    accuse(subject, seen, broken(Observation(whole)))
    if not begun.status:
        accuse(subject, seen, [replace(finding, ask=begun.ask) for finding in other_status(begun, seen)])
    told = body(reader.work) if reader.work else {}
    if told.get("state") != "done":
        sentence = f"work in the background that takes {begun.ask.wait:g} s was answered {begun.status}, and then told as {told}"
        given_up = "did not answer within" in str(told.get("problem"))
        findings = sure(Cause.NO_DEADLINE, sentence, CALL_WORK) if given_up else sure(Cause.LOST, sentence, WORK_IN_BACKGROUND)
        accuse(subject, seen, [replace(*findings, ask=begun.ask)])
    for answer in (one, other):
        limit = float(answer.ask.path.partition("limit=")[2] or DEFAULT_LIMIT)
        if answer.status == 200 or answer.seconds < limit - EARLY:
            accuse(subject, seen, [replace(*sure(Cause.NO_DEADLINE, limit_passed(answer, limit)), ask=answer.ask)])
        accuse(subject, seen, refused(answer, 504, f"within {limit:g} seconds"))


def test_an_idle_connection_is_closed(subject: Variant, reader: Reader) -> None:
    """A connection on which nothing more is asked for is closed when the time agreed is over, and not before."""
    serves(subject, reader)
    idle = reader.idle
    if idle is not None and not KEEP_ALIVE - EARLY <= idle < math.inf:
        how = f"closed after {idle:.2f} s" if math.isfinite(idle) else f"still open {IDLE_TOO_LONG:g} s later"
        sentence = f"after a /ping nothing more was asked for on its connection, and that was {how}; {KEEP_ALIVE:g} s are right"
        accuse(subject, Observation([]), sure(Cause.IDLE_TIME, sentence, SERVE))


def test_upstreams_end_with_a_killed_variant(subject: Variant, reader: Reader) -> None:
    """A variant brings its upstreams along, and they are gone with it even when it is killed."""
    seen = Observation(reader.answers)
    if reader.upstreams < 1:
        accuse(subject, seen, sure(Cause.WRONG_CALL, "it runs without a process for its upstreams", LIFESPAN))
    if reader.left:
        accuse(
            subject,
            seen,
            sure(Cause.LEAK, f"{reader.left} processes that it had started are left after it was killed", LIFESPAN, OPEN_WORKERS),
        )


def test_departed_clients_leave_nothing(subject: Variant, ending: Ending) -> None:
    """Clients that leave half-way, or in mid-stream, leave no task, thread, connection or call behind; the server goes on."""
    departures = (
        ("fifty clients had left /async, /search-demo and /threaded", LEFT),
        ("twenty clients had left /answer-stream in mid-stream", LEFT_STREAM),
    )
    for left, (who, places) in zip(ending.departed, departures, strict=True):
        if found := left.in_words():
            sentence = f"ten seconds and more after {who} there was still {found[0]}"
            accuse(subject, ending.after_departures, sure(Cause.LEAK, sentence, *places))
    if ending.kept > KEPT:
        sentence = (
            f"{MAX_IDLE:g} s after clients had left, and one search, there were still {ending.kept} connections to services"
        )
        accuse(subject, ending.after_departures, sure(Cause.LEAK, sentence, *LEFT, *LEFT_STREAM))
    accuse(subject, ending.after_departures, broken(ending.after_departures))


def test_silent_upstreams(subject: Variant, ending: Ending) -> None:
    """A service that is silent, or drips, is a 504 at the deadline and not before, and its call is broken off."""
    for service, seen in ending.silent.items():
        for answer in seen.answers:
            limit = UPSTREAM_DEADLINE + answer.ask.wait  # Work may take so much longer as it is asked to.
            words = f"The {NAMES[service]} did not answer within {limit:g} seconds."
            if answer.status == 200 and answer.seconds > UPSTREAM_DEADLINE:
                sentence = f"while the {NAMES[service]} was silent, it was waited for, for {answer.seconds:.2f} s"
                accuse(subject, seen, sure(Cause.NO_DEADLINE, sentence, CALLED[service]))
            accuse(subject, seen, refused(answer, 504, words, log="\n".join(seen.printed)))
        silent = [call for call in seen.calls if call.service == service]
        for call in silent:
            open_for = (call.end or seen.ended) - call.start
            sentence = (
                f"a call to the silent {NAMES[service]} was given up after {open_for:.2f} s: {UPSTREAM_DEADLINE:g} are right"
            )
            # Right: the deadline. Nearest wrong: one that starts anew, or twice as long.
            if not call.broken_off or open_for >= 1.5 * UPSTREAM_DEADLINE:
                accuse(subject, seen, sure(Cause.NO_DEADLINE, sentence, CALLED[service]))
        if min(answer.seconds for answer in seen.answers) < UPSTREAM_DEADLINE - EARLY:
            accuse(subject, seen, sure(Cause.NO_DEADLINE, "504 before the deadline was over", CALLED[service]))


def test_all_attempts_have_one_deadline(subject: Variant, ending: Ending) -> None:
    """A service that says late that it is busy, and is silent when it is asked again, is given up when one deadline is over."""
    answer = ending.late.answers[0]
    accuse(subject, ending.late, refused(answer, 504, log="\n".join(ending.late.printed)))
    if answer.seconds >= AGAIN_TOO_LATE:
        sentence = f"a service was busy for {BUSY_FOR:g} s, and then silent; the search was given up after {answer.seconds:.2f} s"
        accuse(subject, ending.late, sure(Cause.NO_DEADLINE, f"{sentence}, and {UPSTREAM_DEADLINE:g} are right", CALL_UPSTREAM))


def test_a_late_service_is_told_where_the_answer_has_begun(subject: Variant, ending: Ending) -> None:
    """In a stream and in a conversation a service that does not answer in time is told as an event, and as a message."""
    _, stream, talk = ending.late.answers
    accuse(subject, ending.late, talked(Observation([talk])))
    failed = talk.talk.first("failed", "a")
    told = {"/as-completed": error_in(stream), "/ws": failed.message if failed else {}}
    for answer in (stream, talk):
        problem = told[answer.ask.path.partition("?")[0]]
        if problem.get("status") != 504:
            sentence = f"while the work service was silent, {answer.ask.path} told {problem or 'no failure'}; a 504 is right"
            places = STREAMS["/as-completed"] if answer is stream else (WORK_AND_TELL,)
            accuse(subject, ending.late, [replace(*sure(Cause.WRONG_ERROR, sentence, *places), ask=answer.ask)])


def error_in(stream: Answer) -> dict[str, Any]:
    """Return what a stream told of a failure; nothing where it told none, or broke off."""
    told = events(stream) if stream.body.endswith(b"\n\n") else []
    return next((event.data for event in told if event.name == "error" and isinstance(event.data, dict)), {})


def test_an_unforeseen_error_is_silent_and_logged_once(subject: Variant, ending: Ending) -> None:
    """An error that nobody foresaw, bare or out of a task group, tells the client nothing, and the log all, once."""
    seen = Observation([*ending.crashes, ending.mixed])
    for answer in seen.answers:
        if PLANTED.encode() in answer.body and answer.status == 500:
            accuse(subject, seen, sure(Cause.TELLS_SECRETS, f"the 500 tells the client the error: {answer.body!r}", HANDLE_ERROR))
        when = "whose task group held a 401 of the stack's own and an error that nobody foresaw" if answer is ending.mixed else ""
        accuse(subject, seen, refused(answer, 500, when=when))
    # Those of one wait each: of three that fail together a stack may log one, or all.
    times = ending.crash_log.count(PLANTED)
    if times != 3:
        sentence = f"three errors that nobody foresaw are in the log {times} times"
        accuse(subject, seen, sure(Cause.WRONG_ERROR, sentence, HANDLE_ERROR))
    placed = sum(map(is_placed, ending.crash_log.split(PLANTED)))
    if placed < times:
        sentence = f"three errors that nobody foresaw are in the log, {times - placed} of them without a traceback"
        accuse(subject, seen, sure(Cause.WRONG_ERROR, sentence, HANDLE_ERROR))


def test_an_unforeseen_error_is_not_taken_for_another(subject: Variant, ending: Ending) -> None:
    """Wherever work is waited for, or a thread, an error that nobody foresaw is a 500, and in the log once."""
    seen, when = ending.crashed_waits, "while what it waits for fails as nobody foresaw"
    for answer in [*seen.answers, *ending.crashed_together]:
        accuse(subject, seen, refused(answer, 500, when=when, log="\n".join(seen.printed)))
    asked, times = len(seen.answers), times_logged(seen)
    if times != asked:
        sentence = f"{asked} requests of which each met an error that nobody foresaw left {times} of them in the log"
        accuse(subject, seen, sure(Cause.SWALLOWED if times < asked else Cause.WRONG_ERROR, sentence, HANDLE_ERROR))


def test_an_unforeseen_error_in_a_worker_is_not_its_death(subject: Variant, ending: Ending) -> None:
    """An error that a worker process meets is a 500, as anywhere, and in the log; that its process ended is something else."""
    seen = ending.crashed_worker
    when = "while its worker process meets an error that nobody foresaw"
    accuse(subject, seen, refused(seen.answers[0], 500, when=when, log="\n".join(seen.printed)))
    if not times_logged(seen):
        sentence = "a worker process met an error that nobody foresaw, and the log does not say so"
        accuse(subject, seen, sure(Cause.SWALLOWED, sentence, COMPUTE, HANDLE_ERROR))


def test_an_unforeseen_error_in_a_conversation_is_logged(subject: Variant, ending: Ending) -> None:
    """An error that nobody foresaw ends a conversation, and nobody but the log can be told of it, once."""
    talk = ending.crashed_talk
    accuse(subject, talk, [] if began(talk) else other_status(talk.answers[0], talk))
    accuse(subject, talk, understood(talk))
    if told := [heard.message for heard in talk.answers[0].talk.heard if PLANTED in str(heard.message)]:
        sentence = f"a task of a conversation failed as nobody foresaw, and its client was told the error: {told[0]}"
        accuse(subject, talk, sure(Cause.TELLS_SECRETS, sentence, WORK_AND_TELL))
    sentence, times = "a task of a conversation failed as nobody foresaw, and the log", times_logged(talk)
    if not times:
        accuse(subject, talk, sure(Cause.SWALLOWED, f"{sentence} does not say so", CONVERSATION_ENDPOINT, HANDLE_ERROR))
    if times > 1:
        accuse(subject, talk, sure(Cause.WRONG_ERROR, f"{sentence} says so {times} times", CONVERSATION_ENDPOINT))
    if not is_placed("\n".join(talk.printed)):
        sentence = f"{sentence} says so without a traceback"
        accuse(subject, talk, sure(Cause.WRONG_ERROR, sentence, WORK_AND_TELL, CONVERSATION_ENDPOINT))


def test_an_unforeseen_error_in_a_stream_is_logged(subject: Variant, ending: Ending) -> None:
    """An error that nobody foresaw in a stream that has begun is in the log, once, and nobody is told that all is done."""
    for seen, raw in zip(ending.crashed_streams, ending.crashed_bytes, strict=True):
        answer, times = seen.answers[0], times_logged(seen)
        sentence = f"{answer.ask.path} failed as nobody foresaw when its stream had begun, and"
        places = STREAMS[answer.ask.endpoint.path]
        # First: a client may take the whole answer for broken.
        if raw.count(HEAD) > 1:
            second = (HEAD + raw.split(HEAD)[2]).partition(b"\r\n")[0].decode(errors="replace")
            twice = f"{sentence} in its middle came a second answer: {second}"
            accuse(subject, seen, sure(Cause.WRONG_ERROR, twice, HANDLE_ERROR))
        accuse(subject, seen, [] if answer.status == 200 else other_status(answer, seen))
        if not times:
            accuse(subject, seen, sure(Cause.SWALLOWED, f"{sentence} the log does not say so", *places))
        if b"event: done" in answer.body:
            accuse(subject, seen, sure(Cause.SWALLOWED, f"{sentence} the client is told that all is done", *places))
        if times > 1:
            accuse(subject, seen, sure(Cause.WRONG_ERROR, f"{sentence} the log says so {times} times", *places))


def test_an_error_of_the_stacks_own_out_of_a_task_group(subject: Variant, ending: Ending) -> None:
    """An error that the stack answers by itself, raised in a task group or one in another, is that answer with its headers."""
    seen = Observation(ending.own_errors)
    for answer in ending.own_errors:
        if answer.status != 401:
            group = "a task group in another" if answer.ask.wait == Crash.OWN_OUT_OF_TWO_GROUPS else "a task group"
            sentence = f"{answer.ask.path}: an error of the stack's own, a 401 raised in {group}, was answered {answer.status}"
            accuse(subject, seen, sure(Cause.WRONG_ERROR, sentence, HANDLE_ERROR))
        accuse(subject, seen, refused(answer, 401, log=ending.log))
        if answer.headers.get("WWW-Authenticate") != "Basic":
            sentence = f"a 401 raised with the header WWW-Authenticate came with {answer.headers.get('WWW-Authenticate')!r} there"
            accuse(subject, seen, sure(Cause.WRONG_ERROR, sentence, HANDLE_ERROR))


def test_dead_upstreams(subject: Variant, ending: Ending) -> None:
    """A service that nobody listens for is a 502 that says so, and the server goes on."""
    search, ping = ending.dead
    seen = Observation(ending.dead)
    accuse(subject, seen, refused(search, 502, f"The {NAMES['embeddings']} cannot be reached.", log=ending.log))
    if ping.status != 200:
        accuse(subject, seen, sure(Cause.CRASHED, f"after a search without upstreams /ping was answered {ping.status}"))


def test_the_end(subject: Variant, ending: Ending) -> None:
    """Ctrl-C ends it in good order: nothing listens, nothing is complained of, nothing was left open, no key was told."""
    seen = Observation(ending.dead)
    if ending.listens:
        accuse(subject, seen, sure(Cause.LEAK, "when it had ended after SIGINT, somebody still listened on its port", LIFESPAN))
    if ending.exit_code:
        last = "".join(ending.log.rstrip().splitlines()[-1:])
        sentence = f"after SIGINT it ended with the exit code {ending.exit_code}, and its log with: {last}"
        accuse(subject, seen, sure(Cause.CRASHED, sentence, LIFESPAN, OPEN_BACKGROUND, SERVE))
    if line := left_open(ending.log):
        accuse(subject, seen, sure(Cause.LEAK, f"at the end the log says: {line}", LIFESPAN))
    if "not-a-secret" in ending.log or "budget" in ending.log:
        accuse(
            subject,
            seen,
            sure(Cause.TELLS_SECRETS, "the log shows the key of the service, or what was searched for", CALL_UPSTREAM),
        )

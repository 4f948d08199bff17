"""A conversation over `/ws`: `conversation.py`. The evidence is what a client heard, and what the service behind saw."""

from dataclasses import replace

from shared.lab import checks
from shared.lab.causes import Cause
from shared.lab.complaints import FEW, complaints
from shared.lab.experiment import Ask, Observation, run
from shared.lab.finding import EARLY, Finding, sure
from shared.lab.host import LATE, LATE_RESULT
from shared.lab.places import CONVERSATION_ENDPOINT, CREATE_APP, OPEN_CLIENT, WITH_REQUEST_ID, WORK_AND_TELL
from shared.lab.rules import misstated
from shared.lab.server import Server
from shared.lab.talk import ENDINGS, Hear, Leave, Pause, Say, Step, Talk, cancel, start
from shared.lab.talks import begun, ended, last_words, talked
from shared.lab.upstream import Call, most_at_once
from shared.lab.variants import Variant
from shared.lab.verdict import accuse, judge, prove
from shared.lesson.contract import SOCKET
from shared.lesson.messages import MAX_NAME, MAX_RUNNING, Refused
from shared.lesson.request_id import HEADER
from shared.lesson.upstreams import MAX_CALLS
from shared.lesson.work import FAILED, WORK
from tests.background import Ending
from tests.conftest import keep, keep_seen
from tests.crowd import HELD, KEPT, OFF, Crowd
from tests.trouble import Burst

FACTORS = {"a": 2, "b": 1, "c": 3}
"""How many waits each task of a conversation takes."""

WAITS = (0.15, 0.5, 1.5)
"""Seconds of a wait, for each try: what is told late by a busy machine is told in time when there is more of it."""

LONG = 8.0
"""Seconds of a task that is never worked on to its end."""

LEFT = "clients left a conversation"
CANCEL = ("conversation", "cancel_task")
HEAR = ("conversation", "next_message")


def converse(*steps: Step, headers: tuple[tuple[str, str], ...] = ()) -> Ask:
    """Return the request that begins a conversation."""
    return Ask("/ws", SOCKET, status=101, says=steps, headers=headers)


def unit(seen: Observation) -> float:
    """Return the wait of an experiment, in seconds: that of its shortest task."""
    return min(step.seconds for answer in seen.answers for step in answer.ask.says if isinstance(step, Say) and step.seconds)


def done(name: str) -> Hear:
    """Return the step that waits until a task is told to be done."""
    return Hear("done", name)


def calls(seen: Observation, name: str) -> list[Call]:
    """Return the calls of the work service that are about the task of this name."""
    return [call for call in seen.calls if call.task == name]


def test_each_result_is_told_when_it_is_there(server: Server) -> None:
    """Three tasks of one conversation are worked on together, under its identifier, and each is told at its own time."""
    mine = ((HEADER, "conversation-1"),)

    def asks(wait: float) -> list[Ask]:
        server.upstreams.behave()
        # What a task was asked to take is not what it takes, and whoever says how long it took has to measure. With a marker
        # every call is slow: one of an earlier try, on its way only now, does not take the place of another.
        server.upstreams.misbehave("work", "slow", marker="name=", seconds=wait / 2)
        starts = [start(name, factor * wait) for name, factor in FACTORS.items()]
        return [converse(*starts, *(Hear("done", name) for name in sorted(FACTORS, key=FACTORS.__getitem__)), headers=mine)]

    def check(seen: Observation) -> list[Finding]:
        wait = unit(seen)
        if findings := begun(seen) or one_by_one(seen) or checks.holds_the_loop(seen, wait) or talked(seen):
            return findings
        talk = seen.answers[0].talk
        for name, factor in FACTORS.items():
            if findings := told_in_time(talk, name, (factor + 1 / 2) * wait, wait / 2, list(FACTORS).index(name)):
                return findings
        lost = [call for call in seen.calls if call.headers.get(HEADER.lower()) != mine[0][1]]
        sentence = f"a conversation that began with {HEADER}: {mine[0][1]} called the service with another identifier"
        return sure(Cause.LOST_CONTEXT, sentence, WITH_REQUEST_ID) if lost else []

    keep(server, "/ws", prove(server, "as they come", asks, check, WAITS))


def one_by_one(seen: Observation) -> list[Finding]:
    """Check that each task was worked on once, and that none had to end before the next was begun."""
    tasks = sorted(call.task for call in seen.calls)
    if len(tasks) > 1 and max(call.start for call in seen.calls) >= min(call.start + call.seconds for call in seen.calls):
        sentence = "of three tasks that a client of /ws asked for at once, one was begun only when another had ended"
        return [Finding(Cause.ONE_BY_ONE, sentence)]
    if tasks != list(FACTORS) and not seen.answers[0].talk.missed:
        return sure(Cause.WRONG_CALL, f"three tasks were started, and the service was asked for {', '.join(tasks) or 'nothing'}")
    return []


def told_in_time(talk: Talk, name: str, due: float, room: float, said: int) -> list[Finding]:
    """Check that a result is told in the agreed shape, when it is there, and with the time that its task took.

    Args:
        talk: Where it was told.
        name: The task.
        due: How long it takes, in seconds.
        room: After how many seconds more it is told too late.
        said: Which of the client's messages started it, counted from 0.

    """
    told = talk.first("done", name)
    if told is None or told.message.keys() != {"done", "result", "elapsed"} or told.message["result"] != f"{name} result":
        return sure(Cause.WRONG_ANSWER, f"what was told of {name} is {told and told.message}, and not its result", WORK_AND_TELL)
    took = told.at - talk.said[said]
    sentence = f"the result of {name}, which takes {due:.2f} s, was told after {took:.2f} s"
    if took < due - EARLY:
        return sure(Cause.TOO_FAST, sentence, WORK_AND_TELL)
    if misstated(told.message["elapsed"], due, took):
        return sure(Cause.FALSE_REPORT, f"{sentence}, and says of itself {told.message['elapsed']}", WORK_AND_TELL)
    # Nearest wrong: with the next one's.
    return [Finding(Cause.HELD_BACK, sentence, places=(WORK_AND_TELL,))] if took >= due + room else []


def test_a_cancelled_task_is_broken_off(server: Server) -> None:
    """The service is let go at once, the client is told so once, and the other task is not disturbed."""

    def asks(wait: float) -> list[Ask]:
        both = (start("a", LONG), start("b", wait), Hear("started", "b"), Pause(wait / 4))
        return [converse(*both, cancel("a"), Hear("cancelled", "a"), Hear("done", "b"), Pause(wait))]

    def check(seen: Observation) -> list[Finding]:
        talk, wait = seen.answers[0].talk, unit(seen)
        if talk.missed == Hear("cancelled", "a") and not talk.code and not begun(seen):
            sentence = f"after {CANCELS_A} no client heard that it was; the last word was {last_words(talk)}"
            return [
                Finding(
                    Cause.BLOCKS if seen.slowest_ping > wait else Cause.RUNS_ON, sentence, places=(CONVERSATION_ENDPOINT, CANCEL)
                )
            ]
        if findings := talked(seen):
            return findings
        told, ends = talk.first("cancelled", "a"), [call.end or seen.ended for call in calls(seen, "a")]
        if told is None or told.message != {"cancelled": "a"} or len(ends) != 1:
            sentence = f"of a it was told {told and told.message}, and the service saw {len(ends)} calls for it; one is right"
            # On a busy machine it may be cancelled before there was time for its call.
            return [Finding(Cause.WRONG_CALL, sentence, certain=bool(ends), places=(CANCEL,))]
        if not calls(seen, "a")[0].was_left:
            sentence = (
                f"a was cancelled, and told so only when the service had worked on it for {calls(seen, 'a')[0].seconds:.2f} s"
            )
            return [Finding(Cause.RUNS_ON, f"{sentence}, to its end", certain=True, places=(CANCEL,))]
        # Right: before it is told. Wrong: when the client closes, two waits later.
        if ends[0] > told.at + wait / 2:
            sentence = f"{ends[0] - told.at:.2f} s after it was told that a is cancelled, the service still worked on it"
            return [Finding(Cause.RUNS_ON, sentence, places=(CANCEL,))]
        return told_in_time(talk, "b", wait, wait / 2, said=1)

    prove(server, "broken off", asks, check, WAITS)


def test_a_task_that_ends_late_is_told_once(subject: Variant, ending: Ending) -> None:
    """That a task is cancelled is told when it has ended, however long that takes, and no result that it still had."""
    seen, talk = ending.cancelled_talk, ending.cancelled_talk.answers[0].talk
    done = talk.first("done", "a")
    if done and done.message.get("result") == LATE_RESULT:
        sentence = f"a task that was cancelled had a result all the same, and its client was told {done.message}"
        accuse(subject, seen, sure(Cause.WRONG_ANSWER, f"{sentence}; only that it was cancelled is right", WORK_AND_TELL))
    accuse(subject, seen, begun(seen) or talked(seen))
    told = talk.first("cancelled", "a")
    if seen.calls and told and told.at - talk.said[-1] < LATE - EARLY:
        sentence = f"a task took {LATE:g} s to end when it was cancelled, and {told.at - talk.said[-1]:.2f} s after it had been"
        accuse(subject, seen, sure(Cause.FALSE_REPORT, f"{sentence} asked for, its client was told that it had ended", CANCEL))


CANCELS_A = '{"cancel": "a"}'


def test_a_name_is_taken_while_its_task_runs(server: Server) -> None:
    """A second start with the name of a running task is refused; the name is free again when that has ended."""

    def asks(wait: float) -> list[Ask]:
        twice = (
            start("a", wait),
            start("a", wait),
            Hear("error", "a"),
            Hear("done", "a"),
            start("a", wait),
            Hear("done", "a", 2),
        )
        cancelled = (start("c", LONG), cancel("c"), cancel("c"), Hear("cancelled", "c"), Hear("error", "c"))
        return [converse(*twice, *cancelled, start("c", wait), Hear("done", "c"), cancel("c"), Hear("error", "c", 2))]

    def check(seen: Observation) -> list[Finding]:
        talk = seen.answers[0].talk
        if talk.missed == Hear("error", "a") and talk.heard:
            sentence = f"a second task was started under the name of one that was running: {last_words(talk)}"
            # On a busy client the first may have ended before it asked for the second.
            return [Finding(Cause.UNCHECKED, sentence, places=(CONVERSATION_ENDPOINT,))]
        wrong = [heard.message for heard in talk.all("error")]
        right = [Refused("already-running", "a").message, *[Refused("not-running", "c").message] * 2]
        if wrong != right[: len(wrong)]:
            return sure(Cause.WRONG_ERROR, f"the client was told {wrong}, and {right} is right", CONVERSATION_ENDPOINT)
        return talked(seen) or told_in_time(talk, "c", unit(seen), unit(seen) / 2, said=6)

    prove(server, "refused", asks, check, WAITS)


def test_no_more_tasks_than_allowed(server: Server) -> None:
    """A conversation has ten tasks running and no more; when one has ended, there is room for another."""
    names = [f"task{number}" for number in range(MAX_RUNNING)]

    def asks(wait: float) -> list[Ask]:
        steps: list[Step] = [start(name, wait if name == names[0] else 2 * wait) for name in names]
        steps += [Hear("started", names[-1]), start("more", wait), Hear("error", "more"), Hear("done", names[0])]
        return [converse(*steps, start("more", wait), *(Hear("done", name) for name in [*names, "more"]))]

    def check(seen: Observation) -> list[Finding]:
        talk, most = seen.answers[0].talk, most_at_once(seen.calls)
        sentence = f"a conversation had {most} tasks running, and {MAX_RUNNING} are allowed"
        one_more = f"{sentence}: one more is to be refused"
        if most > MAX_RUNNING:
            return sure(Cause.TOO_MANY, one_more, CONVERSATION_ENDPOINT)
        if talk.missed == Hear("error", "more"):  # On a busy machine the first may have ended before it was asked for.
            return [Finding(Cause.TOO_MANY, one_more, places=(CONVERSATION_ENDPOINT,))]
        if findings := talked(seen):
            return findings
        if (told := talk.first("error")) and told.message != Refused("too-many", "more").message:
            return sure(Cause.WRONG_ERROR, f"one task too many was answered {told.message}", CONVERSATION_ENDPOINT)
        return [Finding(Cause.LIMITED, sentence, places=(CONVERSATION_ENDPOINT,))] if most < MAX_RUNNING else []

    prove(server, "ten", asks, check)


def test_conversations_share_nothing(server: Server) -> None:
    """Two conversations at once use the same name; each has its own task, its own result, and cancels nothing of the other's."""

    def asks(wait: float) -> list[Ask]:
        cancels = converse(start("a", LONG), Hear("started", "a"), Pause(wait / 2), cancel("a"), Hear("cancelled", "a"))
        return [converse(start("a", 2 * wait), Hear("done", "a")), cancels, converse(start("a", wait), Hear("done", "a"))]

    def check(seen: Observation) -> list[Finding]:
        for answer in seen.answers:
            if answer.talk.missed and answer.talk.heard and not answer.talk.code:
                sentence = (
                    f"of several conversations at once, each with a task a of its own, one was told {last_words(answer.talk)}"
                )
                return sure(Cause.SHARED_STATE, sentence, CONVERSATION_ENDPOINT)
        if findings := talked(seen):
            return findings
        identifiers = {call.headers.get(HEADER.lower(), "") for call in seen.calls}
        if "" in identifiers or len(identifiers) < len(seen.answers):
            sentence = f"{len(seen.answers)} conversations that began without a {HEADER} called the service under "
            sentence += ", ".join(sorted(identifier or "none" for identifier in identifiers))
            return [Finding(Cause.LOST_CONTEXT, sentence, places=(WITH_REQUEST_ID,))]
        late = [seen.answers[place].talk for place in (0, 2)]
        waits = [2 * unit(seen), unit(seen)]
        return [
            found for talk, wait in zip(late, waits, strict=True) for found in told_in_time(talk, "a", wait, wait / 2, said=0)
        ]

    prove(server, "each its own", asks, check, WAITS)


NESTED = "[" * 100_000
BAD_MESSAGES: dict[str | bytes, Refused] = {
    **dict.fromkeys(("", "x", "[]", "3", "null", '"start"', NESTED, b"", b'{"cancel": "a"}', b"\xff"), Refused("not-json")),
    **dict.fromkeys(("{}", '{"start": "a"}', '{"seconds": 1}', '{"stop": "a"}'), Refused("unknown-message")),
    **dict.fromkeys(
        ('{"start": "a", "seconds": 0, "cancel": "a"}', '{"start": "a", "seconds": 0, "x": 0}'), Refused("unknown-message")
    ),
    **{
        f'{{"start": {bad}, "seconds": 0}}': Refused("invalid-name") for bad in ('""', '"a b"', "1", "null", '["a"]', '"\\ud800"')
    },
    f'{{"start": "{"x" * (MAX_NAME + 1)}", "seconds": 0}}': Refused("invalid-name"),
    '{"start": "\\u0000", "seconds": 0}': Refused("invalid-name"),
    '{"cancel": 1}': Refused("invalid-name"),
    **{
        f'{{"start": "a", "seconds": {bad}}}': Refused("invalid-seconds", "a")
        for bad in ('"1"', "null", "true", "NaN", "Infinity", "-0.1", "10.01", "1e999", f"1{'0' * 400}", "[1]")
    },
    '{"cancel": "a"}': Refused("not-running", "a"),
}
"""What cannot be followed, and how that is told."""


def test_a_bad_message_ends_nothing(server: Server) -> None:
    """Whatever a client says, it is told what is wrong, nothing is asked of the service, and the conversation goes on."""
    said = [step for number, bad in enumerate(BAD_MESSAGES, 1) for step in (Say(bad), Hear("error", times=number))]
    running = (start("y", LONG), Hear("started", "y")), (cancel("y"), Hear("cancelled", "y"))
    seen = run(server, [converse(*running[0], *said, *running[1], start("z", 0.05), Hear("done", "z"))], watch=True)
    talk = seen.answers[0].talk
    told = [heard for heard in talk.heard if not heard.says("started", "y")]
    for heard, (bad, right) in zip(told, BAD_MESSAGES.items(), strict=False):
        if heard.message != right.message:
            accepted = heard.says("started") or heard.says("cancelled")
            sentence = f"the message {bad[:60]!r} was answered {heard.message}, and {right.message} is right"
            judge(server, seen, sure(Cause.UNCHECKED if accepted else Cause.WRONG_ERROR, sentence, CONVERSATION_ENDPOINT, HEAR))
    if talk.missed and talk.code and not begun(seen):
        bad = list(BAD_MESSAGES)[len(told)] if len(told) < len(BAD_MESSAGES) else "the last task"
        judge(
            server,
            seen,
            [replace(ended(f"the message {bad[:60]!r} ended the conversation", seen), places=(CONVERSATION_ENDPOINT, HEAR))],
        )
    if talk.missed == Hear("cancelled", "y") and talk.all("error")[len(BAD_MESSAGES) :]:
        sentence = f"after messages that cannot be followed a task that ran could not be cancelled: {last_words(talk)}"
        judge(server, seen, sure(Cause.ENDS_THE_TALK, sentence, CONVERSATION_ENDPOINT))
    judge(server, seen, talked(seen))
    if (called := sorted(call.task for call in seen.calls)) != ["y", "z"]:
        judge(
            server,
            seen,
            sure(Cause.UNCHECKED, f"tasks y and z were begun, and the service was called for {called}", CONVERSATION_ENDPOINT),
        )


def test_a_task_that_fails_ends_nothing(server: Server) -> None:
    """When the service fails, that is told of this task, with the status that an answer would have had; others go on.

    Its name and its place are free again.
    """
    server.upstreams.misbehave("work", "answer", marker="name=a", times=1, status=FAILED)
    fails = (start("c", 0.6), Hear("started", "c"), start("a", 0.05), Hear("failed", "a"))
    seen = run(server, [converse(*fails, start("a", 0.05), Hear("done", "a"), start("b", 0.05), *map(done, "bc"))])
    talk, failed = seen.answers[0].talk, "when a task had failed,"
    if talk.first("done", "a") and not talk.first("failed", "a"):
        judge(server, seen, sure(Cause.SWALLOWED, "the service failed, and the task was told to be done", WORK_AND_TELL))
    if talk.missed and talk.code and not begun(seen):
        judge(server, seen, [replace(ended("a task that failed ended the conversation", seen), places=(WORK_AND_TELL,))])
    if refused := talk.first("error"):
        judge(server, seen, sure(Cause.LEAK, f"{failed} another of its name was answered {refused.message}", WORK_AND_TELL))
    if talk.missed in {done("b"), done("c")} and (
        left := [call.task for call in calls(seen, "b") + calls(seen, "c") if call.was_left]
    ):
        judge(server, seen, sure(Cause.ENDS_THE_TALK, f"{failed} {left[0]} was broken off as well", WORK_AND_TELL))
    judge(server, seen, talked(seen))
    told = talk.first("failed", "a")
    message = told.message if told else {}
    if message.keys() != {"failed", "status", "detail"} or message["status"] != 502 or WORK not in str(message["detail"]):
        judge(server, seen, sure(Cause.WRONG_ERROR, f"the failure of a task is told as {message}", WORK_AND_TELL))


NAMES = ("A", "a", "x" * MAX_NAME, "a.b", "a-b", "a_b", "0")
"""What a task may be called: each of these is another."""


def test_a_task_keeps_its_name(server: Server) -> None:
    """A name may have capitals, digits, dots, hyphens and underscores, and is told as it was said."""
    seen = run(server, [converse(*(start(name, 0.1) for name in NAMES), *map(done, NAMES))])
    talk = seen.answers[0].talk
    wrong = [heard.message for heard in talk.heard if not any(heard.says(word, name) for word in SAID for name in NAMES)]
    wrong += [heard.message for heard in talk.all("error")]
    if wrong:
        sentence = f"tasks were started as {', '.join(name[:9] for name in NAMES)}, and the client was told {str(wrong[0])[:120]}"
        judge(server, seen, sure(Cause.WRONG_ANSWER, sentence, HEAR, CONVERSATION_ENDPOINT))
    judge(server, seen, talked(seen))
    if lost := set(NAMES) - {call.task for call in seen.calls}:
        judge(server, seen, sure(Cause.WRONG_CALL, f"the service was never asked for the task {min(lost)!r}", WORK_AND_TELL))


SAID = ("started", *ENDINGS)
"""The words that are told of a task."""

OFTEN = 60
"""Tasks of one conversation, one after another, and as many messages that cannot be followed."""


def test_a_conversation_goes_on(server: Server) -> None:
    """A conversation has no last message: when a hundred have been answered, so is the next."""
    steps: list[Step] = []
    for number in range(1, OFTEN + 1):
        steps += [start("a", 0.0), Hear("done", "a", number), cancel("a"), Hear("error", "a", number)]
    seen = run(server, [converse(*steps)])
    talk = seen.answers[0].talk
    if talk.missed and not begun(seen):
        how = f"it was closed (close code {talk.code})" if talk.code else f"the last that was heard was {last_words(talk)}"
        judge(
            server,
            seen,
            [
                replace(
                    ended(f"a conversation went on for {len(talk.said)} messages, and then {how}", seen),
                    places=(CONVERSATION_ENDPOINT,),
                )
            ],
        )
    judge(server, seen, talked(seen))


def test_closing_breaks_off_what_runs(server: Server) -> None:
    """When the client closes, and when it leaves without a word, its tasks are broken off soon after, and nothing is logged."""

    def asks(wait: float) -> list[Ask]:
        starts = [start(name, LONG) for name in FACTORS]
        began: list[Step] = [*starts, Hear("started", "c"), Pause(wait / 2)]
        return [converse(*began), converse(*began, Leave()), converse(*starts, Leave()), converse(*began, cancel("a"), Leave())]

    def check(seen: Observation) -> list[Finding]:
        if findings := talked(seen):
            return findings
        left = max(answer.talk.left for answer in seen.answers)
        # Right: at once. Nearest wrong: the whole time of the tasks.
        late = [call for call in seen.calls if not call.was_left or (call.end or 0.0) > left + LONG / 4]
        if late:
            ran = "still" if late[0].end is None else f"for {late[0].end - left:.2f} s"
            sentence = f"of {len(seen.calls)} tasks whose clients had left, the service worked {ran} on {len(late)}"
            return [Finding(Cause.GOES_ON, sentence, places=(CONVERSATION_ENDPOINT, HEAR))]
        return complaints(LEFT, "\n".join(seen.printed), CONVERSATION_ENDPOINT)

    prove(server, "broken off", asks, check, linger=2)


def test_who_reads_nothing_is_waited_for(subject: Variant, burst: Burst) -> None:
    """A client that speaks and reads no reply is not listened to any further, and no other conversation waits for it."""
    unread, talk = burst.unread, burst.unread.beside.answers[0].talk
    if talk.missed and not talk.code and not talk.first("failed"):
        sentence = "while one client read no reply in its conversation, another that started a task did not hear of its end"
        accuse(subject, unread.beside, sure(Cause.LIMITED, sentence, WORK_AND_TELL, CONVERSATION_ENDPOINT))
    accuse(subject, unread.beside, begun(unread.beside) or talked(unread.beside))
    if unread.begun:
        sentence = "a client read none of many replies, and was listened to all the same: the task that it started last was begun"
        accuse(subject, unread.seen, sure(Cause.OUTRUNS, sentence, WORK_AND_TELL, CONVERSATION_ENDPOINT))


def test_a_crowd_leaves_nothing(subject: Variant, crowd: Crowd) -> None:
    """A hundred conversations at once, half of whose clients leave without a word: all is accounted for, and nothing left."""
    seen, clients = crowd.seen, len(crowd.seen.answers)
    stayed = seen.answers[: clients // 2]
    accuse(subject, seen, begun(seen) or talked(seen))
    for answer in stayed:
        ends = {word: sorted(heard.message[word] for heard in answer.talk.all(word)) for word in ENDINGS}
        if ends != {"done": KEPT, "failed": [], "cancelled": OFF}:
            accuse(
                subject,
                seen,
                sure(Cause.WRONG_ANSWER, f"of {clients} conversations at once, one was told {ends}", WORK_AND_TELL, CANCEL),
            )
    if open_calls := [call for call in seen.calls if call.end is None]:
        sentence = f"when {clients} conversations were over, the service still worked on {len(open_calls)} of their tasks"
        accuse(subject, seen, sure(Cause.GOES_ON, sentence, CONVERSATION_ENDPOINT, HEAR))
    if crowd.kept > HELD:
        sentence = f"when {clients} conversations were over, the server still held {crowd.kept} of them in memory"
        accuse(subject, seen, sure(Cause.LEAK, sentence, CONVERSATION_ENDPOINT, CREATE_APP))
    whole = [call for call in seen.calls if not call.was_left]
    if len(whole) != len(stayed) * len(KEPT) or crowd.left.in_words():
        counted = f"{len(whole)} tasks were worked on to their end, and {len(stayed) * len(KEPT)} are right"
        sentence = f"after {clients} conversations: {counted}; left over is {', '.join(crowd.left.in_words()[:3]) or 'nothing'}"
        accuse(subject, seen, sure(Cause.LEAK, sentence, CONVERSATION_ENDPOINT))
    if (most := most_at_once(crowd.after.calls)) < MAX_CALLS:
        sentence = f"after {clients} conversations only {most} calls were made at once, and there is room for {MAX_CALLS}"
        accuse(subject, crowd.after, sure(Cause.LEAK, sentence, CANCEL, OPEN_CLIENT))
    if crowd.deaf.in_words():
        sentence = f"a client said a lot, read no reply and left; left over is {', '.join(crowd.deaf.in_words()[:3])}"
        accuse(subject, crowd.after, sure(Cause.LEAK, sentence, CONVERSATION_ENDPOINT))
    # Of each hundred tasks that were broken off httpx2 on anyio may have dropped a connection, which Python closes soon after.
    few = max(FEW, crowd.broken_off // 100)
    accuse(subject, seen, complaints(LEFT, crowd.log, CONVERSATION_ENDPOINT, few=few))
    accuse(subject, crowd.after, complaints("a client said a lot, read no reply and left", crowd.log_deaf, CONVERSATION_ENDPOINT))
    keep_seen(subject, f"/ws x {clients}", "nothing left", seen)

"""Work that goes on after its answer: `background.py`. The service behind saw the work; the client asks what became of it."""

import time
from collections.abc import Sequence

from shared.lab import aftermath
from shared.lab.causes import Cause
from shared.lab.experiment import Answer, Ask, Observation, run, send
from shared.lab.finding import Finding, sure
from shared.lab.follow import BEGUN, Followed, background, body, follow, path_of, tried
from shared.lab.host import PLANTED
from shared.lab.places import BACKGROUND_STATE, BEGIN_BACKGROUND, OPEN_BACKGROUND, WORK_IN_BACKGROUND
from shared.lab.refusal import refused
from shared.lab.rules import other_status, readable
from shared.lab.server import Server
from shared.lab.upstream import most_at_once
from shared.lab.variants import Variant
from shared.lab.verdict import WAITS, accuse, judge
from shared.lesson.contract import TASKS
from shared.lesson.jobs import MAX_KEPT, MAX_RUNNING
from tests.background import Ending, is_placed, times_logged

RESULT = f"{TASKS[0]} result"
FAILURE = "The work service answered with the status 500."
STAYS = (1.5, 6.0)
"""Seconds of work that still runs when much else has ended, for each try: a busy machine may be too slow for the first."""

WORK_SECONDS = 10.0
"""How long to wait for work that an earlier test has begun: it would take places that are counted."""

MORE = 5
"""How many pieces of work end than are kept: somebody may hold a task for each that is kept, and for no other."""

REQUEST_ID = "followed-through"


def begun(answers: Sequence[Answer], seen: Observation) -> list[Finding]:
    """Check that work was accepted: 202, an identifier, and the path under which one can ask for it."""
    for answer in answers:
        if answer.status != BEGUN:
            return other_status(answer, seen)
        if findings := readable(answer, seen):
            return findings
        job, path = str(body(answer).get("id", "")), path_of(answer)
        if not job or body(answer) != {"id": job, "state": "running"}:
            return sure(Cause.WRONG_ANSWER, f"{answer.ask.path} answered {body(answer)}, and not an id and the state running")
        if path != f"/background/{job}":
            return sure(Cause.WRONG_ANSWER, f"the Location of work with the id {job} is {path!r}, and not /background/{job}")
    return []


def ended(one: Followed, expected: dict[str, object]) -> list[Finding]:
    """Check what was told of work in the end."""
    said, asked = one.end, one.begun.ask.path
    if one.told and not one.told[-1].status:
        cause = Cause.UNSEEN if expected["state"] == "failed" else Cause.CRASHED
        return sure(cause, f"one asked what became of {asked}, and got no answer: {one.told[-1].error}", WORK_IN_BACKGROUND)
    if strange := [answer.status for answer in one.told if answer.status not in {0, 200, 404, 500}]:
        sentence = f"one asked what became of {asked}, and was answered {strange[0]}; 200 is right, whether it runs or has ended"
        return sure(Cause.WRONG_ANSWER, sentence, ("background", "background_state"))
    if one.told and one.told[-1].status != 200:
        sentence = f"one asked what became of {asked}, and was answered {one.told[-1].status}: it is not known any more"
        return sure(Cause.LOST, sentence, WORK_IN_BACKGROUND)
    if said.get("state") == "running":
        cause = Cause.UNSEEN if expected["state"] == "failed" else Cause.LOST
        outcome = "failed" if expected["state"] == "failed" else "ended"
        sentence = f"{asked} is still said to be running, though it should have {outcome} some seconds ago"
        return [Finding(cause, sentence, places=(WORK_IN_BACKGROUND, BEGIN_BACKGROUND))]
    if said == {"id": one.id, **expected}:
        return readable(one.told[-1], Observation(one.told))
    swallowed = expected["state"] == "failed" and said.get("state") == "done"
    sentence = f"what is told of {asked} is {said}, and {expected} is right"
    return sure(Cause.SWALLOWED if swallowed else Cause.WRONG_ANSWER, sentence, WORK_IN_BACKGROUND)


def done_by_itself(one: Followed, seen: Observation) -> list[Finding]:
    """Check that the service was called once for a piece of work, after whose answer the call went on to its end."""
    asked, calls = one.begun.ask.path, seen.calls
    if len(calls) != 1:
        cause = Cause.WRONG_CALL if calls else Cause.LOST
        return sure(
            cause,
            f"for {asked} the service was called {len(calls)} times, and once is right",
            WORK_IN_BACKGROUND,
            BEGIN_BACKGROUND,
        )
    call = calls[0]
    if call.was_left:
        return sure(
            Cause.LOST, f"{asked} was answered, and its call to the service was broken off", BEGIN_BACKGROUND, OPEN_BACKGROUND
        )
    if call.end and call.end <= one.begun.received:
        sentence = f"{asked} was answered only when its work had ended, after {one.begun.seconds:.2f} s; at once is right"
        return [Finding(Cause.WAITS_FOR_WORK, sentence)]
    if findings := told_when_it_is_so(one, call.end or seen.ended):
        return findings
    if call.sent.get("request_id") != REQUEST_ID:
        sentence = (
            f"{asked} came with the X-Request-ID {REQUEST_ID}, and its call to the service with {call.sent['request_id']!r}"
        )
        return sure(Cause.LOST_CONTEXT, sentence, BEGIN_BACKGROUND)
    return []


def told_when_it_is_so(one: Followed, end: float) -> list[Finding]:
    """Check that work was said to run for as long as it ran, and to be done when its call had ended."""
    # Right: a moment after the end of the call, or just before the service has noted it. Wrong: a whole wait earlier.
    asked, before = one.begun.ask.path, end - one.begun.ask.wait / 2
    if early := [told for told in one.told if body(told).get("state") == "done" and told.received < before]:
        sentence = f"{asked} was said to be done {end - early[0].received:.2f} s before its work had ended"
        return sure(Cause.FALSE_REPORT, sentence, WORK_IN_BACKGROUND)
    if late := [told for told in one.told if body(told).get("state") == "done" and told.sent < before]:
        sentence = f"what became of {asked} was asked while it ran, and answered {late[0].seconds:.2f} s later, when it had ended"
        return [Finding(Cause.WAITS_FOR_WORK, f"{sentence}; that it runs is right", places=(BACKGROUND_STATE,))]
    return []


def test_the_answer_does_not_wait_for_the_work(server: Server) -> None:
    """Work is answered at once, with where to ask; it goes on, and when it has ended, and not before, its result is told."""

    def asks(wait: float) -> list[Ask]:
        return [background(wait, headers=(("X-Request-ID", REQUEST_ID),))]

    def check(followed: list[Followed], seen: Observation) -> list[Finding]:
        one = followed[0]
        return begun([one.begun], seen) or done_by_itself(one, seen) or ended(one, {"state": "done", "result": RESULT})

    # Whoever holds the question does so however long the work takes.
    tried(server, asks, check, (*WAITS, 2.0))


def test_a_failure_is_told_and_logged(server: Server) -> None:
    """Work that fails is told to have failed, with the problem; the log names it once; and other work goes on."""

    def check(followed: list[Followed], seen: Observation) -> list[Finding]:
        failed, other = followed
        problem = {"type": "about:blank", "title": "Bad Gateway", "status": 502, "detail": FAILURE}
        return (
            begun([failed.begun, other.begun], seen)
            or ended(failed, {"state": "failed", "problem": problem})
            or ended(other, {"state": "done", "result": RESULT})
            or logged(failed.id, FAILURE, seen.printed)
        )

    # Not to fail may be said as well.
    tried(server, lambda wait: [background(wait, fails=True), background(2 * wait, fails=False)], check)


def logged(job: str, why: str, printed: Sequence[str]) -> list[Finding]:
    """Check that the log names a failed piece of work, in one line, and why it failed, in any."""
    lines = [line for line in printed if job in line]
    sentence = f"the log names the work {job}, which failed, in {len(lines)} lines"
    if len(lines) != 1:
        return sure(Cause.UNSEEN, f"{sentence}, and one is right", WORK_IN_BACKGROUND)
    if why not in "\n".join(printed):
        return sure(Cause.UNSEEN, f"{sentence}, and does not say why: {why}", WORK_IN_BACKGROUND)
    return []


def test_unknown_work(server: Server) -> None:
    """What nobody has begun is a 404 that says so, whatever it is called; also what is nearly called like some that runs."""
    one = run(server, [background(0.5)])
    judge(server, one, begun(one.answers, one))
    job = str(body(one.answers[0])["id"])
    nearly = (job[:-1], f"{job}0", job.upper(), job[::-1])
    names = ("nothing", "0" * 32, "a%0d%0ab", *(name for name in nearly if name != job))
    seen = run(server, [Ask(f"/background/{job}", status=404) for job in names])
    for answer in seen.answers:
        judge(server, seen, refused(answer, 404, *(("no such work",) if answer.ask.path.endswith(("nothing", "0")) else ())))


def test_no_more_work_than_there_is_room_for(server: Server) -> None:
    """So many pieces of work may run at once; more are refused with 503 and `Retry-After`; and afterwards there is room again."""
    server.upstreams.wait_for_calls(WORK_SECONDS)

    def check(followed: list[Followed], seen: Observation) -> list[Finding]:
        accepted = [one for one in followed if one.begun.status == BEGUN]
        first_end = min((call.end or seen.ended for call in seen.calls), default=seen.ended)
        all_at_once = max(one.begun.received for one in followed) < first_end
        sentence = f"of {len(followed)} pieces of work at once {len(accepted)} were accepted, and {MAX_RUNNING} may run"
        if len(accepted) > MAX_RUNNING or most_at_once(seen.calls) > MAX_RUNNING:
            return [Finding(Cause.NO_BOUND, sentence, certain=all_at_once, places=(BEGIN_BACKGROUND,))]
        for one in followed:
            if one.begun.status == BEGUN:
                continue
            if findings := refused(one.begun, 503, "Too much work"):
                return findings
            if not one.begun.headers.get("Retry-After", "").isdigit():
                return sure(Cause.WRONG_ERROR, "work is refused with 503, and without a Retry-After in seconds", BEGIN_BACKGROUND)
        if len(accepted) < MAX_RUNNING:
            return [Finding(Cause.LIMITED, sentence, places=(BEGIN_BACKGROUND,))]
        if (most := most_at_once(seen.calls)) < MAX_RUNNING:  # A queue that nobody sees.
            sentence = f"of {MAX_RUNNING} pieces of work that were accepted at once, {most} were worked on at once"
            return [Finding(Cause.LIMITED, sentence, places=(WORK_IN_BACKGROUND, BEGIN_BACKGROUND))]
        return [finding for one in accepted for finding in ended(one, {"state": "done", "result": RESULT})]

    tried(server, lambda wait: [background(wait)] * (MAX_RUNNING + 2), check, waits=(0.5, 1.0, 2.0))
    followed, seen = follow(server, [background(0)])
    judge(server, seen, begun([followed[0].begun], seen))


def test_what_has_ended_is_forgotten_in_order(server: Server) -> None:
    """Of work that has ended the latest are known, and older ones are forgotten, with their tasks; what still runs never is."""
    first, longer = STAYS
    before = aftermath.ended_tasks(server)
    seen, paths, runs_on = end_more_than_is_kept(server, first)
    if not runs_on:
        seen, paths, runs_on = end_more_than_is_kept(server, longer)
    answers = send(server.url, [Ask(path) for path in paths])
    known, ids = [answer.status == 200 for answer in answers], paths[1:]
    sentence = f"after {len(ids)} pieces of work had ended, of which {MAX_KEPT} are kept,"
    if runs_on and body(answers[0]).get("state") not in {"running", "done"}:
        judge(server, seen, sure(Cause.LOST, f"{sentence} one that still ran was forgotten", OPEN_BACKGROUND))
    if any(known[1 : 1 + len(ids) - MAX_KEPT]):
        judge(server, seen, sure(Cause.NO_BOUND, f"{sentence} the first was still known", OPEN_BACKGROUND))
    if not all(known[1 + len(ids) - MAX_KEPT + 1 :]):  # The one that ran on may have ended just now, and taken a place.
        judge(server, seen, sure(Cause.LOST, f"{sentence} only {sum(known[1:])} were known", OPEN_BACKGROUND))
    # Right: none, or one for each that is kept. Wrong: one for each that has ended.
    if (held := aftermath.ended_tasks(server) - before) > MAX_KEPT + MORE / 2:
        judge(
            server,
            seen,
            sure(Cause.LEAK, f"{sentence} {held} tasks more than before were still held that had ended", OPEN_BACKGROUND),
        )
    server.upstreams.wait_for_calls(WORK_SECONDS)


def end_more_than_is_kept(server: Server, stays: float) -> tuple[Observation, list[str], bool]:
    """Begin work that takes a while, and meanwhile some that ends at once, `MORE` pieces than are kept when they have ended.

    Args:
        server: Whose work.
        stays: How long the first takes, in seconds.

    Returns:
        What was seen of the first, the paths of all, and whether the first still ran when all others had ended.

    """
    server.upstreams.wait_for_calls(WORK_SECONDS)
    seen = run(server, [background(stays)])
    judge(server, seen, begun(seen.answers, seen))
    paths = [path_of(seen.answers[0])]
    for _ in range(MAX_KEPT + MORE):
        followed, quick = follow_quickly(server)
        judge(server, quick, begun([followed.begun], quick) or ended(followed, {"state": "done", "result": RESULT}))
        paths.append(followed.path)
    return seen, paths, time.monotonic() < seen.began + stays


def follow_quickly(server: Server) -> tuple[Followed, Observation]:
    """Begin work that takes no time, and ask until it has ended; nothing else is watched."""
    one = send(server.url, [background(0)])[0]
    followed = Followed(one, [], path_of(one))
    deadline = time.monotonic() + 5
    while followed.path and followed.end.get("state", "running") == "running" and time.monotonic() < deadline:
        followed.told.extend(send(server.url, [Ask(followed.path)]))
    return followed, Observation([one])


def test_an_unforeseen_failure_is_told_and_takes_nothing_with_it(subject: Variant, ending: Ending) -> None:
    """Work that fails as nobody foresaw is told as a 500 that says nothing, is logged once with all, and other work goes on."""
    followed, seen = ending.crashed_work
    *crashed, other = followed
    lost = [one.begun for one in followed[1:] if one.begun.status in {0, 500}]
    if followed[0].begun.status == BEGUN and lost:
        became = "answered 500" if lost[0].status else f"not answered: {lost[0].error}"
        sentence = f"work failed as nobody foresaw, and took all other work with it: what was sent next was {became}"
        accuse(subject, seen, sure(Cause.UNSEEN, sentence, WORK_IN_BACKGROUND))
    accuse(subject, seen, begun([one.begun for one in followed], seen))
    title, detail = "Internal Server Error", "Something unforeseen went wrong. The server's log says what."
    for one in crashed:
        problem = {"type": "about:blank", "title": title, "status": 500, "detail": detail}
        accuse(subject, seen, ended(one, {"state": "failed", "problem": problem}))
    accuse(subject, seen, ended(other, {"state": "done", "result": RESULT}))
    for one in crashed:
        lines = [line for line in ending.log.splitlines() if one.id in line]
        if len(lines) != 1:
            sentence = f"work failed as nobody foresaw, and {len(lines)} lines of the log name it"
            accuse(subject, seen, sure(Cause.UNSEEN, sentence, WORK_IN_BACKGROUND))
    if (times := times_logged(seen)) != len(crashed):
        sentence = f"{len(crashed)} pieces of work failed as nobody foresaw, and the log names the error of {times} of them"
        accuse(subject, seen, sure(Cause.UNSEEN if times < len(crashed) else Cause.WRONG_ERROR, sentence, WORK_IN_BACKGROUND))
    placed = sum(map(is_placed, "\n".join(seen.printed).split(PLANTED)))
    if placed < times:
        sentence = f"{times} pieces of work failed as nobody foresaw, and {times - placed} of them are logged without a traceback"
        accuse(subject, seen, sure(Cause.WRONG_ERROR, sentence, WORK_IN_BACKGROUND))

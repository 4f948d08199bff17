"""Checks: what an experiment has to show beside the rules that hold for every answer.

Every bound stands midway between right and the nearest wrong.
"""

import itertools
from collections import Counter

from shared.lab.causes import Cause
from shared.lab.experiment import PAUSE, Answer, Observation
from shared.lab.finding import EARLY, Finding, sure
from shared.lab.places import CREATE_APP
from shared.lab.rules import matches_another, overlap

PING = ("waiting", "ping")

SEVERAL = 4
"""By how many waits a request cannot be late because of a busy machine, where `/ping` was answered quickly all the while.

That it is late in one try is enough then: with longer waits, fifty of which two may wait at once would take a minute.
"""


def blocks(seen: Observation) -> list[Finding]:
    """Check that requests wait one after another on a blocked event loop, and that `/ping` waits for them."""
    waits = [answer.ask.wait for answer in seen.answers]
    total, shortest = sum(waits), min(waits)
    asked = describe(seen)
    if seen.seconds < total - EARLY:
        return sure(Cause.DOES_NOT_BLOCK, f"{asked} took {seen.seconds:.2f} s, and one after the other takes {total:.2f}")
    if seen.slowest_ping < shortest / 2:  # Right: a whole wait or more. Wrong: none.
        return [Finding(Cause.DOES_NOT_BLOCK, f"{asked} took turns, but /ping waited only {seen.slowest_ping:.3f} s meanwhile")]
    if seen.seconds >= total + shortest / 2:  # Right: the sum. Nearest wrong: one wait more.
        return [Finding(Cause.TOO_SLOW, f"{asked} took {seen.seconds:.2f} s: the sum of the waits is {total:.2f}")]
    return []


def frees(seen: Observation) -> list[Finding]:
    """Check that each request takes its own time, that `/ping` does not wait, and that no thread is held."""
    wait = min(answer.ask.wait for answer in seen.answers)
    if blocked := holds_the_loop(seen, wait):
        return blocked
    if seen.in_threads:
        places = Counter(seen.in_threads).most_common(1)[0][0]
        # One of the request before may be on its way out.
        return [Finding(Cause.THREADS, f"while {describe(seen)} waited, a worker thread stood at {places}")]
    return on_time(seen)


def frees_in_threads(seen: Observation) -> list[Finding]:
    """Check the same of waits that are to be in worker threads, which have to be seen there."""
    wait = min(answer.ask.wait for answer in seen.answers)
    if findings := holds_the_loop(seen, wait) or on_time(seen):
        return findings
    if not seen.in_threads:
        return [Finding(Cause.THREADS, f"while {describe(seen)} waited, no worker thread was seen in the variant's code")]
    return []


def holds_the_loop(seen: Observation, wait: float) -> list[Finding]:
    """Find that `/ping` had to wait for half of a wait, which is given in seconds. Right: not at all. Wrong: a whole one."""
    if seen.slowest_ping < wait / 2:
        return []
    sentence = f"while {describe(seen)} waited, /ping had to wait {seen.slowest_ping:.2f} s"
    looked = seen.looks >= seen.seconds / (8 * PAUSE)  # A look follows each one and a half, on a busy machine fewer.
    # Right, where it is blocked: nearly all of them found it in the variant. Where it is not: few, by chance.
    if looked and seen.in_threads and len(seen.on_loop) < seen.looks / 2:
        told = f"{sentence}, and the event loop was free: it waited for a thread"
        return [Finding(Cause.THREADS, told, places=(PING, CREATE_APP))]
    return [Finding(Cause.BLOCKS, sentence, certain=seen.stood_still)]


def refills(seen: Observation, at_once: int) -> list[Finding]:
    """Check that of many calls, so many at once and one of them slow, the next begins when one has ended, not when all have."""
    *first, following = sorted(seen.calls, key=lambda call: call.start)[: at_once + 1]
    begun, ended = following.start - seen.began, sorted(call.start + call.seconds - seen.began for call in first)
    if begun < ended[-1]:
        return []
    sentence = f"{describe(seen)} began with {at_once} calls; the first of them ended after {ended[0]:.2f} s, the last"
    return [Finding(Cause.IN_PIECES, f"{sentence} after {ended[-1]:.2f} s, and the next one began only after {begun:.2f} s")]


def on_time(seen: Observation) -> list[Finding]:
    """Check that each answer takes as long as it was asked to, and half of the shortest wait more at the most.

    The nearest wrong is a limit that lets only some of them wait at once: the others take two waits.
    """
    room = min(answer.ask.wait for answer in seen.answers) / 2
    late = [answer for answer in seen.answers if answer.seconds >= answer.ask.due + room]
    if not late:
        return []
    worst = max(late, key=lambda answer: answer.seconds - answer.ask.due)
    if all(matches_another(answer, seen) and own_wait(answer) >= answer.ask.wait + room / 2 for answer in late):
        sentence = f"{worst.ask.path} took {worst.seconds:.2f} s: that is what another request asked for"
        return [Finding(Cause.SHARED_STATE, sentence)]
    sentence = f"{worst.ask.path} took {worst.seconds:.2f} s, and was asked to wait {worst.ask.due:.2f} s"
    if len(late) < len(seen.answers) and not any(_waited_for_another(answer, seen, room) for answer in late):
        return [Finding(Cause.SHARED_STATE, f"{sentence}, beside other requests that asked for other waits")]
    if len(late) < len(seen.answers):
        share = f"{len(seen.answers) - len(late)} of {len(seen.answers)} requests at once were on time"
        certain = worst.seconds - worst.ask.due >= SEVERAL * worst.ask.wait and _quick_all_the_while(seen, room)
        return [Finding(Cause.LIMITED, f"{sentence}; {share}", certain)]
    return [Finding(Cause.TOO_SLOW, f"{sentence}; /ping was answered meanwhile")]


def _quick_all_the_while(seen: Observation, room: float) -> bool:
    """Say whether `/ping` was answered again and again, with less than so many seconds from each answer to the next."""
    moments = [seen.began, *(ping.received for ping in seen.pings), seen.ended]
    return all(later - earlier < room for earlier, later in itertools.pairwise(moments))


def _waited_for_another(answer: Answer, seen: Observation, room: float) -> bool:
    """Say whether an answer may have begun its wait only when another request had been answered."""
    latest = answer.received - answer.ask.wait + room
    return any(other.received <= latest for other in seen.answers if other is not answer)


def own_wait(answer: Answer) -> float:
    """Return the longest of its own operations, in seconds, as an answer says."""
    return max((operation.end - operation.start for operation in answer.operations), default=0.0)


def together(seen: Observation) -> list[Finding]:
    """Check that the three tasks of a request overlap, by the time it took and by its own record."""
    wait = min(answer.ask.wait for answer in seen.answers)
    if blocked := holds_the_loop(seen, wait):
        return blocked
    in_turn_everywhere = not any(map(_overlapping, seen.answers))
    for answer in seen.answers:
        count, overlapping = len(answer.operations), _overlapping(answer)
        sentence = (
            f"{answer.ask.path} took {answer.seconds:.2f} s for {count} x {answer.ask.wait:g} s: "
            f"the sum is {count * answer.ask.wait:.2f}, the longest is {answer.ask.wait:.2f}"
        )
        if answer.seconds >= (count - 0.5) * answer.ask.wait and in_turn_everywhere:
            one, other = answer.operations[:2]
            return [Finding(Cause.ONE_BY_ONE, f"{sentence}; {other.name} started after {one.name} ended")]
        if answer.seconds >= 1.5 * answer.ask.wait and not _all_overlap(answer):
            last = answer.operations[-1]
            return [Finding(Cause.LIMITED, f"{sentence}; {last.name} started only when another task had ended")]
        if not overlapping:
            return [Finding(Cause.FALSE_REPORT, f"{sentence}; yet Server-Timing shows them one after another")]
    return frees(seen)


def _overlapping(answer: Answer) -> bool:
    """Say whether the first two tasks of a request overlap: by half of a wait, since tasks in turn can touch by microseconds."""
    return overlap(answer) >= answer.ask.wait / 2


def _all_overlap(answer: Answer) -> bool:
    latest_start = max(operation.start for operation in answer.operations)
    return min(operation.end for operation in answer.operations) - latest_start >= answer.ask.wait / 2


def in_turn(seen: Observation) -> list[Finding]:
    """Check that the operations of a request never overlap, and leave the event loop free."""
    if blocked := holds_the_loop(seen, min(answer.ask.wait for answer in seen.answers)):
        return blocked
    for answer in seen.answers:
        last = max(operation.end for operation in answer.operations)
        if last < answer.seconds - answer.ask.wait / 2:  # Right: the whole time. Wrong: a wait less.
            sentence = f"{answer.ask.path} took {answer.seconds:.2f} s, and its Server-Timing ends after {last:.2f} s"
            return [Finding(Cause.FALSE_REPORT, sentence)]
        for one, other in zip(answer.operations, answer.operations[1:], strict=False):
            if other.start < one.end - EARLY:
                early = one.end - other.start
                sentence = f"{answer.ask.path}: {other.name} started {early:.2f} s before {one.name} had ended"
                return sure(Cause.STARTED_TOGETHER, sentence)
        names = [operation.name for operation in answer.operations]
        if names != list(answer.ask.tasks):
            return sure(Cause.FALSE_REPORT, f"{answer.ask.path}: Server-Timing shows {', '.join(names)} one after another")
    return frees(seen)


def tells_the_console(seen: Observation) -> list[Finding]:
    """Check that the console shows each operation of one request: its start when it starts, its end when it ends."""
    ask = seen.answers[0].ask
    kind, tasks = ask.endpoint.kind, ask.endpoint.tasks
    expected = sorted(f"[{kind}] {what} {task}" for task in tasks for what in ("Starting", "Finished"))
    printed = [line for line in seen.console if line.text.startswith("[")]
    if sorted(line.text for line in printed) != expected:
        return sure(Cause.FALSE_REPORT, f"for {ask.path} the console shows {[line.text for line in printed]}, and not {expected}")
    for task in tasks:
        started, finished = (
            next(line.seen for line in printed if line.text == f"[{kind}] {what} {task}") for what in ("Starting", "Finished")
        )
        if finished - started < ask.wait / 2:  # Right: a whole wait. Wrong: none.
            sentence = f"for {ask.path} the console shows the end of {task} {finished - started:.3f} s after its start"
            return [Finding(Cause.FALSE_REPORT, f"{sentence}, and it was asked to wait {ask.wait:.2f} s")]
    return []


def describe(seen: Observation) -> str:
    """Say what was asked: the request, or how many requests at once."""
    paths = [answer.ask.path for answer in seen.answers]
    return paths[0] if len(paths) == 1 else f"{len(paths)} requests at once to {paths[0].partition('?')[0]}"

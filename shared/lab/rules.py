"""What holds for every answer of every experiment: its status, its content, and what it says of its own time.

Lower bounds and contradictions are certain at once: noise makes nothing faster, and no clock runs backwards.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from shared.lab import stream
from shared.lab.causes import Cause
from shared.lab.experiment import HANG, Answer, Observation
from shared.lab.finding import EARLY, Finding, sure
from shared.lab.places import OPEN_CLIENT, SERVER_TIMING, UNTIL_LEFT
from shared.lab.upstream import most_at_once
from shared.lesson.contract import ENDPOINTS

ROUNDING = 0.006
"""Half of the hundredth of a second to which `elapsed` is rounded, and a little."""

MANY = 10
"""Searches at once that are enough to tell from their calls whether they had to wait for each other."""

FRAME = re.compile(r'File "[^"]*[\\/]variants[\\/](\w+)[\\/](\w+)\.py", line (\d+), in (\w+)')
"""A line of a traceback that is about a variant's code."""


Rule = Callable[[Answer, Observation], list[Finding]]


def broken(seen: Observation, rules: Sequence[Rule] | None = None) -> list[Finding]:
    """Return the first of the given rules, or of all, that an answer which is to succeed breaks, the gravest first."""
    for rule in rules or (*IN_WORDS, awaited, waited, honest):
        for answer in seen.answers:
            if answer.ask.status == 200 and (findings := rule(answer, seen)):  # noqa: PLR2004 - HTTP's success
                return [replace(finding, ask=answer.ask) for finding in findings]
    return []


def answered(answer: Answer, seen: Observation) -> list[Finding]:
    """Find a request that was not answered with success."""
    return [] if answer.status == 200 else other_status(answer, seen)  # noqa: PLR2004 - HTTP's success


def other_status(answer: Answer, seen: Observation) -> list[Finding]:
    """Tell why a request was answered with another status than its own, or not at all."""
    asked = f"{answer.ask.method} {answer.ask.path}"
    if answer.status == 0:
        cause, sentence = _no_answer(answer, f"{asked} got {answer.error} after {answer.seconds:.1f} s", seen)
        calls_services = cause == Cause.LIMITED and any(call.service == "embeddings" for call in seen.calls)
        return sure(cause, sentence, *([OPEN_CLIENT] if calls_services else []))
    got = f"{asked} was answered {answer.status} and not {answer.ask.status}: {answer.body[:200].decode(errors='replace')}"
    most = most_at_once(call for call in seen.calls if call.service == "embeddings")
    searches = sum(1 for other in seen.answers if other.ask.known and "embedding" in other.ask.tasks)
    if answer.status == 504 and searches >= MANY and 0 < most < searches / 2:  # noqa: PLR2004 - HTTP's Gateway Timeout
        sentence = f"{got}; of {searches} searches at once the embeddings service saw at most {most}"
        # On a busy machine they may come so late after each other that few of them meet.
        return [Finding(Cause.LIMITED, sentence, places=(OPEN_CLIENT,))]
    if "agreed JSON" in str(answer.body) and (packed := _compressed(seen)):
        return sure(Cause.WRONG_CALL, f"{got}; {packed}", OPEN_CLIENT)
    if answer.status >= 500:  # noqa: PLR2004 - HTTP's first server error
        return [failure(got, "\n".join(seen.printed), answer)]
    return sure(Cause.WRONG_ANSWER, got)


def _compressed(seen: Observation) -> str:
    """Tell which service was asked in such a way that it compressed its answer; nothing where none was."""
    for call in seen.calls:
        if "gzip" in (accepted := call.headers.get("accept-encoding", "")):
            asked = f"the {call.service} service was asked with Accept-Encoding: {accepted}"
            return f"{asked}, so its answer came compressed; where it is read as it comes, 'identity' has to be asked for"
    return ""


def _stands(seen: Observation) -> str:
    if seen.process_stood_still:
        return "; no thread of its process runs, as when a call into C keeps the interpreter's lock (GIL)"
    return f"; the server stands at\n{seen.stuck}" if seen.stuck else "; nothing of the variant runs"


def _no_answer(answer: Answer, sentence: str, seen: Observation) -> tuple[Cause, str]:
    """Tell from what went on meanwhile why a request got no answer."""
    log = last_error("\n".join(seen.printed))
    if seen.process_ended:
        return Cause.CRASHED, f"{sentence}; the server's process has ended {seen.process_ended}, and the log says: {log}"
    stands = _stands(seen)
    # Right: not at all. Wrong: as long as the request itself.
    if seen.process_stood_still or seen.stood_still or seen.slowest_ping > HANG / 4:
        return Cause.BLOCKS, f"{sentence}, and /ping had to wait {seen.slowest_ping:.1f} s{stands}"
    if not answer.hung:  # The connection was closed without a word, or there was none.
        return Cause.CRASHED, f"{sentence}; the log says: {log}"
    others = sorted(other.received - seen.began for other in seen.answers if other.status)
    if others and others[-1] > HANG / 2:  # Right: all at once. Wrong: one by one, for as long as this one waited.
        return Cause.LIMITED, f"{sentence}; {len(others)} others were answered meanwhile, the last after {others[-1]:.1f} s"
    return Cause.HANGS, f"{sentence}{stands}"


_OTHER_LOOP = (
    "unrecognized yield|[Nn]o running event loop|not currently running.*asyncio|attached to a different loop"
    "|'NoneType' object has no attribute '(create_future|create_task|call_soon)'"
)
"""What Python and the libraries say when one event loop's functions are called under another's."""

_NOT_AWAITED = (
    r"coroutine.* (was never awaited|object)|[Tt]ype coroutine|'coroutine'|await wasn't used with|[Tt]ype Future|'Future'"
)
"""What they say when something that is to be awaited is used as if it were its result."""


_LATE = {
    "did not answer within": Cause.NO_DEADLINE,
    "cannot be reached": Cause.WRONG_CALL,
    "did not end within": Cause.HANGS,  # A worker process.
}
"""What an answer says of what was late, and may have been so on a busy machine alone; and what is probably wrong otherwise."""


def failure(got: str, log: str, answer: Answer) -> Finding:
    """Tell from the answer and the log why a request that should succeed was answered with a server error."""
    if "status 4" in str(answer.body) or "agreed JSON" in str(answer.body):  # An upstream refused what it was sent.
        return Finding(Cause.WRONG_CALL, got, certain=True)
    says = f"{got}; the log says: {last_error(log)}"
    for words, cause in ((_OTHER_LOOP, Cause.WRONG_LOOP), (_NOT_AWAITED, Cause.NOT_AWAITED)):
        if re.search(words, log):
            return Finding(cause, says, certain=True)
    if late := next((cause for words, cause in _LATE.items() if words in str(answer.body)), None):
        return Finding(late, got)
    if answer.status == 503:  # noqa: PLR2004 - HTTP's Service Unavailable, which nobody answers unforeseen
        gone = "client left" in str(answer.body)
        sentence = f"{got}; it was there all the while, and something else was taken for its leaving" if gone else got
        return Finding(Cause.WRONG_ANSWER, sentence, certain=True, places=(UNTIL_LEFT,) if gone else ())
    return Finding(Cause.CRASHED, says, certain=True)


def _warned(lines: Sequence[str]) -> Iterator[int]:
    """Yield the numbers of the lines that begin with the name of an error or a warning."""
    for number, line in enumerate(lines):
        # Advice of Python's follows a warning.
        if re.match(r"[\w.]*(Error|Exception|Group|Warning)\b", line.strip(" |+-")) and "tracemalloc" not in line:
            yield number


def _ends_of_tracebacks(lines: Sequence[str]) -> Iterator[int]:
    """Yield the numbers of the lines that end a traceback with what was raised: they begin in its own column, by any name."""
    column = None
    for number, line in enumerate(lines):
        if "Traceback (most recent call last)" in line:
            column = len(line) - len(line.lstrip(" |+"))  # That of a group's error is further to the right.
        elif column is not None and line[column:].strip() and not line[column].isspace():
            yield number
            column = None


def last_error(log: str) -> str:
    """Return the line of a log that names the last error, and where it was raised in a variant's code, if that stands there."""
    lines = log.splitlines()
    named = sorted({*_warned(lines), *_ends_of_tracebacks(lines)})
    if not named:
        return "nothing"
    traceback = "\n".join(lines[: named[-1]]).rpartition("Traceback (most recent call last)")[2]
    places = [f" (at variants/{one[1]}/{one[2]}.py:{one[3]} in {one[4]})" for one in FRAME.finditer(traceback)]
    return f"{lines[named[-1]].strip(' |+-')}{places[-1] if places else ''}"


def readable(answer: Answer, _: Observation) -> list[Finding]:
    """Find a body that is no JSON object, or holds something that was to be awaited; or a stream that others may hold back."""
    if answer.ask.endpoint.streams:
        findings = stream.readable(answer) if answer.ask.endpoint.works else stream.told(answer, "done")
        return findings or stream.held_back(answer)
    path, media_type = answer.ask.path, answer.headers.get("Content-Type", "")
    if media_type.partition(";")[0] != "application/json":
        return sure(Cause.WRONG_ANSWER, f"{path} is not application/json, but {media_type or 'of no type'}")
    try:
        body = json.loads(answer.body)
    except ValueError:
        return sure(Cause.WRONG_ANSWER, f"{path} answered with something that is not JSON: {answer.body[:80]!r}")
    if "coroutine object" in str(body):
        return sure(Cause.NOT_AWAITED, f"{path} answered with a coroutine in place of a result: {body}")
    if not isinstance(body, dict):
        return sure(Cause.WRONG_ANSWER, f"{path} answered with JSON that is no object: {str(body)[:80]!r}")
    return []


def content(answer: Answer, seen: Observation) -> list[Finding]:
    """Find a body that is not the contract's, with this request's own values in it."""
    path, endpoint = answer.ask.path, answer.ask.endpoint
    if endpoint.streams:
        return []
    body: dict[str, Any] = json.loads(answer.body)
    if endpoint.path == "/search-demo" and not re.fullmatch(r"\d+ms", str(body.get("elapsed_ms"))):
        return sure(Cause.WRONG_ANSWER, f"{path} answered with an elapsed_ms of {body.get('elapsed_ms')!r}")
    if not re.fullmatch(r"\d+\.\d\ds", str(body.get("elapsed", "0.00s"))):
        return sure(Cause.WRONG_ANSWER, f"{path} answered with an elapsed of {body['elapsed']!r}, and not such as '0.20s'")
    if endpoint.seconds is None:
        return []
    expected = expected_body(answer)
    if body.keys() != {*expected, "elapsed"}:
        return sure(Cause.WRONG_ANSWER, f"{path} answered {body}, and not {', '.join([*expected, 'elapsed'])}")
    wrong = [name for name, value in expected.items() if body[name] != value]
    return [_wrong_value(answer, seen, wrong[0], body[wrong[0]], expected[wrong[0]])] if wrong else []


def expected_body(answer: Answer) -> dict[str, Any]:
    """Return the body that the contract asks for, without `elapsed`."""
    endpoint, wait = answer.ask.endpoint, answer.ask.wait
    if len(endpoint.tasks) == 1:
        return {"result": f"{endpoint.tasks[0]} result"}
    together = f"{len(endpoint.tasks)} x {wait:g}-second tasks completed in ~{wait:g} seconds!"
    note = together if endpoint.waits == 1 else f"Sequential = {answer.ask.due:g} seconds"
    return {"results": [f"{task} result" for task in endpoint.tasks], "note": note}


def _wrong_value(answer: Answer, seen: Observation, name: str, got: Any, right: Any) -> Finding:  # noqa: ANN401 - JSON is any
    sentence = f"{answer.ask.path} answered with {name} {got!r}, and not {right!r}"
    others = [other for other in seen.answers if other is not answer and other.ask.path.startswith(answer.ask.endpoint.path)]
    if any(got == expected_body(other)[name] for other in others if other.ask.endpoint == answer.ask.endpoint):
        return Finding(Cause.SHARED_STATE, f"{sentence}: that belongs to another request", certain=True)
    if isinstance(got, list) and isinstance(right, list):
        if len(got) > len(right):
            return Finding(Cause.SHARED_STATE, f"{sentence}: results of other requests are among them", certain=True)
        if sorted(map(str, got)) == sorted(right):
            return Finding(Cause.ORDER, sentence, certain=True)
    return Finding(Cause.WRONG_ANSWER, sentence, certain=True)


def awaited(answer: Answer, seen: Observation) -> list[Finding]:
    """Find Python's own warning that something was not awaited; Python gives it when it forgets the coroutine."""
    if warnings := [line for line in seen.printed if "was never awaited" in line]:
        return sure(Cause.NOT_AWAITED, f"after {answer.ask.path} the console shows: {warnings[0].rpartition(': ')[2]}")
    return []


def waited(answer: Answer, seen: Observation) -> list[Finding]:
    """Find an answer that came sooner than it was asked to."""
    ask = answer.ask
    if ask.endpoint.seconds is None or answer.seconds >= ask.due - EARLY:
        return []
    sentence = f"{ask.path} answered after {answer.seconds:.3f} s, and was asked to wait {ask.due:.2f} s"
    if ask.endpoint.waits > 1 and overlap(answer) > 0:
        return sure(Cause.STARTED_TOGETHER, f"{sentence}, one task after another")
    if matches_another(answer, seen):
        return sure(Cause.SHARED_STATE, f"{sentence}: that is what another request asked for")
    return sure(Cause.TOO_FAST, sentence)


def matches_another(answer: Answer, seen: Observation) -> bool:
    """Say whether an answer took the time that another request asked for, and not its own."""
    others = {other.ask.due for other in seen.answers if other.ask.endpoint == answer.ask.endpoint} - {answer.ask.due}
    return any(due - EARLY <= answer.seconds < 1.25 * due for due in others)


def overlap(answer: Answer) -> float:
    """Return for how long, in seconds, the first two operations of an answer were both under way, as it says."""
    if len(answer.operations) < 2:  # noqa: PLR2004 - two are needed
        return 0.0
    one, other = answer.operations[:2]
    return min(one.end, other.end) - max(one.start, other.start)


SERVICES = {"embeddings": "embedding", "query": "search", "chat": "answer"}
"""What a variant calls the operation in which it calls a service."""


def honest(answer: Answer, seen: Observation) -> list[Finding]:
    """Find what an answer says of its own time and does not fit into the time it was seen to take."""
    ask, operations = answer.ask, answer.operations
    if ask.endpoint.works:  # Some of its calls are broken off, or not begun; what they took is the witness's to say.
        return _overstated(answer)
    names = [operation.name for operation in operations]
    if sorted(names) != sorted(ask.tasks):
        sentence = f"{ask.path} names {', '.join(names) or 'nothing'} in Server-Timing"
        sentence += f", and should name {', '.join(ask.tasks) or 'nothing'}"
        return sure(_other_names(answer, seen), sentence, SERVER_TIMING)
    for operation in operations:
        took = operation.end - operation.start
        if operation.end > answer.seconds + EARLY:
            sentence = f"{ask.path} says that {operation.name} ended after {operation.end:.3f} s, but had answered after"
            return sure(Cause.FALSE_REPORT, f"{sentence} {answer.seconds:.3f} s")
        if took < ask.wait - EARLY:
            sentence = f"{ask.path} says that {operation.name} took {took:.3f} s, and asked it to wait {ask.wait:.2f} s"
            return sure(_short_wait(answer), sentence)
    return _honest_elapsed(answer)


def waited_for(answer: Answer, task: str, due: float) -> list[Finding]:
    """Find what the answer of a failure says of its time that cannot be, or that it does not say for what it waited.

    Args:
        answer: The answer.
        task: The task that failed, or was broken off.
        due: For how long it was waited for at the least, in seconds.

    """
    sentence = f"{answer.ask.path} was answered {answer.status} after {answer.seconds:.3f} s"
    if task not in {operation.name for operation in answer.operations}:
        return sure(Cause.FALSE_REPORT, f"{sentence}, and its Server-Timing does not say that it waited for {task}")
    for operation in answer.operations:
        if not due - EARLY <= operation.end <= answer.seconds + EARLY:
            sentence += f", and its Server-Timing says that {operation.name} ended after {operation.end:.3f} s"
            return sure(Cause.FALSE_REPORT, f"{sentence}; what it waited for takes {due:.3f} s")
    return []


def _other_names(answer: Answer, seen: Observation) -> Cause:
    """Tell why an answer names other operations than its own."""
    names = [operation.name for operation in answer.operations]
    called = [SERVICES.get(call.service, call.service) for call in seen.calls]
    if called and len(seen.answers) == 1 and sorted(called) == sorted(names):
        return Cause.WRONG_CALL  # The services saw the very calls that it names.
    if {task for endpoint in ENDPOINTS for task in endpoint.tasks} & set(names) - set(answer.ask.tasks):
        return Cause.SHARED_STATE
    return Cause.FALSE_REPORT


def _short_wait(answer: Answer) -> Cause:
    """Tell why an answer that took its due time says of one of its operations that it waited for less."""
    ask, operations = answer.ask, answer.operations
    span = operations[-1].end - operations[0].start
    if ask.endpoint.waits == 1 and len(operations) > 1:
        if overlap(answer) <= EARLY and span >= ask.wait - EARLY:  # The wait is shared out among them.
            return Cause.ONE_BY_ONE
        if max(operation.end - operation.start for operation in operations) >= ask.wait - EARLY:
            return Cause.TOO_FAST  # Others took the time that the answer took.
    return Cause.FALSE_REPORT


def elapsed(answer: Answer) -> float:
    """Return how long a successful answer says it took, in seconds; of a stream, in its last event."""
    body = stream.events(answer)[-1].data if answer.ask.endpoint.streams else json.loads(answer.body)
    return float(body["elapsed"][:-1]) if "elapsed" in body else float(body["elapsed_ms"].removesuffix("ms")) / 1000


def misstated(says: object, due: float, took: float) -> bool:
    """Return whether an elapsed time that is told is none, or cannot be: less than the seconds due, or more than were seen."""
    told = re.fullmatch(r"(\d+\.\d\d)s|(\d+)ms", str(says))
    seconds = 0.0 if told is None else float(told[1]) if told[1] else int(told[2]) / 1000
    return told is None or not due - ROUNDING <= seconds <= took + ROUNDING


def _overstated(answer: Answer) -> list[Finding]:
    """Find that an answer says that it took longer than it was seen to."""
    if answer.ask.endpoint.streams or "elapsed" not in json.loads(answer.body) or elapsed(answer) <= answer.seconds + ROUNDING:
        return []
    sentence = f"{answer.ask.path} says it took {elapsed(answer):.3f} s, and was seen to take {answer.seconds:.3f} s"
    return sure(Cause.FALSE_REPORT, sentence)


def _honest_elapsed(answer: Answer) -> list[Finding]:
    if not answer.operations:  # What waits for nothing says nothing of its time.
        return []
    last = max(operation.end for operation in answer.operations)
    if findings := _overstated(answer):
        return findings
    sentence = f"{answer.ask.path} says it took {elapsed(answer):.3f} s"
    if elapsed(answer) < last - ROUNDING:
        return sure(Cause.FALSE_REPORT, f"{sentence}, and in Server-Timing that it waited until {last:.3f} s")
    return []


IN_WORDS: tuple[Rule, ...] = (answered, readable, content)
"""The rules about what an answer says, and not about its time."""

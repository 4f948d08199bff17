"""What has to hold for every conversation, whatever it is about: it begins, it is understood, and it goes on."""

import json
from dataclasses import replace

from shared.lab.causes import Cause
from shared.lab.experiment import Answer, Observation
from shared.lab.finding import Finding, sure
from shared.lab.places import SERVE
from shared.lab.rules import failure, last_error
from shared.lab.talk import ENDINGS, PATIENCE, Say, Talk

UPGRADED = 101

LAST_SAID = 2
"""How much of what a client has said is told where it waited in vain: its last words, and what came just before."""


def talked(seen: Observation) -> list[Finding]:
    """Find a conversation that did not begin, in which something was not understood, or in which its client waited in vain."""
    for check in (_begun, _understood, _told_once, _heard_out):
        for answer in seen.answers:
            if answer.ask.says and (findings := check(answer, seen)):
                return [replace(finding, ask=answer.ask) for finding in findings]
    return []


def begun(seen: Observation) -> list[Finding]:
    """Find only the first of these: a conversation that did not begin."""
    return [found for answer in seen.answers if answer.ask.says for found in _begun(answer, seen)]


def understood(seen: Observation) -> list[Finding]:
    """Find only that something came which is no message."""
    return [found for answer in seen.answers if answer.ask.says for found in _understood(answer, seen)]


def _begun(answer: Answer, seen: Observation) -> list[Finding]:
    if answer.status == UPGRADED:
        return []
    got = f"was answered {answer.status}" if answer.status else f"got no answer ({answer.error.removesuffix(': ')})"
    sentence = f"a WebSocket for {answer.ask.path} {got}, and {UPGRADED} is right"
    if answer.status >= 500:  # noqa: PLR2004 - HTTP's first server error
        return [failure(sentence, "\n".join(seen.printed), answer)]
    if answer.status:
        return sure(Cause.WRONG_ANSWER, sentence, SERVE)
    if "TimeoutError" in answer.error:
        return sure(Cause.HANGS, sentence, SERVE)
    log = last_error("\n".join(seen.printed))
    return sure(Cause.CRASHED, f"{sentence}; the log says: {log}", SERVE)


def _understood(answer: Answer, _: Observation) -> list[Finding]:
    return sure(Cause.WRONG_ANSWER, f"in a conversation {answer.talk.error}") if answer.talk.error else []


def _told_once(answer: Answer, _: Observation) -> list[Finding]:
    """Find a task that was told to have ended more often than it was told to have begun."""
    begun = [heard.message["started"] for heard in answer.talk.all("started")]
    ends = [(word, heard.message[word]) for word in ENDINGS for heard in answer.talk.all(word)]
    names = [name for _, name in ends]
    for name in names:
        if names.count(name) > begun.count(name):
            said = " and ".join(word for word, ended in ends if ended == name)
            return sure(Cause.WRONG_ANSWER, f"a conversation told of the task {name!r}, once begun, that it was {said}")
    return []


def _heard_out(answer: Answer, seen: Observation) -> list[Finding]:
    talk = answer.talk
    if not talk.missed:
        return []
    word, name = talk.missed.word, talk.missed.name
    said = [step.what for step in answer.ask.says if isinstance(step, Say)][: len(talk.said)][-LAST_SAID:]
    before = f" said {' and '.join(map(str, said))}, and" if said else ""
    sentence = f"a client{before} waited for {word!r} {f'of {name} ' if name else ''}in vain"
    if talk.code:
        return [ended(f"{sentence}: the server ended the conversation (close code {talk.code})", seen)]
    if seen.stood_still or seen.slowest_ping > PATIENCE / 4:  # Right: not at all. Wrong: as long as the client.
        return sure(Cause.BLOCKS, f"{sentence}, and /ping had to wait {seen.slowest_ping:.1f} s")
    # Of one name there may have been a task before, which has ended otherwise.
    about = [heard for heard in talk.heard if any(heard.says(told, name) for told in ("started", *ENDINGS))] if name else []
    if word != "failed" and about and "failed" in (problem := about[-1].message):
        as_answer = replace(answer, status=int(problem.get("status", 0)), body=json.dumps(problem).encode())
        return [failure(f"{sentence}: it was told {problem}", "\n".join(seen.printed), as_answer)]
    return sure(Cause.HANGS, f"{sentence}; the last that it heard was {last_words(talk)}")


def ended(sentence: str, seen: Observation) -> Finding:
    """Tell why the server ended a conversation."""
    log = "\n".join(seen.printed)
    found = failure(sentence, log, seen.answers[0])
    if found.cause != Cause.CRASHED:  # It is known better: something was not awaited, or another loop's.
        return found
    says = f"; the log says: {last_error(log)}" if last_error(log) != "nothing" else ""
    return Finding(Cause.ENDS_THE_TALK, f"{sentence}{says}", certain=True)


def last_words(talk: Talk) -> str:
    """Return the last that a client heard, in a message's words."""
    return str(talk.heard[-1].message)[:120] if talk.heard else "nothing"

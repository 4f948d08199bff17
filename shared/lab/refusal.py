"""What an answer that refuses or reports a failure has to be: problem details with the right status and words."""

import json
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus

from shared.lab.causes import Cause
from shared.lab.experiment import Answer
from shared.lab.finding import Finding, sure
from shared.lab.places import HANDLE_ERROR
from shared.lab.rules import last_error
from shared.lesson.problems import MEDIA_TYPE

KEY = "not-a-secret"  # what the lab gives a variant for a key
PARTS = {"type", "title", "status", "detail"}


def refused(answer: Answer, status: int, *words: str, when: str = "", log: str = "") -> list[Finding]:
    """Find what is wrong with an answer that should be problem details.

    Args:
        answer: What came.
        status: The status it should have.
        words: What its `detail` should hold.
        when: What had been done to the server or its services, for the message: it begins with "while" or the like.
        log: What the server printed meanwhile, for the message.

    """
    asked = f"{answer.ask.method} {answer.ask.path[:80]}{f' {when}' if when else ''}"
    return [replace(finding, ask=answer.ask) for finding in _wrong(answer, status, words, asked, log)]


def _wrong(answer: Answer, status: int, words: Sequence[str], asked: str, log: str) -> list[Finding]:
    if answer.status != status:
        return [_other_status(answer, status, asked, log)]
    media_type = answer.headers.get("Content-Type", "").partition(";")[0]
    if media_type != MEDIA_TYPE:
        return sure(
            Cause.WRONG_ERROR, f"{asked}: the {status} is {media_type or 'of no type'}, and not {MEDIA_TYPE}", HANDLE_ERROR
        )
    body = json.loads(answer.body)
    for secret, what in ((KEY, "the key of a service"), ("Traceback", "a traceback")):
        if secret in str(body):
            return sure(Cause.TELLS_SECRETS, f"{asked}: the {status} shows {what} to the client", HANDLE_ERROR)
    if body.keys() != PARTS or body["status"] != status or body["title"] != HTTPStatus(status).phrase:
        return sure(
            Cause.WRONG_ERROR, f"{asked}: the {status} holds {body}, and not {', '.join(sorted(PARTS))} of it", HANDLE_ERROR
        )
    missing = [word for word in words if word not in str(body["detail"])]
    if missing:
        return sure(Cause.WRONG_ERROR, f"{asked}: the detail of the {status} is {body['detail']!r}, without {missing[0]!r}")
    return []


def _other_status(answer: Answer, status: int, asked: str, log: str) -> Finding:
    got = f"was answered {answer.status}" if answer.status else f"got {answer.error}"
    sentence, says = f"{asked} {got}, and {status} is right", last_error(log)
    says = "" if says == "nothing" else f"; the log says: {says}"
    if answer.status == 0 and not answer.hung:  # The connection was closed without a word.
        cause, sentence = Cause.CRASHED, f"{sentence}{says}"
    elif answer.status == 0:
        cause = Cause.NO_DEADLINE if status == HTTPStatus.GATEWAY_TIMEOUT else Cause.HANGS
    elif answer.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        cause, sentence = Cause.CRASHED, f"{sentence}{says}"
    elif status == HTTPStatus.METHOD_NOT_ALLOWED and answer.status < HTTPStatus.BAD_REQUEST:
        cause = Cause.ANY_METHOD
    elif answer.status == HTTPStatus.OK:
        cause = Cause.UNCHECKED if status < HTTPStatus.INTERNAL_SERVER_ERROR else Cause.SWALLOWED
    elif status == HTTPStatus.UNPROCESSABLE_ENTITY and answer.status == HTTPStatus.BAD_GATEWAY:
        cause, sentence = Cause.UNCHECKED, f"{sentence}: it was sent on to a service"
    else:
        cause = Cause.WRONG_ERROR
    body = f". The answer: {answer.body[:120].decode(errors='replace')}" if answer.body else ""
    return Finding(cause, f"{sentence}{body}", certain=True)

"""What a stream of server-sent events told, and when each event had come."""

import json
from dataclasses import dataclass
from typing import Any

from shared.lab.experiment import Answer


@dataclass(frozen=True, slots=True)
class Told:
    """One event: its kind, its data, and how many seconds after the request it was there; data that is no JSON is None."""

    kind: str
    data: Any
    seconds: float


def told(answer: Answer) -> list[Told]:
    """Return the events of an answer, in the order in which they came; comments are left out."""
    found, rest = [], b""
    for piece in answer.pieces:
        *events, rest = (rest + piece.content).replace(b"\r\n", b"\n").split(b"\n\n")
        found += [told for event in events if (told := _read(event, piece.received - answer.sent))]
    return found


def _read(event: bytes, seconds: float) -> Told | None:
    fields: dict[str, list[str]] = {}
    for line in event.decode(errors="replace").split("\n"):
        name, _, value = line.partition(":")
        if name:  # A comment begins with the colon.
            fields.setdefault(name, []).append(value.removeprefix(" "))
    if not fields:
        return None
    try:
        data = json.loads("\n".join(fields.get("data", [])))
    except ValueError:
        data = None
    return Told(fields.get("event", ["message"])[-1], data, seconds)

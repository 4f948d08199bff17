"""Work that goes on after its answer, followed from outside: begin it, and ask what became of it until that is told."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.lab.experiment import LOGGED, Answer, Ask, Line, Observation, run, send
from shared.lab.finding import Finding
from shared.lab.server import Server
from shared.lab.verdict import WAITS, doubt, judge

BEGUN = 202
PAUSE = 0.05
"""Seconds between two questions."""

PATIENCE = 3.0
"""Seconds after the end of the work after which its state is taken to stay as it is."""


@dataclass(frozen=True, slots=True)
class Followed:
    """One piece of work.

    Attributes:
        begun: The answer to the request for it.
        told: The answers to the questions what became of it, in order; none where it was not begun.
        path: Where to ask.

    """

    begun: Answer
    told: list[Answer]
    path: str

    @property
    def id(self) -> str:
        """Its identifier, as far as its first answer says."""
        return str(body(self.begun).get("id", ""))

    @property
    def end(self) -> dict[str, Any]:
        """What was told of it last."""
        return body(self.told[-1]) if self.told else {}


def body(answer: Answer) -> dict[str, Any]:
    """Return the JSON object of an answer; an empty one where it holds something else."""
    try:
        found = json.loads(answer.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def background(seconds: float, *, fails: bool | None = None, headers: tuple[tuple[str, str], ...] = ()) -> Ask:
    """Return the request for work that takes so long; it says whether that is to fail at its end, unless `fails` is None."""
    wanted = "" if fails is None else f"&fails={str(fails).lower()}"
    return Ask(f"/background?seconds={seconds}{wanted}", "POST", status=BEGUN, headers=headers)


def path_of(answer: Answer) -> str:
    """Return the path that an answer says one can ask under; empty where it says none."""
    return answer.headers.get("Location", "") if answer.status == BEGUN else ""


def follow(server: Server, asks: Sequence[Ask]) -> tuple[list[Followed], Observation]:
    """Begin work, ask what became of it until all has ended or nothing changes any more, and return what was seen."""
    last, printed = server.upstreams.last_call(), len(server.printed())
    seen = run(server, asks)
    longest = max(ask.wait for ask in asks)
    followed = [Followed(answer, [], path_of(answer)) for answer in seen.answers]
    deadline = time.monotonic() + longest + PATIENCE
    waiting = [one for one in followed if one.path.startswith("/")]
    while waiting and time.monotonic() < deadline:
        for one, answer in zip(waiting, send(server.url, [Ask(one.path) for one in waiting]), strict=True):
            one.told.append(answer)
        waiting = [one for one in waiting if one.end.get("state") == "running"]
        time.sleep(PAUSE)
    # What is told may be wrong: the service behind knows when the work ended.
    server.upstreams.wait_for_calls(deadline - time.monotonic())
    seen.answers += [answer for one in followed for answer in one.told[-1:]]
    time.sleep(LOGGED)
    seen.console = [Line(line) for line in server.printed(printed).decode(errors="replace").splitlines()]
    seen.calls = server.upstreams.calls(last)
    return followed, seen


def tried(
    server: Server,
    asks: Callable[[float], Sequence[Ask]],
    check: Callable[[list[Followed], Observation], list[Finding]],
    waits: Sequence[float] = WAITS,
) -> None:
    """Follow work with longer and longer waits until nothing is found wrong, or something that noise cannot cause.

    Raises:
        Accusation: Something was wrong in every try, or certainly.

    """
    for tries_left, wait in zip(reversed(range(len(waits))), waits, strict=True):
        followed, seen = follow(server, asks(wait))
        findings = sorted(check(followed, seen), key=lambda finding: not finding.certain)
        if not findings:
            return
        if findings[0].certain or not tries_left:
            judge(server, seen, findings)
        doubt(findings[0])

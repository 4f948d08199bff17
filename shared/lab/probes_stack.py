"""Probes that ask for what a right variant does not have: they look at a minimal application alone."""

import json
from http import HTTPStatus

from shared.lab.experiment import Ask, run
from shared.lab.probes_socket import SOCKET_STACK_PROBES
from shared.lab.server import Server
from shared.lab.traits import Probe, Shown
from shared.lesson.contract import FACTORS, TASKS

WAIT = 0.6
"""Seconds that a plain `def` blocks."""

MEANWHILE = WAIT / 3
"""Seconds after which something else is asked for."""

STEP = 0.1
"""Seconds by which the waits differ whose results have to keep their order."""


def plain_def(server: Server) -> Shown:
    """Let a plain `def` block, and see whether a request that comes meanwhile has to wait for it."""
    seen = run(server, [Ask(f"/plain-def?seconds={WAIT}"), Ask("/ping", after=MEANWHILE)])
    took = seen.answers[1].seconds
    evidence = f"while a plain def blocked for {WAIT:g} s, another request took {took:.2f} s"
    return Shown("on-the-loop" if took >= (WAIT - MEANWHILE) / 2 else "in-a-thread", evidence, seen)


def group_error(server: Server) -> Shown:
    """Let a task of a group fail with an error that a handler is registered for, and see whether that was asked."""
    seen = run(server, [Ask("/group-error", status=409)])
    status = seen.answers[0].status
    asked = {409: "the-error", 500: "a-group"}
    evidence = f"an error out of a task group, with a handler for it that answers 409, was answered {status or 'nothing'}"
    return Shown(asked.get(status, f"status {status}"), evidence, seen)


def gather_order(server: Server) -> Shown:
    """Gather waits that end in another order than they begin, and see in which order their results stand."""
    seen = run(server, [Ask(f"/gather-order?seconds={STEP}")])
    try:
        names = json.loads(seen.answers[0].body)
    except ValueError:
        names = None
    orders = {TASKS: "of-the-calls", tuple(name for _, name in sorted(zip(FACTORS, TASKS, strict=True))): "of-finishing"}
    evidence = f"waits that ended in another order than they began gave {names}"
    return Shown(orders.get(tuple(names or ()), "something else"), evidence, seen)


def failed_stream(server: Server) -> Shown:
    """Let a stream fail after its first event, and see whether its reader is told so by the way it ends."""
    seen = run(server, [Ask("/failed-stream")])
    answer = seen.answers[0]
    how = f"ended with {answer.error.partition(':')[0]}" if answer.error else "ended like a whole one"
    evidence = f"a stream that failed after its first event was answered {answer.status}, told {answer.body!r}, and {how}"
    began = answer.status == HTTPStatus.OK and b"one" in answer.body
    value = "broken-off" if answer.error and not answer.hung else "as-if-whole"
    return Shown(value if began and not answer.hung else "something else", evidence, seen)


STACK_PROBES: dict[str, Probe] = {
    "failed_stream": failed_stream,
    "gather_order": gather_order,
    "group_error": group_error,
    "plain_def": plain_def,
    **SOCKET_STACK_PROBES,
}
"""The probe of each trait that only a minimal application can show."""

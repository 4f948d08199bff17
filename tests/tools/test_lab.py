"""The lab's own parts: upstreams that serve one server after another, and what a log complains of."""

import contextlib
import gc
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection
from types import FrameType
from typing import NoReturn

import pytest

from shared.lab import upstream
from shared.lab.complaints import FEW, LOST, left_open
from shared.lab.control import Control
from shared.lab.experiment import Line
from shared.lab.frames import current_frames
from shared.lab.server import EndedError, serving
from shared.lab.upstream import Upstreams, kept_for_others
from shared.lab.variants import ROOT, named


def work(upstreams: Upstreams) -> None:
    """Have some work done that takes no time."""
    with urllib.request.urlopen(f"{upstreams.environment()['WORK_URL']}/work?name=one&seconds=0", timeout=10) as response:  # noqa: S310 - our own
        assert response.status == 200


def test_upstreams_serve_one_after_another() -> None:
    """What is done with serves the next, which sees none of the earlier calls and meets none of the earlier faults."""
    with kept_for_others():
        with Upstreams() as first:
            work(first)
            first.misbehave("work", "drop")
        assert first.running
        with Upstreams() as second, Upstreams() as beside:
            assert second.environment() == first.environment() != beside.environment()
            work(second)
            assert len(second.calls(0)) == 1
    assert not second.running
    assert not beside.running


def test_stopped_upstreams_are_not_kept() -> None:
    """What has been stopped serves nobody else."""
    with kept_for_others():
        with Upstreams() as first:
            first.stop()
        with Upstreams() as second:
            assert second.environment() != first.environment()


def test_questions_share_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """All go over one, unless it was idle for so long that the services may have closed it."""
    opened = list[HTTPConnection]()
    connect = HTTPConnection.connect

    def count(self: HTTPConnection) -> None:
        opened.append(self)
        connect(self)

    monkeypatch.setattr(HTTPConnection, "connect", count)
    with Upstreams() as upstreams:
        upstreams.last_call()
        assert len(opened) == 1
        monkeypatch.setattr(upstream, "KEPT_SECONDS", 0.0)
        upstreams.last_call()
        assert len(opened) == 2


def test_a_question_that_was_broken_off_spoils_no_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a Ctrl-C in the middle the next question gets an answer of its own, and the services serve others, and end."""
    with kept_for_others():
        with Upstreams() as first, monkeypatch.context() as broken_off:
            broken_off.setattr(HTTPConnection, "getresponse", interrupt)
            with pytest.raises(KeyboardInterrupt):
                first.misbehave("query", "drop")
            broken_off.undo()
        with Upstreams() as second:
            assert second.environment() == first.environment()
    assert not second.running


def interrupt(_: HTTPConnection) -> NoReturn:
    """Press Ctrl-C."""
    raise KeyboardInterrupt


def test_who_did_not_read_along_knows_no_times() -> None:
    """A check of when a line was there cannot pass, or fail, by a time that nobody saw."""
    assert Line("[ASYNC] Starting task1", 1.5).seen == 1.5
    with pytest.raises(ValueError, match="read along"):
        print(Line("[ASYNC] Starting task1").seen)


def test_few_lost_connections_are_no_proof() -> None:
    """A few connections that were dropped may be the stack's doing; more are told, and so is one of anything else."""
    line = f"selector_events.py:869: {LOST} <_SelectorSocketTransport fd=19>"
    quoted = (
        '  _warn(f"unclosed transport {self!r}", ResourceWarning, source=self)\nResourceWarning: Enable tracemalloc to get ...'
    )
    assert not left_open(f"started\n{line}\n{quoted}\nended")
    assert not left_open(f"{line}\n{quoted}\n" * FEW)
    assert left_open(f"{line}\n{quoted}\n" * (FEW + 1)) == line
    assert left_open(f"{line}\nUnclosed client session") == "Unclosed client session"


def test_no_collection_begins_while_frames_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.11 stands still when one does; afterwards there are collections again, where there were before."""
    meanwhile: list[bool] = []

    def frames() -> dict[int, FrameType]:
        meanwhile.append(gc.isenabled())
        return {}

    monkeypatch.setattr(sys, "_current_frames", frames)
    current_frames()
    assert meanwhile == [False]
    assert gc.isenabled()
    gc.disable()
    try:
        current_frames()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_process_that_stands_still_is_asked_once() -> None:
    """Whoever asks waits once for an answer that does not come, and takes none for a later question's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        control = Control(ours, 0.05)
        assert control.ask("where") is None
        assert control.stands_still
        theirs.sendall(b'{"loop": ["late"]}\n')
        assert control.ask("where") is None


def test_a_process_that_is_gone_does_not_stand_still() -> None:
    """The end of the connection is told apart from a silent one."""
    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        control = Control(ours, 0.05)
        assert control.ask("where") is None
        assert not control.stands_still


LOOK_AT_A_TASK_IN_THE_MAKING = """
import asyncio, socket
from shared.lab import host
task = asyncio.Task.__new__(asyncio.Task)
print(host.report(socket.socket(), "")["tasks"])
"""


def test_a_task_in_the_making_is_none_yet() -> None:
    """The event loop's thread may have got half-way through making a task when the lab's looks: the server goes on."""
    command = [sys.executable, "-c", LOOK_AT_A_TASK_IN_THE_MAKING]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own
    assert (done.returncode, done.stdout) == (0, "{}\n"), done.stderr


@contextlib.contextmanager
def unreachable(*, killed: bool) -> Iterator[None]:
    """Serve a variant that cannot be reached at last, because it was killed or for another reason."""
    (variant,) = named("starlette_asyncio")
    with serving(variant) as server:
        yield
        if killed:
            server.process.kill()
        raise ConnectionResetError


def test_that_a_server_ended_is_told_where_it_cannot_be_reached() -> None:
    """How it ended is known then, and not only that nobody listens; while it runs, an error is what it is."""
    with pytest.raises(EndedError, match="starlette_asyncio ended by itself by the signal SIGKILL"), unreachable(killed=True):
        pass
    with pytest.raises(ConnectionResetError), unreachable(killed=False):
        pass

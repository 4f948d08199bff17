"""The lab's own parts: upstreams that serve one server after another, and what a log complains of."""

import urllib.request

from shared.lab.complaints import LOST, left_open
from shared.lab.upstream import Upstreams, kept_for_others


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


def test_one_lost_connection_is_no_proof() -> None:
    """One connection that was dropped may be the stack's doing; two are told, and so is one of anything else."""
    line = f"selector_events.py:869: {LOST} <_SelectorSocketTransport fd=19>"
    assert not left_open(f"started\n{line}\nended")
    assert left_open(f"{line}\n{line}") == line
    assert left_open(f"{line}\nUnclosed client session") == "Unclosed client session"

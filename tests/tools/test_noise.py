"""What is asked for again, because a machine may have been too busy for it, and what is taken as it was seen."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

import pytest

from shared.lab.experiment import Ask
from shared.lab.family import MOST
from shared.lab.server import Server
from shared.lab.tries import first_good
from shared.lesson.command import HOST
from tests import test_overhead
from tests.background import TRIES, in_time

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TOO_LATE = OK.replace(b"200 OK", b"504 Gateway Timeout")
LOST = b""

BEGIN = Ask("/background?seconds=0.1", "POST")
"""What the client does not send again by itself, as it does a GET whose connection is lost."""


@contextmanager
def answering(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Serve these answers, one a connection; yield the address, and those that are still to be given."""
    left = list(answers)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:  # type: ignore[explicit-override]  # Python 3.11 has no `override`.
            while self.rfile.readline().strip():
                pass
            self.wfile.write(left.pop(0))

    with socketserver.TCPServer((HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_address[1]}", left
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("noise", [LOST, TOO_LATE], ids=["lost", "late"])
def test_what_may_be_noise_is_asked_for_again(noise: bytes) -> None:
    """A connection that is lost, and a service that is late, are no finding as long as another try goes well."""
    with answering(noise, OK) as (url, left):
        assert [answer.status for answer in in_time(url, [BEGIN])] == [200]
        assert not left


@pytest.mark.parametrize(("noise", "status"), [(LOST, 0), (TOO_LATE, 504)], ids=["lost", "late"])
def test_what_stays_is_told(noise: bytes, status: int) -> None:
    """Each time the same: that is the server's doing, and the last answer is what is told."""
    with answering(*[noise] * TRIES, OK) as (url, left):
        assert [answer.status for answer in in_time(url, [BEGIN])] == [status]
        assert left == [OK]


def test_what_is_in_time_is_not_asked_for_again() -> None:
    """An answer that is as it should be, and one that is meant to be 504, are taken as they are."""
    with answering(OK, TOO_LATE, LOST) as (url, left):
        assert [answer.status for answer in in_time(url, [BEGIN])] == [200]
        assert [answer.status for answer in in_time(url, [replace(BEGIN, status=504)])] == [504]
        assert left == [LOST]


@pytest.mark.parametrize(
    ("shows", "starved", "made", "kept"),
    [
        ("bad good", False, "12", "good"),
        ("bad bad good", False, "12", "bad"),
        ("bad bad good", True, "123", "good"),
        ("bad bad bad bad", True, "1234", "bad"),
        ("bad good", True, "12", "good"),
    ],
    ids=["in time", "never", "with a processor", "nor then", "no need"],
)
def test_a_server_without_a_processor_has_more_tries(shows: str, starved: bool, made: str, kept: str) -> None:
    """What is not good in the tries that there are is made again, where the server had no processor, and not for ever."""
    left, tried = shows.split(), ""

    def experiment(one: str) -> str:
        nonlocal tried
        tried += one
        return left.pop(0)

    seen = first_good("12", experiment, "good".__eq__, more="34", starved=lambda _: starved)
    assert (tried, seen) == (made, kept)


class Machine:
    """What stands for the clock and for the server, which has no processor for a part of the time; each try takes 0.1 seconds."""

    def __init__(self, part: float) -> None:
        self.now, self._part = 0.0, part

    def monotonic(self) -> float:
        """Return the time, in seconds since it began."""
        return self.now

    @property
    def starved(self) -> float:
        """For how many seconds the server has had no processor so far."""
        return self._part * self.now


@pytest.mark.parametrize(
    ("part", "patience", "seconds"),
    [(0.0, 6.0, 6.0), (0.5, 6.0, 12.0), (0.99, 6.0, 6.0 * (1 + MOST)), (0.0, 0.0, 0.1 * test_overhead.TRIES)],
    ids=["always there", "half of the time", "hardly ever", "no time to try"],
)
def test_the_time_without_a_processor_does_not_count(
    monkeypatch: pytest.MonkeyPatch, part: float, patience: float, seconds: float
) -> None:
    """What is tried for a while is tried for longer where the server could not run, not for ever, and often enough."""
    machine = Machine(part)
    monkeypatch.setattr(test_overhead, "time", machine)
    monkeypatch.setattr(test_overhead, "PATIENCE", patience)
    last = []
    for _, is_last in test_overhead.each_try(cast("Server", machine)):
        machine.now += 0.1
        last.append(is_last)
    assert last.index(True) == len(last) - 1
    assert machine.now == pytest.approx(seconds, abs=0.25)

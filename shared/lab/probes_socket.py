"""Probes that hold a conversation over a WebSocket, or begin one and then say nothing more."""

import contextlib
import socket
import time
from typing import Final
from urllib.parse import urlsplit

from shared.lab.experiment import Ask, Observation, run
from shared.lab.probes_http import HOST, UPGRADE
from shared.lab.server import Server
from shared.lab.talk import Hear, Leave, Pause, Say, Step
from shared.lab.traits import Probe, Shown
from shared.lab.tries import first_good
from shared.lesson.contract import SOCKET

LARGE: Final = 5_000_000
"""Characters of a message: more than one stack takes by default, and less than another."""

READS_IN: Final = (1.0, 4.0)
"""Seconds in which it has to be read, for each try."""

TOO_BIG: Final = 1009
INTERNAL_ERROR: Final = 1011
CUT_OFF: Final = 1006
PRIVATE: Final = range(4000, 5000)
"""Codes with which a WebSocket is closed (RFC 6455, section 7.4)."""

SOON: Final = 10.0
"""Seconds to wait for a server to give up a client that answers nothing: it has two pings of some seconds to do so."""

LEFT_AFTER: Final = 0.2
"""Seconds after which a client leaves."""


def _talk(*steps: Step) -> Ask:
    return Ask("/ws", SOCKET, status=101, says=steps)


def large_message(server: Server) -> Shown:
    """Say something long, and see whether it is answered."""
    seen = first_good(
        READS_IN,
        lambda seconds: run(server, [_talk(Say("x" * LARGE), Pause(seconds / 2), Pause(seconds / 2))]),
        lambda seen: bool(seen.answers[0].talk.heard or seen.answers[0].talk.code),
    )
    talk = seen.answers[0].talk
    answered = f"answered {str(talk.heard[0].message)[:60]}" if talk.heard else f"answered with the close code {talk.code}"
    # The code is 1009; it may get lost where the server closes while the message is still being sent.
    value = "read" if talk.heard else "closed" if talk.code in {TOO_BIG, CUT_OFF} else f"code {talk.code}"
    return Shown(value, f"a message of {LARGE:,} characters was {answered}", seen)


def silent_client(server: Server) -> Shown:
    """Begin a conversation, answer nothing from then on, not even a ping, and see whether the server gives the client up."""
    address = urlsplit(server.url)
    request = f"GET /ws HTTP/1.1\n{HOST}{UPGRADE}\n".replace("HOST", address.netloc).replace("\n", "\r\n")
    began, closed = time.monotonic(), False
    with socket.create_connection((address.hostname, address.port), timeout=SOON) as client:
        client.sendall(request.encode())
        with contextlib.suppress(TimeoutError):
            while not closed and (left := began + SOON - time.monotonic()) > 0:
                client.settimeout(left)
                closed = _ends(client)
    took = time.monotonic() - began
    evidence = f"a client that answered nothing, no ping either, was {f'given up after {took:.1f} s' if closed else 'kept'}"
    return Shown("given-up" if closed else "kept", f"{evidence} within {SOON:g} s", run(server, [Ask("/ping")]))


def _ends(client: socket.socket) -> bool:
    """Wait for something to read, and return whether it was the end."""
    try:
        return client.recv(2**16) == b""
    except ConnectionError:
        return True


SOCKET_PROBES: dict[str, Probe] = {"large_message": large_message, "silent_client": silent_client}
"""The probe of each trait that a variant's own conversation shows."""


def _ended_before(seen: Observation) -> Shown | None:
    """Say that a conversation had been ended by the server when its client was to leave, if so."""
    code = seen.answers[0].talk.code
    return (
        Shown("something else", f"the server ended the conversation with {code}, before its client left", seen) if code else None
    )


def socket_waiting(server: Server) -> Shown:
    """Leave while a handler waits for a service and does not listen, and see whether that is let go."""
    seen = run(server, [_talk(Say("work"), Pause(LEFT_AFTER), Leave())], linger=2)
    if ended := _ended_before(seen):
        return ended
    left = seen.answers[0].talk.left
    how = [
        f"{'was broken off' if call.was_left else 'ended by itself'} {call.end - left:.2f} s later"
        for call in seen.calls
        if call.end
    ]
    value = "broken-off" if any(call.was_left for call in seen.calls) else "runs-on"
    return Shown(value, f"the client left /ws, and the call that its handler waited for {how[0] if how else 'went on'}", seen)


def socket_telling(server: Server) -> Shown:
    """Leave before a handler tells something, and see whether it goes on after that."""
    seen = run(server, [_talk(Say("tell"), Pause(LEFT_AFTER), Leave())], linger=1.5)
    if ended := _ended_before(seen):
        return ended
    value = "ignored" if seen.calls else "raises"
    return Shown(
        value, f"a handler told a client something that had left, and {'went on' if seen.calls else 'got no further'}", seen
    )


def socket_failure(server: Server) -> Shown:
    """Let a handler fail, and see how the client is told."""
    seen = run(server, [_talk(Say("fail"), Hear("nothing"))])
    code = seen.answers[0].talk.code
    values = {INTERNAL_ERROR: "internal-error", CUT_OFF: "cut-off"} | dict.fromkeys(PRIVATE, "private-code")
    return Shown(values.get(code, f"code {code}"), f"when a handler failed, its client saw the close code {code}", seen)


SOCKET_STACK_PROBES: dict[str, Probe] = {
    "socket_waiting": socket_waiting,
    "socket_telling": socket_telling,
    "socket_failure": socket_failure,
}
"""The probe of each trait that only a minimal application can show: no right conversation waits and does not listen."""

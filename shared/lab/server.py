"""Start a variant's real server in a process of its own, look into it, and stop it for certain."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

from shared.lab.control import Control
from shared.lab.processor import waited
from shared.lab.upstream import Upstreams
from shared.lab.variants import ROOT, Variant
from shared.lesson.command import HOST

START_SECONDS = 90.0
"""Beside many others on two cores a right one was seen to take 28 seconds; its imports cost up to 0.7 of the processor's."""
STOP_SECONDS = 10.0
ENDS = 1.0
"""Seconds in which a process that has closed its sockets has ended as well."""

PATIENT = {"CONNECT_DEADLINE": "8"}
"""Settings for a server that is not judged by how soon it connects: a busy machine may take seconds for hundreds at once."""

ENVIRONMENT = {
    "PYTHONUNBUFFERED": "1",
    "PYTHONIOENCODING": "utf-8",
    # Python says it when a connection is dropped and not closed, and each time that something is not awaited.
    "PYTHONWARNINGS": "default::ResourceWarning,always::RuntimeWarning",
}
"""Settings of a hosted process, so that its log tells all that it can, when it happens."""


class ServerError(Exception):
    """A server did not start, answer or stop as it should; the message holds what it printed."""


class EndedError(ServerError):
    """A server ended by itself while it was still needed.

    Attributes:
        how: With which exit code, or by which signal, in words.
        log: All that it had printed.

    """

    def __init__(self, label: str, how: str, log: str) -> None:
        super().__init__(f"{label} ended by itself {how}.\n{log}")
        self.how, self.log = how, log


class Server:
    """A running server.

    Attributes:
        variant: What it serves.
        url: Where.
        upstreams: What it calls.

    """

    def __init__(
        self, variant: Variant, upstreams: Upstreams, *, crash: bool = False, settings: Mapping[str, str] | None = None
    ) -> None:
        self.variant, self.upstreams = variant, upstreams
        self._folder = tempfile.TemporaryDirectory(prefix="workbook-", ignore_cleanup_errors=True)
        self._log = Path(self._folder.name, "server.log")
        with ExitStack() as undo, socket.create_server((HOST, 0)) as listener, self._log.open("wb") as output:
            undo.callback(self._folder.cleanup)
            control_port = str(listener.getsockname()[1])
            command = [sys.executable, "-m", "shared.lab", control_port, variant.package]
            command += ["--port", "0", "--loop", variant.loop]
            command += ["--root", str(variant.root)] if variant.root != ROOT else []
            command += ["--crash"] if crash else []
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **upstreams.environment(), **ENVIRONMENT, **(settings or {})},
                start_new_session=sys.platform != "win32",
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # Only Windows has the name.
            )
            undo.callback(self.process.wait)
            undo.callback(self.process.kill)
            self._control = Control(undo.enter_context(self._accept(listener)))
            self.url = self._wait_until_ready()
            undo.pop_all()  # It runs, and nothing of that is to be undone.

    def _accept(self, listener: socket.socket) -> socket.socket:
        listener.settimeout(0.1)
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                control, _ = listener.accept()
                return control
        raise ServerError(f"{self.variant.label} did not start.\n{self.log()}")

    def _wait_until_ready(self) -> str:
        """Return the URL that the server printed, once it has answered there: a line alone is not proof."""
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            if found := re.search(rf"http://{re.escape(HOST)}:\d+", self.log()):
                # Its socket listens already, so this waits until the server takes it; it fails when the server ends instead.
                with contextlib.suppress(OSError), urllib.request.urlopen(found[0] + "/ping", timeout=START_SECONDS):  # noqa: S310 - our own
                    return found[0]
            time.sleep(0.01)
        raise ServerError(f"{self.variant.label} did not answer /ping.\n{self.log()}")

    def printed(self, after: int = 0) -> bytes:
        """Return what the server has printed so far, from a number of bytes on."""
        with self._log.open("rb") as lines:
            lines.seek(after)
            return lines.read()

    def log(self) -> str:
        """Return all that the server has printed so far."""
        return self.printed().decode(errors="replace")

    def look_inside(self) -> dict[str, Any]:
        """Return what lives in the server's process: `tasks` and `threads` with where they stand, and how many `sockets`.

        A task stands there under a number that it keeps, a thread under its name. What `ended` and `talks` count, `host` says.
        """
        return self._control.ask("report") or {"tasks": {}, "threads": {}, "sockets": {"in": 0, "out": 0}}

    def whereabouts(self) -> dict[str, list[str]]:
        """Return where the event loop's thread and other threads stand in the variant's code just now."""
        return self._control.ask("where") or {"loop": [], "threads": []}

    def held(self) -> list[str]:
        """Return what the guard in the server's process has seen hold the event loop since the last call; the first arms it."""
        found: list[str] = (self._control.ask("guard") or {"held": []})["held"]
        return found

    @property
    def ended(self) -> str:
        """With which exit code its process has ended, or by which signal, in words; empty while it runs."""
        code = self.process.poll()
        if code is None:
            return ""
        return f"by the signal {signal.Signals(-code).name}" if code < 0 else f"with the exit code {code}"

    @property
    def starved(self) -> float:
        """For how many seconds it and its services have had to wait for a processor so far, as far as one can know."""
        return waited(self.process.pid) + self.upstreams.starved

    @property
    def stands_still(self) -> bool:
        """Whether its process did not let even the lab's own thread answer, so that nothing is known from inside any more."""
        return self._control.stands_still

    def ask_to_stop(self, sent: int = signal.SIGTERM) -> None:
        """Send the server the signal to stop, and wait for nothing."""
        # Windows has no SIGTERM to handle: a console stops a group of processes with Ctrl-Break.
        self.process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", sent))

    def stop(self, sent: int = signal.SIGTERM) -> int:
        """Ask the server to stop, and return its exit code.

        Raises:
            ServerError: It did not stop in time, and was killed; the message says where it was stuck.

        """
        if self.process.poll() is None:
            self.ask_to_stop(sent)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            inside = json.dumps(self.look_inside(), indent=1)
            inside = "No thread of its process ran, so nobody can say where it was stuck." if self.stands_still else inside
            self.process.kill()
            self.process.wait()
            raise ServerError(f"{self.variant.label} did not stop within {STOP_SECONDS:g} s.\n{inside}\n{self.log()}") from None
        finally:
            self._control.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self._folder.cleanup()


@contextmanager
def serving(variant: Variant, *, crash: bool = False, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Serve a variant, with upstreams of its own that can be read and steered.

    Args:
        variant: What to serve.
        crash: Whether the waits of `together.py`, and work, threads and streams elsewhere, fail as nobody foresaw.
        settings: What its environment holds besides, such as a deadline.

    Raises:
        EndedError: It ended by itself, and could not be reached when it was needed next.

    """
    with Upstreams() as upstreams, Server(variant, upstreams, crash=crash, settings=settings) as server:
        try:
            yield server
        except OSError as error:
            with contextlib.suppress(subprocess.TimeoutExpired):  # Its sockets are closed a moment before it has ended.
                server.process.wait(ENDS)
            if server.ended:
                raise EndedError(variant.label, server.ended, server.log()) from error
            raise

"""How this stack behaves where the four differ, as its author states it; tests prove every line, and fail a wrong one.

Different here: anyio's rules hold on both loops: each line is proved on trio and on asyncio.
Pick it when: you can live with each of these, or change it.
Watch for: they hold for the pinned versions; another version may differ, and then the suite says so.
"""

from typing import Final

from shared.lesson.character import Character

CHARACTER: Final[Character] = {
    "gather": "others-broken-off",
    "gather_order": "of-the-calls",
    "group_error": "a-group",
    "thread_at_deadline": "awaited",
    "disconnect_plain": "runs-on",
    "disconnect_stream": "at-once",
    "failed_stream": "broken-off",
    "threads": "ten",
    "plain_def": "in-a-thread",
    "head": "answered",
    "trailing_slash": "redirected",
    "repeated_parameter": "last",
    "absolute_target": "not-found",
    "no_host": "refused",
    "two_hosts": "refused",
    "half_close": "answered",
    "unknown_method": "not-allowed",
    "long_target": "headers-too-large",
    "long_header": "answered",
    "unknown_websocket": "forbidden",
    "unknown_expectation": "ignored",
    "docs": "none",
    "other_digits": "read",
    "whole_number": "refused",
    "shutdown_wait": "three-seconds",
    "cut_off": "closed",
    "socket_stop": "cut-off",
    "background_task": "waited-for",
    "bare_task": "not-there",
    "exit_sigterm": "zero",
    "exit_sigint": "zero",
    "ctrl_c": "nothing",
    "failed_start": "exit-1",
    "plain_websocket": "not-found",
    "socket_waiting": "runs-on",
    "socket_telling": "ignored",
    "socket_failure": "internal-error",
    "large_message": "read",
    "silent_client": "kept",
    "process_at_deadline": "stopped",
    "killed_worker": "alone",
    "busy_cpu": "in-a-process",
}

# `set_threads` in `room.py` and `cancellable=True` in `computing.py` make the difference.
BY_DEFAULT: Final[dict[str, str]] = {"threads": "forty", "process_at_deadline": "awaited"}

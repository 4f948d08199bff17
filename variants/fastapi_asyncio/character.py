"""How this stack behaves where the four differ, as its author states it; tests prove every line, and fail a wrong one.

Different here: most values are Starlette's and uvicorn's, because FastAPI stands on both.
Pick it when: you can live with each of these, or change it.
Watch for: they hold for the pinned versions; another version may differ, and then the suite says so.
"""

from typing import Final

from shared.lesson.character import Character

CHARACTER: Final[Character] = {
    "gather": "others-run-on",
    "gather_order": "of-the-calls",
    "group_error": "a-group",
    "thread_at_deadline": "abandoned",
    "disconnect_plain": "runs-on",
    "disconnect_stream": "at-once",
    "failed_stream": "as-if-whole",
    "threads": "ten",
    "plain_def": "in-a-thread",
    "head": "refused",
    "trailing_slash": "redirected",
    "repeated_parameter": "last",
    "absolute_target": "answered",
    "no_host": "answered",
    "two_hosts": "answered",
    "half_close": "taken-for-leaving",
    "unknown_method": "bad-request",
    "long_target": "bad-request",
    "long_header": "answered",
    "unknown_websocket": "forbidden",
    "unknown_expectation": "ignored",
    "docs": "served",
    "other_digits": "refused",
    "whole_number": "read",
    "shutdown_wait": "three-seconds",
    "cut_off": "an-error",
    "socket_stop": "closed",
    "background_task": "waited-for",
    "bare_task": "broken-off",
    "exit_sigterm": "by-the-signal",
    "exit_sigint": "zero",
    "ctrl_c": "nothing",
    "failed_start": "exit-3",
    "plain_websocket": "not-found",
    "socket_waiting": "runs-on",
    "socket_telling": "raises",
    "socket_failure": "cut-off",
    "large_message": "read",
    "silent_client": "given-up",
    "process_at_deadline": "runs-on",
    "killed_worker": "all",
    "busy_cpu": "in-a-process",
}

# In `serve.py`, `timeout_graceful_shutdown` makes the difference at the end, `log_level` that of Ctrl-C, and `ws_ping_interval`
# that of a silent client; uvicorn's own 20 seconds, and 20 more to answer, do so later. `set_threads` in `room.py` makes that of
# the threads.
BY_DEFAULT: Final[dict[str, str]] = {
    "shutdown_wait": "longer",
    "cut_off": "none",
    "ctrl_c": "a-few-words",
    "silent_client": "kept",
    "threads": "forty",
}

"""How this stack behaves where stacks differ, as its author states it; tests prove every line, and fail a wrong one.

Different here: many of these are uvicorn's and asyncio's, and stay when the framework changes.
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
    "failed_stream": "broken-off",
    "threads": "ten",
    "plain_def": "on-the-loop",
    "head": "refused",
    "trailing_slash": "not-found",
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
    "plain_websocket": "not-allowed",
    "socket_waiting": "runs-on",
    "socket_telling": "raises",
    "socket_failure": "private-code",
    "large_message": "read",
    "silent_client": "given-up",
    "process_at_deadline": "runs-on",
    "killed_worker": "all",
    "busy_cpu": "in-a-process",
}

# In `app.py`, `before_request` makes the difference for a slash too many, and `logging_config` a part of that of Ctrl-C. In
# `serve.py`, `log_level` is the other part, `timeout_graceful_shutdown` the difference at the end, and `ws_ping_interval` that of
# a silent client. `set_threads` in `room.py` makes that of the threads.
BY_DEFAULT: Final[dict[str, str]] = {
    "trailing_slash": "answered",
    "shutdown_wait": "longer",
    "cut_off": "none",
    "ctrl_c": "a-few-words",
    "silent_client": "kept",
    "threads": "processors-and-four",
}

"""How this stack behaves where the four differ, as its author states it; tests prove every line, and fail a wrong one.

Different here: its own server makes most of the difference: others have one of uvicorn's in its place.
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
    "disconnect_plain": "broken-off",
    "disconnect_stream": "at-once",
    "failed_stream": "broken-off",
    "threads": "ten",
    "plain_def": "on-the-loop",
    "head": "answered",
    "trailing_slash": "not-found",
    "repeated_parameter": "first",
    "absolute_target": "answered",
    "no_host": "refused",
    "two_hosts": "refused",
    "half_close": "taken-for-leaving",
    "unknown_method": "bad-request",
    "long_target": "bad-request",
    "long_header": "refused",
    "unknown_websocket": "not-found",
    "unknown_expectation": "refused",
    "docs": "none",
    "other_digits": "read",
    "whole_number": "refused",
    "shutdown_wait": "three-seconds",
    "cut_off": "closed",
    "socket_stop": "closed",
    "background_task": "not-there",
    "bare_task": "broken-off",
    "exit_sigterm": "zero",
    "exit_sigint": "zero",
    "ctrl_c": "nothing",
    "failed_start": "exit-1",
    "plain_websocket": "bad-request",
    "socket_waiting": "broken-off",
    "socket_telling": "raises",
    "socket_failure": "cut-off",
    "large_message": "closed",
    "silent_client": "given-up",
    "process_at_deadline": "runs-on",
    "killed_worker": "all",
    "busy_cpu": "in-a-process",
}

# `handler_cancellation=True` in `serve.py` makes the difference for a client that leaves, `shutdown_timeout` there at the end,
# `_end_conversations` in `app.py` for conversations then, `heartbeat` in `conversation.py` for a client that is silent, and
# `set_threads` in `room.py` for the threads.
BY_DEFAULT: Final[dict[str, str]] = {
    "disconnect_plain": "runs-on",
    "disconnect_stream": "at-the-next-event",
    "shutdown_wait": "longer",
    "cut_off": "none",
    "socket_stop": "waited-for",
    "socket_waiting": "runs-on",
    "silent_client": "kept",
    "threads": "processors-and-four",
}

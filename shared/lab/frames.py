"""Where the threads of this process stand, asked for so that the asking does no harm."""

import gc
import sys
import threading
from types import FrameType

_ASKING = threading.Lock()


def current_frames() -> dict[int, FrameType]:
    """Return the innermost frame of each thread, by the thread's number; callable from any thread.

    In Python 3.11 a process stands still for ever when a garbage collection begins inside `sys._current_frames` while another
    thread begins or ends (https://github.com/python/cpython/issues/106883; mended in 3.12). So none begins meanwhile.
    """
    with _ASKING:  # Or another's asking would let collections begin again in the middle of this one.
        collects = gc.isenabled()
        gc.disable()
        try:
            return sys._current_frames()  # noqa: SLF001 - the documented way to see where other threads stand
        finally:
            if collects:
                gc.enable()

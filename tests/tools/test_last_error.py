"""What a message quotes of a server's log: the last error in it, by whatever name, and where it was raised."""

import pytest

from shared.lab.rules import last_error

CHAINED = """\
Traceback (most recent call last):
  File "/x/variants/mine/search.py", line 3, in find
    1 / 0
ZeroDivisionError: division by zero

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/x/variants/mine/app.py", line 9, in home
    raise Refused("no")
shared.mine.Refused: no
INFO: the server goes on
"""
IN_A_GROUP = """\
ERROR: Error handling request
  + Exception Group Traceback (most recent call last):
  |   File "/x/variants/mine/talk.py", line 5, in talk
  |     async with asyncio.TaskGroup() as group:
  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/x/variants/mine/talk.py", line 8, in read
    |     raise Refused("no")
    | shared.mine.Refused: no
    +------------------------------------
"""
WARNED = """\
RuntimeWarning: coroutine 'find' was never awaited
RuntimeWarning: Enable tracemalloc to get the object allocation traceback
"""


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (CHAINED, "shared.mine.Refused: no (at variants/mine/app.py:9 in home)"),
        (IN_A_GROUP, "shared.mine.Refused: no (at variants/mine/talk.py:8 in read)"),
        (WARNED, "RuntimeWarning: coroutine 'find' was never awaited"),
        ("INFO: all is well\n", "nothing"),
        ("", "nothing"),
    ],
    ids=["chained", "in a group", "a warning", "no error", "no line"],
)
def test_the_last_error_is_quoted(log: str, expected: str) -> None:
    """It need not be called an error, and in a group it is the one inside; Python's advice and other lines are none."""
    assert last_error(log) == expected

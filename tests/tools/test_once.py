"""What is done once is done by whoever comes to it first, and all others get the same."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.once import Once


def test_a_thread_that_was_quicker_is_waited_for() -> None:
    """Two ask: the second waits for what the first is at, and does nothing itself."""
    begun, go_on, done_by = threading.Event(), threading.Event(), list[str]()

    def do() -> str:
        begun.set()
        assert go_on.wait(10)
        done_by.append(threading.current_thread().name)
        return "found"

    once = Once(do)
    with ThreadPoolExecutor(2, "ahead") as executor:
        first = executor.submit(once.result)
        assert begun.wait(10)
        second = executor.submit(once.result)
        go_on.set()
        assert [first.result(), second.result(), once.result()] == ["found"] * 3
    assert len(done_by) == 1


def test_who_asks_does_it_where_nobody_has() -> None:
    """It does not wait for a thread that is at work on something else."""
    busy = threading.Event()
    once = Once(lambda: threading.current_thread().name)
    with ThreadPoolExecutor(1) as executor:
        executor.submit(busy.wait, 10)
        later = executor.submit(once.result)
        assert once.result() == threading.current_thread().name
        busy.set()
        assert later.result() == threading.current_thread().name


@pytest.mark.parametrize("error", [LookupError, KeyboardInterrupt])
def test_each_who_asks_gets_the_error(error: type[BaseException]) -> None:
    """What failed is not tried again; neither is what a Ctrl-C broke off, which would go on behind the back of who pressed it."""
    tries = list[int]()

    def fail() -> None:
        tries.append(1)
        raise error

    once = Once(fail)
    for _ in range(2):
        with pytest.raises(error):
            once.result()
    assert len(tries) == 1

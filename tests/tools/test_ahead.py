"""Tests that are run ahead: each once, by whoever comes to it first, and told where pytest comes to it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from tests.ahead import ENOUGH, Ahead


def test_each_is_run_once() -> None:
    """What pytest has come to is its own; all others are run from the last on, and pytest is told so."""
    ahead, ran = Ahead("abcde"), list[str]()
    assert not ahead.has_run("a")
    assert not ahead.has_run("b")
    ahead.run(ran.append)
    assert ran == ["e", "d", "c"]
    assert [test for test in "abcde" if ahead.has_run(test)] == ["c", "d", "e"]


def test_a_failure_is_raised_where_pytest_comes_to_it() -> None:
    """A test that fails, or is skipped, does so for pytest, and those before it in the list are run all the same."""
    ahead, ran = Ahead("abc"), list[str]()

    def one(test: str) -> None:
        ran.append(test)
        if test == "c":
            raise AssertionError(test)
        if test == "b":
            pytest.skip(test)

    ahead.run(one)
    assert ran == ["c", "b", "a"]
    assert ahead.has_run("a")
    with pytest.raises(AssertionError, match="c"):
        ahead.has_run("c")
    with pytest.raises(pytest.skip.Exception, match="b"):
        ahead.has_run("b")


def test_what_has_begun_is_waited_for() -> None:
    """Pytest waits for a test that it finds under way, and no other is begun once they are to stop."""
    ahead, begun, go_on, ran = Ahead("ab"), Event(), Event(), list[str]()

    def one(test: str) -> None:
        begun.set()
        assert go_on.wait(10)
        ran.append(test)

    with ThreadPoolExecutor(2) as executor:
        running = executor.submit(ahead.run, one)
        assert begun.wait(10)
        ahead.stop()
        result = executor.submit(ahead.has_run, "b")
        assert not result.done()
        go_on.set()
        assert result.result(10)
        running.result(10)
    assert ran == ["b"]
    assert not ahead.has_run("a")


def test_a_few_are_not_worth_a_server() -> None:
    """A server is started for many tests, and for those that pytest has not come to."""
    ahead = Ahead(range(ENOUGH))
    assert ahead.is_worth_it
    ahead.has_run(0)
    assert not ahead.is_worth_it

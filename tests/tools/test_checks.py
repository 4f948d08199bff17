"""Checks of what was seen: what they find, and when they are certain of it."""

from collections.abc import Sequence

import pytest

from shared.lab.causes import Cause
from shared.lab.checks import holds_the_loop, on_time
from shared.lab.experiment import Answer, Ask, Observation
from shared.lab.overhead import allowed, late, overhead
from shared.lab.rules import other_status
from shared.lab.upstream import Call

WAIT = 0.2
PING = Ask("/ping")


def in_waves(waves: int, pings: Sequence[float]) -> Observation:
    """Return what is seen of requests of which two may wait at once, so that they come in so many waves.

    Args:
        waves: How many.
        pings: When `/ping` was answered, in seconds after the begin.

    """
    ask = Ask(f"/async?seconds={WAIT}")
    answers = [Answer(ask, 0.0, WAIT * (1 + number // 2), 200) for number in range(2 * waves)]
    return Observation(answers, [Answer(PING, moment - 0.01, moment, 200) for moment in pings])


def every(seconds: float, until: float) -> list[float]:
    """Return moments so far apart."""
    return [seconds * number for number in range(1, int(until / seconds) + 1)]


@pytest.mark.parametrize(
    ("waves", "pings", "certain"),
    [
        (5, every(0.03, 1.0), True),
        (4, every(0.03, 0.8), False),
        (9, every(0.12, 1.8), False),
        (9, [*every(0.03, 0.6), 1.2, *every(0.03, 1.8)[40:]], False),
        (9, [0.1], False),
        (9, [], False),
    ],
    ids=["four waits late", "three waits late", "slow pings", "a stall between two pings", "one ping", "no ping"],
)
def test_many_waits_beside_quick_pings_are_no_noise(waves: int, pings: list[float], certain: bool) -> None:
    """That a limit makes many wait is certain when /ping never had to; otherwise the machine may be busy, and is asked again."""
    (finding,) = on_time(in_waves(waves, pings))
    assert finding.cause == Cause.LIMITED
    assert finding.certain is certain


def test_one_wave_is_on_time() -> None:
    """Where all wait together there is nothing to find, however slow a ping was."""
    assert not on_time(in_waves(1, []))


@pytest.mark.parametrize(
    ("looks", "on_loop", "in_threads", "cause"),
    [
        (20, 0, 20, Cause.THREADS),
        (20, 9, 20, Cause.THREADS),
        (20, 10, 20, Cause.BLOCKS),
        (20, 19, 0, Cause.BLOCKS),
        (20, 0, 0, Cause.BLOCKS),
        (6, 0, 6, Cause.BLOCKS),
    ],
    ids=["in threads", "on the loop by chance", "on the loop", "on the loop alone", "nowhere", "hardly looked"],
)
def test_a_slow_ping_is_told_from_one_that_waits_for_a_thread(looks: int, on_loop: int, in_threads: int, cause: Cause) -> None:
    """Where threads stand in the variant, and its event loop mostly does not, `/ping` waits for one of them."""
    place = ["mine/waiting.py:1 in x"]
    answers, pings = [Answer(Ask("/async?seconds=0.5"), 0.0, 1.0, 200)], [Answer(PING, 0.0, 0.4, 200)]
    seen = Observation(answers, pings, looks=looks, on_loop=place * on_loop, in_threads=place * in_threads)
    (finding,) = holds_the_loop(seen, 0.5)
    assert finding.cause == cause
    pings[0].received = 0.2
    assert not holds_the_loop(seen, 0.5)


def call(service: str, start: float, end: float | None) -> Call:
    """Return a call that was open from one moment to another."""
    return Call(1, service, "", {}, start, end, broken_off=False, at_once=1, answered=None, status=200, headers={})


def test_what_services_take_by_themselves_is_no_overhead() -> None:
    """Only what they took while the answer was waited for counts, and nothing of a service that takes what it is asked to."""
    answer = Answer(Ask("/search-demo?query=x", "POST"), 10.0, 10.5, 200)
    calls = [call("embeddings", 10.0, 10.2), call("query", 10.2, 10.3), call("work", 10.0, 10.5), call("chat", 9.0, 9.9)]
    assert overhead(answer, calls) == pytest.approx(0.2)
    assert overhead(answer, calls, due=0.15) == pytest.approx(0.05)
    assert overhead(answer, [call("chat", 10.1, None)]) == pytest.approx(0.1)
    assert overhead(answer, [call("chat", 10.1, 11.0)]) == pytest.approx(0.1)


def test_an_answer_may_take_longer_the_more_it_calls() -> None:
    """A tenth of a second for none or one of the calls that take their time, and a quarter more for each further one."""
    answers = [Answer(Ask("/search-demo?query=x", "POST"), 10.0, 10.5, 200)] * 2
    calls = [call(service, 10.0, 10.2) for service in ("embeddings", "query", "chat")]
    seen = [Observation(answers, calls=2 * calls[:count]) for count in range(4)]
    assert list(map(allowed, seen)) == pytest.approx([0.1, 0.1, 0.125, 0.15])
    assert allowed(Observation(answers, calls=[call("work", 10.0, 10.2)] * 6)) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("searches", "others", "at_once", "cause"),
    [(20, 0, 1, Cause.LIMITED), (20, 0, 10, Cause.NO_DEADLINE), (2, 25, 1, Cause.NO_DEADLINE), (0, 25, 1, Cause.NO_DEADLINE)],
    ids=["one by one", "together", "two beside others", "others alone"],
)
def test_why_a_search_was_too_late(searches: int, others: int, at_once: int, cause: Cause) -> None:
    """That searches had to wait for each other is told from their own calls, and only where they are many."""
    body = b'{"detail": "The embeddings service did not answer within 8 seconds."}'
    late = Answer(Ask("/search-demo?query=x", "POST"), 0.0, 8.0, 504, body=body)
    answers = [late] * searches + [Answer(PING, 0.0, 0.1, 200)] * others
    calls = [call("embeddings", float(number // at_once), number // at_once + 1.0) for number in range(20)]
    (finding,) = other_status(late, Observation(answers, calls=calls))
    assert finding.cause == cause
    assert ("searches at once" in finding.sentence) == (cause == Cause.LIMITED)


def watched(ask: Ask, ping: float, looks: int, on_loop: int, status: int = 200) -> Observation:
    """Return what is seen of an answer that took 0.4 seconds."""
    pings = [Answer(PING, 0.0, ping, 200)]
    return Observation([Answer(ask, 0.0, 0.4, status)], pings, looks=looks, on_loop=["mine/waiting.py:1 in x"] * on_loop)


@pytest.mark.parametrize(
    ("seen", "cause", "place"),
    [
        (watched(Ask("/async?seconds=0"), 0.002, 20, 0), Cause.TOO_SLOW, None),
        (watched(Ask("/async?seconds=0"), 0.4, 20, 19), Cause.BLOCKS, None),
        (watched(Ask("/async?seconds=0"), 0.4, 20, 1), Cause.TOO_SLOW, ("app", "server_timing")),
        (watched(Ask("/async?seconds=0"), 0.002, 1, 1), Cause.TOO_SLOW, None),
        (watched(Ask("/async?seconds=x", status=422), 0.002, 20, 0, 422), Cause.TOO_SLOW, ("app", "handle_error")),
        (watched(Ask("/gather-fails?seconds=0", status=502), 0.002, 20, 0, 502), Cause.TOO_SLOW, ("failing", "gather_fails")),
        (watched(Ask("/deadline?seconds=9", status=504), 0.002, 20, 0, 504), Cause.TOO_SLOW, ("deadlines", "deadline_endpoint")),
        (watched(Ask("/ping"), 0.4, 20, 1), Cause.TOO_SLOW, ("waiting", "ping")),
    ],
    ids=["it alone", "held", "every request", "one look", "a refusal", "an error that is right", "a late 504", "ping itself"],
)
def test_why_nothing_came_at_once(seen: Observation, cause: Cause, place: tuple[str, str] | None) -> None:
    """A pause is told from a blocked event loop by where its thread stood, and one for all requests by `/ping`."""
    (finding,) = late(seen, seen.answers[0], "it was late", [])
    ping = "; a /ping beside it took 0.40 s as well" if ("app", "server_timing") in finding.places else ""
    assert (finding.cause, finding.sentence) == (cause, f"it was late{ping}")
    assert (finding.places[:1] or (None,))[0] == place


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("`zlib.compress(text)`, for over 0.05 s at variants/mine/waiting.py:1 in x", Cause.BLOCKS),
        ("time.sleep, called at variants/mine/waiting.py:1 in x", Cause.TOO_SLOW),
    ],
    ids=["for long", "however short"],
)
def test_what_the_guard_has_seen(line: str, cause: Cause) -> None:
    """Where nobody could look, as when a call into C keeps the lock, the guard tells; what blocks for a moment is no reason."""
    seen = watched(Ask("/sync?seconds=0"), 0.4, 1, 0)
    (finding,) = late(seen, seen.answers[0], "it was late", [line])
    assert finding.cause == cause

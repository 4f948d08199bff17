"""The lab's client of a conversation: it takes its steps in order, waits while there is hope, and says what it missed."""

import asyncio
import time

import aiohttp
from aiohttp import WSMsgType, web

from shared.lab.causes import Cause
from shared.lab.experiment import Answer, Ask, Observation
from shared.lab.talk import Hear, Heard, Leave, Pause, Say, Step, Talk, cancel, hold, start
from shared.lab.talks import talked
from shared.lesson.contract import SOCKET
from tests.tools.minimal import on_aiohttp


async def parrot(request: web.Request) -> web.WebSocketResponse:
    """Answer each message with itself; `close` ends the conversation, and bytes are answered with bytes."""
    connection = web.WebSocketResponse()
    await connection.prepare(request)
    async for message in connection:
        if message.data == "close":
            await connection.close(code=1011)
        elif message.type is WSMsgType.TEXT:
            await connection.send_str(message.data)
        else:
            await connection.send_bytes(message.data)
    request.app[LEFT].append(connection.close_code or 0)
    return connection


LEFT = web.AppKey("LEFT", list[int])


def converse(*steps: Step, path: str = "/ws") -> tuple[Talk, list[int]]:
    """Hold a conversation with the parrot; return it, and the code with which the parrot saw it end."""
    app = web.Application()
    app[LEFT] = []
    app.router.add_get("/ws", parrot)

    async def talk(port: int) -> Talk:
        async with aiohttp.ClientSession() as client:
            return await hold(client, f"http://127.0.0.1:{port}{path}", steps)

    with on_aiohttp(app) as port:
        held = asyncio.run(talk(port))
        deadline = time.monotonic() + 5
        while held.status == 101 and not app[LEFT] and time.monotonic() < deadline:
            time.sleep(0.01)
    return held, app[LEFT]


def test_it_takes_its_steps_in_order() -> None:
    """What is said is heard, when it has been said; then the conversation is closed as it should be."""
    talk, codes = converse(start("a", 0.2), Hear("start", "a"), Pause(0.1), cancel("a"), Hear("cancel", "a"))
    assert [heard.message for heard in talk.heard] == [{"start": "a", "seconds": 0.2}, {"cancel": "a"}]
    assert talk.heard[1].at - talk.heard[0].at >= 0.1
    assert (talk.status, talk.missed, talk.code, talk.error, codes) == (101, None, 0, "", [1000])


def test_it_waits_as_often_as_asked() -> None:
    """A word can be waited for several times, about anybody."""
    talk, _ = converse(cancel("a"), cancel("b"), Hear("cancel", times=2), Hear("cancel", times=3, patience=0.2))
    assert [heard.says("cancel", "b") for heard in talk.heard] == [False, True]
    assert talk.missed == Hear("cancel", times=3, patience=0.2)


def test_who_leaves_may_find_it_ended() -> None:
    """A client that leaves without a word has left, also where the server was quicker to end the conversation."""
    talk, _ = converse(Say("close"), Pause(1), Leave())
    assert (talk.code, talk.missed, talk.error) == (1011, None, "")
    assert talk.left


def test_it_does_not_wait_in_vain() -> None:
    """When it hears how else a task ended, or the conversation has, it waits no longer."""
    began = time.monotonic()
    talk, _ = converse(Say('{"done": "a"}'), Hear("cancelled", "a"))
    assert talk.missed == Hear("cancelled", "a")
    talk, _ = converse(Say("close"), Hear("done"))
    assert (talk.missed, talk.code) == (Hear("done"), 1011)
    assert time.monotonic() - began < 4  # Nearest wrong: its whole patience, eight seconds, each time.


def test_it_leaves_without_a_word() -> None:
    """The other side sees that nobody is there any more, and no code."""
    talk, codes = converse(start("a", 0.2), Hear("start", "a"), Leave())
    assert talk.left
    assert codes != [1000]


def test_what_is_not_of_the_protocol_is_said() -> None:
    """Bytes, and what is no JSON object, are told as such."""
    assert "not a JSON object" in converse(Say(b"{}"), Pause(0.1))[0].error
    assert "Expecting value" in converse(Say("x"), Pause(0.1))[0].error
    assert converse(path="/nowhere")[0].status == 404


def test_what_is_wrong_with_a_conversation_is_found() -> None:
    """One that did not begin, one that tells an ending twice, and one that was ended are each accused of the right thing."""

    def cause(talk: Talk) -> Cause | None:
        ask = Ask("/ws", SOCKET, status=101, says=(Pause(0),))
        seen = Observation([Answer(ask, 0.0, 1.0, talk.status, error=talk.error, talk=talk)])
        return next((finding.cause for finding in talked(seen)), None)

    begun, done = Heard(0.1, {"started": "a"}), Heard(0.2, {"done": "a"})
    assert cause(Talk(101, [begun, done])) is None
    assert cause(Talk(101, [begun, done, begun, done])) is None
    assert cause(Talk(101, [begun, done, Heard(0.3, {"cancelled": "a"})])) == Cause.WRONG_ANSWER
    assert cause(Talk(404)) == Cause.WRONG_ANSWER
    assert cause(Talk(error="TimeoutError: ")) == Cause.HANGS
    assert cause(Talk(error="ServerDisconnectedError: ")) == Cause.CRASHED
    assert cause(Talk(101, missed=Hear("done"), code=1006)) == Cause.ENDS_THE_TALK
    assert cause(Talk(101, missed=Hear("done"))) == Cause.HANGS
    for detail, why in (("did not answer within", Cause.NO_DEADLINE), ("agreed JSON", Cause.WRONG_CALL), ("", Cause.CRASHED)):
        failed = Heard(0.2, {"failed": "a", "status": 502, "detail": detail})
        assert cause(Talk(101, [begun, failed], missed=Hear("done", "a"))) == why
        assert cause(Talk(101, [begun, failed, begun], missed=Hear("done", "a"))) == Cause.HANGS
    assert cause(Talk(101, [begun], missed=Hear("failed", "a"))) == Cause.HANGS

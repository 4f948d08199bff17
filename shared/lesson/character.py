"""Where the stacks differ: a closed list of keys, with the values each can have, and what they mean to whoever has to choose.

A variant states its values in its `character.py`; the suite measures each, and fails where a statement is wrong.
"""

from typing import Literal, TypedDict

from shared.lesson.trait import Trait
from shared.lesson.traits_http import HTTP


class Character(TypedDict):
    """What a variant states of itself."""

    gather: Literal["others-run-on", "others-broken-off"]
    thread_at_deadline: Literal["abandoned", "awaited"]
    disconnect_plain: Literal["runs-on", "broken-off"]
    disconnect_stream: Literal["at-once", "at-the-next-event", "runs-on"]
    threads: Literal["forty", "processors-and-four"]
    head: Literal["answered", "refused"]
    trailing_slash: Literal["redirected", "not-found"]
    repeated_parameter: Literal["first", "last"]
    absolute_target: Literal["answered", "not-found"]
    no_host: Literal["answered", "refused"]
    two_hosts: Literal["answered", "refused"]
    half_close: Literal["answered", "taken-for-leaving"]
    unknown_method: Literal["bad-request", "not-allowed"]
    long_target: Literal["bad-request", "headers-too-large", "answered"]
    long_header: Literal["answered", "refused"]
    unknown_websocket: Literal["forbidden", "not-found"]
    unknown_expectation: Literal["ignored", "refused"]
    docs: Literal["served", "none"]
    other_digits: Literal["read", "refused"]
    whole_number: Literal["read", "refused"]


TRAITS: dict[str, Trait] = {
    "gather": Trait(
        "What happens to the other calls in this stack's `gather` when one fails?",
        "What runs on costs the service behind it, and its own failure is seen by nobody.",
        {
            "others-run-on": "they run to their end, unwatched, after the failure has been answered",
            "others-broken-off": "they are broken off before the failure is raised",
        },
    ),
    "thread_at_deadline": Trait(
        "What happens when a deadline around a worker thread is over?",
        "No thread can be stopped. Left behind, it keeps its place in the pool; waited for, it makes the deadline none.",
        {
            "abandoned": "the deadline raises in time, and the thread works on to its end, unwatched",
            "awaited": "the deadline waits until the thread has ended, and may then not raise at all",
        },
    ),
    "disconnect_plain": Trait(
        "What becomes of a handler that is waiting when its client leaves?",
        "What runs on holds its connections, and asks services for answers that nobody will read.",
        {
            "runs-on": "it runs to its end as if nothing had happened",
            "broken-off": "it is cancelled where it stands",
        },
    ),
    "disconnect_stream": Trait(
        "When does the work behind a stream end, after its client has left?",
        "A stream may be long, and its next event far away.",
        {
            "at-once": "it is cancelled as soon as the server knows",
            "at-the-next-event": "it goes on until the next event is to be sent, which fails",
            "runs-on": "it goes on to its end, and its events go nowhere",
        },
    ),
    "threads": Trait(
        "How many worker threads are there, unless somebody sets another number?",
        "One blocking call more than there are threads waits for a thread, and so does everything behind it.",
        {
            "forty": "40, the limit of anyio",
            "processors-and-four": "as many as there are processors, and four more, at most 32: the pool of asyncio",
        },
    ),
    **HTTP,
}
"""Every key, in the order of the table."""

"""Where the stacks differ: a closed list of keys, with the values each can have, and what they mean to whoever has to choose.

A variant states its values in its `character.py`. The suite measures on the variant what that can show, and `nox -s stacks` all
of them on an application without our code; both fail where one is wrong. What one might wish otherwise has links that say why.
"""

from typing import Literal, TypedDict

from shared.lesson.trait import Trait, Value
from shared.lesson.traits_ending import ENDING
from shared.lesson.traits_http import HTTP
from shared.lesson.traits_socket import SOCKET

LEAVING = "https://docs.aiohttp.org/en/stable/web_advanced.html#peer-disconnection"


class Character(TypedDict):
    """What a variant states of itself."""

    gather: Literal["others-run-on", "others-broken-off"]
    gather_order: Literal["of-the-calls", "of-finishing"]
    group_error: Literal["a-group", "the-error"]
    thread_at_deadline: Literal["abandoned", "awaited"]
    disconnect_plain: Literal["runs-on", "broken-off"]
    disconnect_stream: Literal["at-once", "at-the-next-event", "runs-on"]
    failed_stream: Literal["broken-off", "as-if-whole"]
    threads: Literal["forty", "processors-and-four", "ten"]
    plain_def: Literal["in-a-thread", "on-the-loop"]
    head: Literal["answered", "refused"]
    trailing_slash: Literal["redirected", "not-found", "answered"]
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
    shutdown_wait: Literal["three-seconds", "longer"]
    cut_off: Literal["an-error", "closed", "none"]
    socket_stop: Literal["closed", "cut-off", "waited-for"]
    background_task: Literal["waited-for", "broken-off", "not-there"]
    bare_task: Literal["broken-off", "waited-for", "not-there"]
    exit_sigterm: Literal["zero", "by-the-signal", "one"]
    exit_sigint: Literal["zero", "by-the-signal", "one"]
    ctrl_c: Literal["nothing", "a-few-words", "a-traceback"]
    failed_start: Literal["exit-1", "exit-3"]
    plain_websocket: Literal["not-found", "bad-request", "upgrade-required", "not-allowed"]
    socket_waiting: Literal["runs-on", "broken-off"]
    socket_telling: Literal["raises", "ignored"]
    socket_failure: Literal["internal-error", "cut-off", "private-code"]
    large_message: Literal["read", "closed"]
    silent_client: Literal["given-up", "kept"]
    process_at_deadline: Literal["runs-on", "stopped", "awaited"]
    killed_worker: Literal["alone", "all"]
    busy_cpu: Literal["in-a-process", "anywhere"]


TRAITS: dict[str, Trait] = {
    "gather": Trait(
        "What happens to the other calls in this stack's `gather` when one fails?",
        "What runs on costs the service behind it, and its own failure is seen by nobody.",
        {
            "others-run-on": Value(
                "they run to their end, unwatched, after the failure has been answered",
                {"Python": "https://docs.python.org/3/library/asyncio-task.html#asyncio.gather"},
            ),
            "others-broken-off": Value("they are broken off before the failure is raised"),
        },
    ),
    "gather_order": Trait(
        "In which order does this stack's `gather` give its results?",
        "Who takes the first for the first call's must be right, whichever call ended first.",
        {
            "of-the-calls": Value("in the order of the calls, however long each took"),
            "of-finishing": Value("in the order in which they ended"),
        },
    ),
    "group_error": Trait(
        "What does an error handler get of an error that is raised in a task group?",
        "A handler that is registered for the error inside is not asked, and the client gets a 500.",
        {
            "a-group": Value(
                "an `ExceptionGroup`, even for one error: it has to look inside, or `except*` has to stand around the group",
                {
                    "Python": "https://docs.python.org/3/library/asyncio-task.html#task-groups",
                    "anyio": "https://github.com/agronholm/anyio/issues/641",
                },
            ),
            "the-error": Value("the error itself"),
        },
    ),
    "thread_at_deadline": Trait(
        "What happens when a deadline around a worker thread is over?",
        "No thread can be stopped. Left behind, it keeps its place in the pool; waited for, it makes the deadline none.",
        {
            "abandoned": Value(
                "the deadline raises in time, and the thread works on to its end, unwatched",
                {"Python": "https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Future.cancel"},
            ),
            "awaited": Value(
                "the deadline waits until the thread has ended, and may then not raise at all",
                {"anyio": "https://anyio.readthedocs.io/en/stable/threads.html"},
            ),
        },
    ),
    "disconnect_plain": Trait(
        "What becomes of a handler that is waiting when its client leaves?",
        "What runs on holds its connections, and asks services for answers that nobody will read.",
        {
            "runs-on": Value(
                "it runs to its end as if nothing had happened",
                {"Starlette": "https://github.com/Kludex/starlette/issues/297", "aiohttp": LEAVING},
            ),
            "broken-off": Value("it is cancelled where it stands"),
        },
    ),
    "disconnect_stream": Trait(
        "When does the work behind a stream end, after its client has left?",
        "A stream may be long, and its next event far away.",
        {
            "at-once": Value("it is cancelled as soon as the server knows"),
            "at-the-next-event": Value("it goes on until the next event is to be sent, which fails", {"aiohttp": LEAVING}),
            "runs-on": Value("it goes on to its end, and its events go nowhere"),
        },
    ),
    "failed_stream": Trait(
        "How does a stream of events end that fails as nobody foresaw?",
        "The status was sent long ago, so its end is all that can tell the reader. Seen with the stack's own means for streams.",
        {
            "broken-off": Value("the connection is closed before the answer is complete, which every client reports"),
            "as-if-whole": Value("like one that has told all: only an event that is missing could tell the reader"),
        },
    ),
    "threads": Trait(
        "How many worker threads are there?",
        "One blocking call more than there are threads waits for a thread, and so does everything behind it.",
        {
            "forty": Value("40, the limit of anyio", {"Starlette": "https://starlette.dev/threadpool/"}),
            "processors-and-four": Value(
                "as many as there are processors, and four more, at most 32: the pool of asyncio",
                {"Python": "https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.ThreadPoolExecutor"},
            ),
            "ten": Value(
                "10, set in the lifespan: `total_tokens` of `anyio.to_thread.current_default_thread_limiter()`, or, for "
                "`asyncio.to_thread`, the event loop's `set_default_executor`",
                {
                    "anyio": "https://anyio.readthedocs.io/en/stable/threads.html#adjusting-the-default-maximum-worker-thread-count"
                },
            ),
        },
    ),
    "plain_def": Trait(
        "Where does a handler run that is a plain `def`?",
        "A blocking call in it holds a thread in the one place, and the whole server in the other.",
        {
            "in-a-thread": Value("in a worker thread, so that the event loop stays free"),
            "on-the-loop": Value(
                "on the event loop, which it blocks; a warning says so when the server starts",
                {
                    "aiohttp": "https://github.com/aio-libs/aiohttp/issues/1993",
                    "Litestar": "https://docs.litestar.dev/2/topics/sync-vs-async.html",
                },
            ),
        },
    ),
    **HTTP,
    **ENDING,
    **SOCKET,
    "process_at_deadline": Trait(
        "What happens to work in a worker process when its deadline is over?",
        "What runs on keeps a processor, and a place that the next request waits for; what is stopped has to be started anew.",
        {
            "runs-on": Value(
                "it runs to its end, for nobody: `ProcessPoolExecutor` cannot stop a call that has begun",
                {"Python": "https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Future.cancel"},
            ),
            "stopped": Value(
                "its process is killed, and the next work starts another",
                {"anyio": "https://anyio.readthedocs.io/en/stable/subprocesses.html#running-functions-in-worker-processes"},
            ),
            "awaited": Value("its end is waited for, whatever the deadline says"),
        },
    ),
    "killed_worker": Trait(
        "When a worker process dies, whose work is lost?",
        "A worker that takes too much memory is killed by the system, and may take others' work with it.",
        {
            "alone": Value("its own; what other processes work on goes on"),
            "all": Value(
                "all that is under way: the pool is broken, ends its other workers, and takes no more work",
                {
                    "Python": "https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.process.BrokenProcessPool"
                },
            ),
        },
    ),
    "busy_cpu": Trait(
        "Where must work on the CPU be done, so that `/ping` is as quick beside it as without?",
        "Each step of a request waits for the lock that the computing thread holds, up to 5 ms each time.",
        {
            "in-a-process": Value(
                "in a process: beside a thread that computes `/ping` takes several times as long",
                {"Python": "https://docs.python.org/3/library/sys.html#sys.setswitchinterval"},
            ),
            "anywhere": Value("in a thread or in a process, as on a Python without that lock"),
        },
    ),
}
"""Every key, in the order of the table."""

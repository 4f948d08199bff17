"""How stacks differ in their end: the part of the closed list that a signal, or a start that fails, shows."""

from shared.lesson.trait import Trait, Value

UVICORN = "https://github.com/Kludex/uvicorn/pull/1950"
STARLETTE_TASKS = "https://starlette.dev/background/"
PYTHON_TASK = "https://docs.python.org/3/library/asyncio-task.html#asyncio.create_task"
RUN_APP = "https://docs.aiohttp.org/en/stable/web_reference.html#aiohttp.web.run_app"

ENDING: dict[str, Trait] = {
    "shutdown_wait": Trait(
        "How long does a stop wait for requests that are under way?",
        "Whoever deploys has a limit of his own, after which he kills: the server's has to be shorter.",
        {
            "three-seconds": Value("three seconds, then they are cut off"),
            "longer": Value(
                "longer than anyone would want: uvicorn without a limit, aiohttp for a minute, twice",
                {"uvicorn": UVICORN, "aiohttp": RUN_APP},
            ),
        },
    ),
    "cut_off": Trait(
        "What does a client get whose request is cut off by a stop?",
        "A caller that may safely try again elsewhere has to be able to tell.",
        {
            "an-error": Value("a 500, though nothing is wrong", {"uvicorn": UVICORN}),
            "closed": Value("nothing: the connection is closed"),
            "none": Value("none is cut off within the time that was measured"),
        },
    ),
    "socket_stop": Trait(
        "What becomes of a conversation over a WebSocket at a stop?",
        "It has no end of its own: whoever waits for it waits for its client.",
        {
            "closed": Value(
                "it is closed at once, with a code that says why, and what runs for it is broken off",
                {"aiohttp": "https://docs.aiohttp.org/en/stable/web_advanced.html#graceful-shutdown"},
            ),
            "cut-off": Value("it goes on for as long as a stop waits for requests, and is cut off then, without a word"),
            "waited-for": Value("its handler is waited for like that of a request, for a minute, twice"),
        },
    ),
    "background_task": Trait(
        "What becomes, at a stop, of work that the framework's own means began for after the answer?",
        "It is the first thing that its documentation shows.",
        {
            "waited-for": Value(
                "it is waited for like its request; its failure is logged, and nobody can ask for it",
                {"Starlette": STARLETTE_TASKS, "FastAPI": "https://fastapi.tiangolo.com/tutorial/background-tasks/"},
            ),
            "broken-off": Value("it is broken off, and nobody is told"),
            "not-there": Value(
                "there is no such means", {"aiohttp": "https://docs.aiohttp.org/en/stable/web_advanced.html#background-tasks"}
            ),
        },
    ),
    "bare_task": Trait(
        "What becomes, at a stop, of a task that was only started, as with `asyncio.create_task`?",
        "It is the shortest way to go on after an answer, and the one that loses work.",
        {
            "broken-off": Value("it is broken off when all else has ended, without a word", {"Python": PYTHON_TASK}),
            "waited-for": Value("it is waited for"),
            "not-there": Value("there is no such call: every task has a group"),
        },
    ),
    "exit_sigterm": Trait(
        "What does the process end with after SIGTERM?",
        "A supervisor that takes anything but 0 for a crash starts it again, or raises an alarm.",
        {
            "zero": Value("with 0"),
            "by-the-signal": Value(
                "by the signal itself, after a stop in good order: -15 in Python, 143 in a shell",
                {"uvicorn": "https://github.com/Kludex/uvicorn/pull/1600"},
            ),
            "one": Value("with 1"),
        },
    ),
    "exit_sigint": Trait(
        "What does the process end with after Ctrl-C?",
        "A script that runs it goes on, or stops, by that.",
        {
            "zero": Value("with 0"),
            "by-the-signal": Value("by the signal itself: -2 in Python, 130 in a shell"),
            "one": Value("with 1"),
        },
    ),
    "ctrl_c": Trait(
        "What does Ctrl-C print in a terminal?",
        "A traceback looks like something that went wrong.",
        {
            "nothing": Value("nothing"),
            "a-few-words": Value("a few lines that say that it stops"),
            "a-traceback": Value("a traceback"),
        },
    ),
    "failed_start": Trait(
        "What does the process end with when its start fails?",
        "Whoever starts it has to see that it never served.",
        {
            "exit-1": Value("with 1, and the error"),
            "exit-3": Value("with 3, and the error", {"uvicorn": "https://github.com/Kludex/uvicorn/pull/3001"}),
        },
    ),
}
"""In the order of the table."""

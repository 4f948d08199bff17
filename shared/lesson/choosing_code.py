"""What a chooser asks of the code that they will write: what the framework takes off them, and what it leaves to them."""

from shared.lesson.question import Answers, Fact, Question

PARTS = "tests/tools/test_choosing_parts.py"
FASTAPI = "https://fastapi.tiangolo.com"
STARLETTE = "https://starlette.dev"
AIOHTTP = "https://docs.aiohttp.org/en/stable"


def _alike(starlette: Fact, aiohttp: Fact, *, fastapi: Fact | None = None, trio: Fact | None = None) -> Answers:
    """Return the answers where one that is not given is Starlette's, on which FastAPI and the anyio variant stand."""
    return {
        "fastapi_asyncio": fastapi or starlette,
        "starlette_asyncio": starlette,
        "aiohttp_asyncio": aiohttp,
        "anyio_trio": trio or starlette,
    }


CODE: dict[str, Question] = {
    "validation": Question(
        "Who checks what comes in?",
        "Every parameter and body needs it, and what is forgotten is found by whoever means harm.",
        _alike(
            Fact(
                "your code, or a library that you call in the handler: it is handed text",
                (f"{PARTS}::test_the_others_hand_over_text", f"{STARLETTE}/requests/", "shared/lesson/limits.py"),
            ),
            Fact(
                "your code, or a library that you call in the handler: it is handed text",
                (f"{PARTS}::test_the_others_hand_over_text", f"{AIOHTTP}/third_party.html", "shared/lesson/limits.py"),
            ),
            fastapi=Fact(
                "the framework, with pydantic, from the types in the signature; 422 names the parameter",
                (
                    f"{PARTS}::test_fastapi_validates_what_a_signature_declares",
                    f"{FASTAPI}/tutorial/query-params-str-validations/",
                ),
            ),
        ),
    ),
    "openapi": Question(
        "Is there an OpenAPI description, and a page to try it on?",
        "Callers in other teams and languages make their clients from it.",
        _alike(
            Fact(
                "not by itself: what is written into docstrings can be collected, or a further package makes it",
                (
                    f"{PARTS}::test_only_fastapi_describes_itself",
                    f"{STARLETTE}/schemas/",
                    f"{STARLETTE}/third-party-packages/",
                ),
            ),
            Fact(
                "not by itself: several further packages make one",
                (f"{PARTS}::test_only_fastapi_describes_itself", f"{AIOHTTP}/third_party.html"),
            ),
            fastapi=Fact(
                "both, from the declarations: `/openapi.json` and `/docs`, whose page loads its scripts from elsewhere",
                (f"{PARTS}::test_only_fastapi_describes_itself", f"{FASTAPI}/how-to/custom-docs-ui-assets/"),
            ),
        ),
    ),
    "dependencies": Question(
        "How does a handler get what it needs: a client, a connection, the user?",
        "What is injected can be replaced in a test, and is closed by whoever opened it.",
        _alike(
            Fact(
                "it looks into `request.state`, where the lifespan has put what lives as long as the server",
                (f"{STARLETTE}/lifespan/", "variants/starlette_asyncio/app.py"),
            ),
            Fact(
                "it looks into the application, under a typed `web.AppKey`, where a cleanup context has put it",
                (f"{AIOHTTP}/web_advanced.html", "variants/aiohttp_asyncio/app.py"),
            ),
            fastapi=Fact(
                "it declares a `Depends`: called once a request, closed after it, replaced in a test by `dependency_overrides`",
                (
                    f"{PARTS}::test_fastapi_calls_a_dependency_once_a_request",
                    "tests/tools/test_choosing_testing.py::test_fastapi_replaces_a_dependency_in_a_test",
                    f"{FASTAPI}/tutorial/dependencies/",
                ),
            ),
        ),
    ),
    "middleware": Question(
        "What is a middleware, and what does it cost a stream?",
        "Request ids, timings and access rules stand there, and each of them has to leave streams and contexts alone.",
        _alike(
            Fact(
                "an ASGI application around yours, which sees each part of a stream as it is sent; `BaseHTTPMiddleware` is "
                "easier to write, and runs the handler in a task of its own, whose context it does not see",
                (
                    f"{PARTS}::test_a_plain_asgi_middleware_shares_the_handlers_context",
                    f"{PARTS}::test_base_http_middleware_does_not",
                    f"{STARLETTE}/middleware/#limitations",
                ),
            ),
            Fact(
                "aiohttp's own: a function around the handler, in the same task; it gets a stream when that is over, so headers "
                "of one are set by the signal `on_response_prepare`",
                (
                    f"{PARTS}::test_aiohttps_middleware_comes_too_late_for_a_streams_headers",
                    f"{AIOHTTP}/web_advanced.html#middlewares",
                ),
            ),
        ),
    ),
    "errors": Question(
        "How does an exception become an answer?",
        "It decides how many `try` stand in your handlers, and what a user reads when one is missing.",
        _alike(
            Fact(
                "a function registered for its class makes the answer; it does not find one that a task group has wrapped, and "
                "what nobody registered for is a 500",
                (
                    f"{PARTS}::test_starlette_answers_by_the_class_of_an_error",
                    f"{STARLETTE}/exceptions/",
                ),
            ),
            Fact(
                "a raised `HTTPException` is the answer itself; any other is a 500, unless a middleware of yours catches it",
                (f"{PARTS}::test_an_aiohttp_error_is_an_answer", f"{AIOHTTP}/web_exceptions.html"),
            ),
        ),
    ),
    "websockets": Question(
        "What do WebSockets need?",
        "They are the other way to send as things happen, and the only one that listens meanwhile.",
        _alike(
            Fact(
                "a package for uvicorn: `websockets`, which comes with `uvicorn[standard]`, or `wsproto`",
                (
                    "tests/tools/test_choosing_servers.py::test_a_websocket_needs_a_package_on_uvicorn_only",
                    f"{PARTS}::test_starlette_speaks_websocket_on_both_loops",
                    "https://uvicorn.dev/settings/",
                ),
            ),
            Fact(
                "nothing more: server and client are built in",
                (f"{PARTS}::test_aiohttp_has_both_ends_of_a_websocket", f"{AIOHTTP}/web_quickstart.html#websockets"),
            ),
            trio=Fact(
                "nothing more: anycorn requires `wsproto`",
                (
                    "tests/tools/test_choosing_servers.py::test_a_websocket_needs_a_package_on_uvicorn_only",
                    f"{PARTS}::test_starlette_speaks_websocket_on_both_loops",
                ),
            ),
        ),
    ),
    "background": Question(
        "Where may work live that goes on after the answer?",
        "A task that nobody holds may vanish, and its failure is seen by nobody; none of the four keeps it through a restart.",
        _alike(
            Fact(
                "in a `BackgroundTask` of the answer, which runs when that is sent; or in a task group that the lifespan opens",
                (
                    f"{PARTS}::test_a_background_task_runs_after_the_answer",
                    f"{STARLETTE}/background/",
                    f"{STARLETTE}/lifespan/",
                ),
            ),
            Fact(
                "in a task of yours that a cleanup context starts, holds and cancels",
                (
                    f"{PARTS}::test_an_aiohttp_task_lives_as_long_as_its_cleanup_context",
                    f"{AIOHTTP}/web_advanced.html#background-tasks",
                ),
            ),
            fastapi=Fact(
                "in the `BackgroundTasks` that a handler asks for, which are Starlette's; or in a task group of the lifespan",
                (
                    f"{PARTS}::test_a_background_task_runs_after_the_answer",
                    f"{FASTAPI}/tutorial/background-tasks/",
                ),
            ),
            trio=Fact(
                "as with Starlette; trio has no `create_task`, so each task has a group that waits for it: the lifespan's",
                (
                    f"{PARTS}::test_a_background_task_runs_after_the_answer",
                    f"{STARLETTE}/lifespan/",
                    "https://trio.readthedocs.io/en/stable/reference-core.html",
                ),
            ),
        ),
    ),
}
"""In the order of the page."""

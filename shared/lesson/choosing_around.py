"""What a chooser asks of what stands around the code: tests, servers, drivers, clients, and the projects themselves.

What is measured was measured on 24 November 2026, with the versions in `constraints.txt`, on Linux with Python 3.13.
"""

from shared.lesson.question import Answers, Fact, Question

TESTING = "tests/tools/test_choosing_testing.py"
SERVERS = "tests/tools/test_choosing_servers.py"
DRIVERS = "tests/tools/test_choosing_drivers.py"
WEIGHT = "tests/tools/test_choosing.py::test_the_weight_is_right"
UPKEEP = "tests/tools/test_choosing.py::test_the_releases_are_those_in_use"
AIOHTTP = "https://docs.aiohttp.org/en/stable"
NEVER_LEAVES = f"{TESTING}::test_the_test_client_never_leaves_a_handler"
CANCELS = f"{TESTING}::test_the_test_client_cancels_a_stream_that_servers_let_run"
BUFFERS = f"{TESTING}::test_the_asgi_transport_shows_a_stream_when_it_is_over"


def _asyncio(both: Fact, trio: Fact, *, aiohttp: Fact | None = None) -> Answers:
    """Return the answers where what counts is the event loop; aiohttp's differs where it is given."""
    return {"fastapi_asyncio": both, "starlette_asyncio": both, "aiohttp_asyncio": aiohttp or both, "anyio_trio": trio}


AROUND: dict[str, Question] = {
    "testing": Question(
        "How do you test your own application, and where does the test differ from the real server?",
        "What the test's server does otherwise than the real one, your users find.",
        _asyncio(
            Fact(
                "`TestClient`, which blocks: no server, no socket. It waits for a handler whatever its timeout is, raises what "
                "users get as 500, cancels a stream that it closes, even one that looks for no client, which uvicorn lets "
                "run on, and runs the lifespan only within `with`",
                (
                    NEVER_LEAVES,
                    f"{TESTING}::test_the_test_client_raises_what_a_server_answers_with_500",
                    CANCELS,
                    f"{TESTING}::test_the_lifespan_runs_within_with_only",
                    "https://starlette.dev/testclient/",
                    "https://github.com/Kludex/starlette/issues/1108",
                ),
            ),
            Fact(
                "Starlette's `TestClient` with `backend=\"trio\"`, with the same differences; in a test on trio itself, httpx2's "
                "`ASGITransport`, which shows a stream only when it is over, and never runs the lifespan",
                (
                    NEVER_LEAVES,
                    CANCELS,
                    BUFFERS,
                    f"{TESTING}::test_the_lifespan_runs_within_with_only",
                    "https://starlette.dev/testclient/",
                ),
            ),
            aiohttp=Fact(
                "`TestServer` and `TestClient`: a real socket, in the test's own loop. It cancels the handler of a client that "
                "left; `run_app` does not, unless it is given `handler_cancellation=True`",
                (
                    f"{TESTING}::test_aiohttp_cancels_on_its_test_server_only",
                    f"{AIOHTTP}/testing.html",
                    f"{AIOHTTP}/web_advanced.html#web-handler-cancellation",
                ),
            ),
        ),
    ),
    "workers": Question(
        "How do you run several processes, and reload while you write?",
        "One process is one core; and nobody wants to restart by hand.",
        _asyncio(
            Fact(
                "`uvicorn --workers N`, which also starts again what dies; `--reload` instead of it while you write",
                (f"{SERVERS}::test_uvicorn_and_anycorn_have_workers_and_a_reloader", "https://uvicorn.dev/deployment/"),
            ),
            Fact(
                "`anycorn -k trio --workers N`, and `--reload`; it documents itself by Hypercorn's pages",
                (
                    f"{SERVERS}::test_uvicorn_and_anycorn_have_workers_and_a_reloader",
                    "https://github.com/davidbrochart/anycorn",
                ),
            ),
            aiohttp=Fact(
                "neither is built in: gunicorn with aiohttp's worker class, or several processes behind a proxy or on one port "
                "with `reuse_port`; a reloader is in `aiohttp-devtools`",
                (f"{SERVERS}::test_aiohttp_has_neither", f"{AIOHTTP}/deployment.html", f"{AIOHTTP}/third_party.html"),
            ),
        ),
    ),
    "stopping": Question(
        "What happens to requests in flight when the server is told to stop?",
        "Every deployment does it.",
        _asyncio(
            Fact(
                "they are waited for without a limit, unless `--timeout-graceful-shutdown` sets one",
                (f"{SERVERS}::test_how_long_each_waits_for_requests_in_flight", "https://uvicorn.dev/settings/"),
            ),
            Fact(
                "they are cancelled after 3 seconds, unless `--graceful-timeout` says otherwise; a call of `anycorn.serve` on "
                "trio stops for no signal unless it is handed a trigger",
                (f"{SERVERS}::test_how_long_each_waits_for_requests_in_flight", "variants/anyio_trio/serve.py"),
            ),
            aiohttp=Fact(
                "they are waited for, for 60 seconds and then for as many more, unless `shutdown_timeout` says otherwise, which "
                "counts twice, too",
                (
                    f"{SERVERS}::test_how_long_each_waits_for_requests_in_flight",
                    f"{AIOHTTP}/web_advanced.html#graceful-shutdown",
                ),
            ),
        ),
    ),
    "http_client": Question(
        "Which HTTP client fits?",
        "A server that waits for others is mostly its client.",
        _asyncio(
            Fact(
                "httpx2, or aiohttp's client",
                (f"{DRIVERS}::test_runs_on_both_loops", "https://github.com/pydantic/httpx2"),
            ),
            Fact(
                "httpx2; aiohttp's client does not run on trio",
                (
                    f"{DRIVERS}::test_runs_on_both_loops",
                    f"{DRIVERS}::test_runs_on_asyncio_only",
                    "https://github.com/pydantic/httpx2",
                ),
            ),
            aiohttp=Fact(
                "its own `ClientSession`: one package for both ends",
                (f"{DRIVERS}::test_runs_on_asyncio_only", f"{AIOHTTP}/client.html"),
            ),
        ),
    ),
    "databases": Question(
        "Which drivers for SQL databases run there?",
        "It is the first thing that most servers need, and the reason most often given against trio.",
        _asyncio(
            Fact(
                "asyncpg, psycopg 3, aiosqlite, SQLAlchemy's asyncio extension, and those that run on trio",
                (f"{DRIVERS}::test_runs_on_asyncio_only", "https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html"),
            ),
            Fact(
                "neither asyncpg, nor psycopg 3, nor aiosqlite, nor SQLAlchemy over any of them, though people have asked; "
                "sqlite-anyio does, and so does any driver that blocks, in a worker thread; the last releases of triopg and "
                "pgtrio, for PostgreSQL, are of 2021 and 2022",
                (
                    f"{DRIVERS}::test_runs_on_asyncio_only",
                    f"{DRIVERS}::test_runs_on_both_loops",
                    "https://github.com/psycopg/psycopg/issues/29",
                    "https://github.com/MagicStack/asyncpg/issues/1119",
                    "https://github.com/sqlalchemy/awaitlet/pull/7",
                    "https://github.com/python-trio/triopg",
                ),
            ),
        ),
    ),
    "redis": Question(
        "Which Redis client runs there?",
        "Sessions, caches and queues live in it.",
        _asyncio(
            Fact(
                "redis-py's `redis.asyncio`, and coredis",
                (f"{DRIVERS}::test_runs_on_asyncio_only", f"{DRIVERS}::test_runs_on_both_loops"),
            ),
            Fact(
                "coredis, which is written on anyio; redis-py does not run on trio",
                (
                    f"{DRIVERS}::test_runs_on_both_loops",
                    f"{DRIVERS}::test_runs_on_asyncio_only",
                    "https://github.com/alisaifee/coredis",
                ),
            ),
        ),
    ),
    "api_clients": Question(
        "Do the official clients of OpenAI and Chroma run there?",
        "Whoever calls them by HTTP alone writes retries and formats anew.",
        _asyncio(
            Fact(
                "both",
                (
                    "tests/clients/test_openai_trio.py::test_it_tries_again",
                    "tests/clients/test_chroma_trio.py::test_it_lists_the_collections",
                ),
            ),
            Fact(
                "both, because they call with httpx; OpenAI's leaves the generators of a stream to the garbage collector, which "
                "trio warns of",
                (
                    "tests/clients/test_openai_trio.py::test_it_embeds",
                    "tests/clients/test_openai_trio.py::test_it_streams",
                    "tests/clients/test_openai_trio.py::test_it_tries_again",
                    "tests/clients/test_chroma_trio.py::test_it_lists_the_collections",
                ),
            ),
        ),
    ),
    "aws": Question(
        "How do you call AWS?",
        "Its own client, boto3, blocks, and so holds the event loop wherever it is called directly.",
        _asyncio(
            Fact("with aiobotocore, or with boto3 in a worker thread", ("https://github.com/aio-libs/aiobotocore",)),
            Fact(
                "with aiobotocore and its session on httpx (3.10.0 was tried); its usual one stands on aiohttp, and does not "
                "run; or with boto3 in a worker thread",
                ("https://github.com/aio-libs/aiobotocore/pull/1667", f"{DRIVERS}::test_runs_on_asyncio_only"),
            ),
        ),
    ),
    "weight": Question(
        "How much is installed, server and HTTP client included?",
        "It is downloaded by every build, and each package can be the next one with a hole.",
        {
            "fastapi_asyncio": Fact("18 packages, 14 MiB", (WEIGHT,)),
            "starlette_asyncio": Fact("11 packages, 5 MiB", (WEIGHT,)),
            "aiohttp_asyncio": Fact("9 packages, 12 MiB", (WEIGHT,)),
            "anyio_trio": Fact("25 packages, 13 MiB", (WEIGHT,)),
        },
    ),
    "upkeep": Question(
        "How old is the last release, how many does pip list, and under which licence?",
        "What you build on will be maintained by somebody, or by you.",
        {
            "fastapi_asyncio": Fact(
                "fastapi 0.165.0 of 18 November 2026, 365 releases, MIT",
                (UPKEEP, "https://fastapi.tiangolo.com/release-notes/"),
            ),
            "starlette_asyncio": Fact(
                "starlette 1.10.0 of 24 October 2026, 200 releases, BSD-3-Clause; uvicorn 0.54.0 of 25 September 2026, 201 "
                "releases, BSD-3-Clause",
                (UPKEEP, "https://starlette.dev/release-notes/", "https://uvicorn.dev/release-notes/"),
            ),
            "aiohttp_asyncio": Fact(
                "aiohttp 3.14.5 of 11 October 2026, 227 releases, Apache-2.0 AND MIT",
                (UPKEEP, f"{AIOHTTP}/changes.html"),
            ),
            "anyio_trio": Fact(
                "beside Starlette's, anyio 4.16.0 of 1 November 2026, 56 releases, MIT; "
                "trio 0.35.0 of 31 October 2026, 45 releases, MIT OR Apache-2.0; "
                "anycorn 0.20.1 of 17 September 2026, 19 releases, MIT",
                (
                    UPKEEP,
                    "https://anyio.readthedocs.io/en/stable/versionhistory.html",
                    "https://trio.readthedocs.io/en/stable/history.html",
                    "https://github.com/davidbrochart/anycorn/blob/main/CHANGELOG.md",
                ),
            ),
        },
    ),
}
"""In the order of the page."""

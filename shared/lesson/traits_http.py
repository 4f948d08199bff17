"""How stacks differ in what they make of unusual requests: the part of the closed list that a single request shows."""

from shared.lesson.trait import Trait, Value

ABSOLUTE_FORM = "https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2"
PARSER = "https://github.com/MagicStack/httptools/issues/43"
PYTHON_INT = "https://docs.python.org/3/library/functions.html#int"

HTTP: dict[str, Trait] = {
    "head": Trait(
        "What is a HEAD request for a GET endpoint answered with?",
        "Monitors and caches ask with HEAD; a 405 looks to them like a server that is broken.",
        {
            "answered": Value("with the headers of the GET, and no body"),
            "refused": Value(
                "with 405: it has to be declared for each endpoint",
                {"FastAPI": "https://github.com/fastapi/fastapi/issues/1773"},
            ),
        },
    ),
    "trailing_slash": Trait(
        "What is a path with a slash too many answered with?",
        "A redirect costs a second request, and some clients drop the body of a POST on it.",
        {
            "redirected": Value(
                "with a redirect to the path without it",
                {"Starlette": "https://github.com/Kludex/starlette/issues/464"},
            ),
            "not-found": Value(
                "with 404: a redirect is a middleware that has to be added",
                {"aiohttp": "https://docs.aiohttp.org/en/stable/web_reference.html#aiohttp.web.normalize_path_middleware"},
            ),
            "answered": Value("as the path without it: for the router the two are one"),
        },
    ),
    "repeated_parameter": Trait(
        "Which value does a handler read of a query parameter that is given twice?",
        "A proxy or a firewall that reads the other one has checked something else than is used.",
        {
            "first": Value(
                "the first; `getall` has them all",
                {"aiohttp": "https://multidict.aio-libs.org/en/stable/multidict/"},
            ),
            "last": Value(
                "the last; `getlist`, or a list as FastAPI's type, has them all",
                {"FastAPI": "https://fastapi.tiangolo.com/tutorial/query-params-str-validations/"},
            ),
        },
    ),
    "absolute_target": Trait(
        "What is a request answered with whose target is a whole URL (`GET http://host/ping`)?",
        "Proxies send such requests, and RFC 9112 obliges every server to take them.",
        {
            "answered": Value("like one for the path"),
            "not-found": Value(
                "with 404: the URL is taken for the path, as h11 hands it on",
                {"h11": "https://h11.readthedocs.io/en/latest/api.html#h11.Request.target", "RFC 9112": ABSOLUTE_FORM},
            ),
        },
    ),
    "no_host": Trait(
        "What is a request without a `Host` answered with?",
        "RFC 9112 demands a 400; whoever answers may be led to the wrong site.",
        {
            "answered": Value("as if it had one", {"uvicorn": "https://github.com/Kludex/uvicorn/pull/3125"}),
            "refused": Value("with 400"),
        },
    ),
    "two_hosts": Trait(
        "What is a request with two `Host` headers answered with?",
        "A proxy may have looked at the other one; RFC 9112 demands a 400.",
        {
            "answered": Value("as if it had one", {"uvicorn": "https://github.com/Kludex/uvicorn/pull/3125"}),
            "refused": Value("with 400"),
        },
    ),
    "half_close": Trait(
        "What does a client get that says it will send no more, and still reads?",
        "Simple tools end their request so (`nc -N`); it is not the same as leaving.",
        {
            "answered": Value("its answer"),
            "taken-for-leaving": Value(
                "nothing: the server closes the connection",
                {
                    "uvicorn": "https://github.com/Kludex/uvicorn/issues/1264",
                    "aiohttp": "https://github.com/aio-libs/aiohttp/issues/3659",
                },
            ),
        },
    ),
    "unknown_method": Trait(
        "What is a method answered with that does not exist?",
        "The status says whether the request reached the application, where it can be logged and answered in its own words.",
        {
            "bad-request": Value(
                "with 400, by the server's parser",
                {
                    "uvicorn": "https://github.com/Kludex/uvicorn/issues/75",
                    "aiohttp": "https://github.com/aio-libs/aiohttp/pull/10055",
                },
            ),
            "not-allowed": Value("with 405, by the application"),
        },
    ),
    "long_target": Trait(
        "What is a target of 70,000 characters answered with?",
        "Where the parser refuses it, the answer is not the application's.",
        {
            "bad-request": Value(
                "with 400",
                {"uvicorn": PARSER, "aiohttp": "https://github.com/aio-libs/aiohttp/issues/2988"},
            ),
            "headers-too-large": Value(
                "with 431", {"anycorn": "https://hypercorn.readthedocs.io/en/latest/how_to_guides/configuring.html"}
            ),
            "answered": Value("like any other"),
        },
    ),
    "long_header": Trait(
        "What is a request with a header of 20,000 characters answered with?",
        "Cookies and tokens grow; one that is too long locks its user out.",
        {
            "answered": Value("like any other"),
            "refused": Value("with a status from 400 on", {"aiohttp": "https://github.com/aio-libs/aiohttp/issues/13397"}),
        },
    ),
    "unknown_websocket": Trait(
        "What is a WebSocket for an unknown path answered with?",
        "A client that looks at the status cannot tell everywhere whether it was wrong or not allowed.",
        {
            "forbidden": Value("with 403", {"Starlette": "https://github.com/fastapi/fastapi/issues/572"}),
            "not-found": Value("with 404"),
        },
    ),
    "unknown_expectation": Trait(
        "What is an `Expect` answered with that nobody knows?",
        "RFC 9110 allows a 417; a client may send anything.",
        {
            "ignored": Value("as if it were not there"),
            "refused": Value("with 417", {"aiohttp": "https://docs.aiohttp.org/en/stable/web_advanced.html#expect-header"}),
        },
    ),
    "docs": Trait(
        "Is there a page that documents the interface, made from the code?",
        "Who calls the service has something to read, and a description to make a client from.",
        {
            "served": Value("yes: at `/docs`, or at `/schema`, beside a description for programs"),
            "none": Value(
                "no: it has to be written, or made by another package",
                {"Starlette": "https://starlette.dev/schemas/", "aiohttp": "https://docs.aiohttp.org/en/stable/third_party.html"},
            ),
        },
    ),
    "other_digits": Trait(
        "Is a number read that is written in other digits than 0 to 9, such as the Arabic ones?",
        "Python's `float` and `int` read the digits of every script; whoever checks before may not.",
        {
            "read": Value(
                "yes, by Python: the stack reads no numbers, and hands over text",
                {"Python": "https://docs.python.org/3/library/functions.html#float"},
            ),
            "refused": Value("no"),
        },
    ),
    "whole_number": Trait(
        "Is `3.0` taken for a whole number?",
        "What one service sends as 3.0, the next may refuse.",
        {
            "read": Value("yes", {"Pydantic": "https://github.com/pydantic/pydantic/issues/9504"}),
            "refused": Value("no, by Python: the stack reads no numbers, and hands over text", {"Python": PYTHON_INT}),
        },
    ),
}
"""In the order of the table."""

"""How stacks differ in what they make of a WebSocket, beside what they answer an unknown one with (`traits_http.py`)."""

from shared.lesson.trait import Trait, Value

AIOHTTP_SOCKET = "https://docs.aiohttp.org/en/stable/web_reference.html#aiohttp.web.WebSocketResponse"
ANYCORN = "https://github.com/davidbrochart/anycorn"
ASGI = "https://asgi.readthedocs.io/en/latest/specs/www.html"
ASGI_SEND = "https://github.com/django/asgiref/pull/431"
UVICORN_SOCKET = "https://uvicorn.dev/settings/"

SOCKET: dict[str, Trait] = {
    "plain_websocket": Trait(
        "What is a plain GET answered with where there is a WebSocket?",
        "So it looks when a proxy drops the `Upgrade`: the answer says whether to look for the path or for the proxy.",
        {
            "not-found": Value("with 404, as if there were nothing", {"Starlette": "https://starlette.dev/routing/"}),
            "bad-request": Value("with 400, and what is missing"),
            "upgrade-required": Value("with 426"),
            "not-allowed": Value("with 405, though no other method is answered either"),
        },
    ),
    "socket_waiting": Trait(
        "What becomes of a handler that waits for a service when the client closes its WebSocket?",
        "Only who listens meanwhile is told of it: a handler that awaits its work between two messages is not.",
        {
            "runs-on": Value("it runs on until it listens or speaks again", {"ASGI": ASGI, "aiohttp": AIOHTTP_SOCKET}),
            "broken-off": Value("it is cancelled where it stands"),
        },
    ),
    "socket_telling": Trait(
        "What happens when a handler tells a client something that has left?",
        "Who only speaks and never listens, such as a ticker, learns of it in this way or not at all.",
        {
            "raises": Value("an error is raised, which ends the handler unless it is caught"),
            "ignored": Value("nothing: it is as if it had been sent", {"ASGI": ASGI_SEND, "anycorn": ANYCORN}),
        },
    ),
    "socket_failure": Trait(
        "What does a client see when the handler of its WebSocket fails?",
        "A code lets it tell a server's error from a network's, and decide whether to come back at once.",
        {
            "internal-error": Value("the WebSocket is closed with the code 1011, for an internal error"),
            "cut-off": Value("the connection ends without a word, as when the network fails (1006)"),
            "private-code": Value(
                "the WebSocket is closed with a code for private use (4000 to 4999), which the framework has chosen",
                {"RFC 6455": "https://www.rfc-editor.org/rfc/rfc6455#section-7.4.2"},
            ),
        },
    ),
    "large_message": Trait(
        "What becomes of a message of 5,000,000 characters?",
        "What is allowed is held in memory, for each client, before anybody has looked at it.",
        {
            "read": Value("it is handed to the handler: up to 16 MiB are", {"uvicorn": UVICORN_SOCKET, "anycorn": ANYCORN}),
            "closed": Value("the WebSocket is closed with the code 1009: up to 4 MiB are allowed", {"aiohttp": AIOHTTP_SOCKET}),
        },
    ),
    "silent_client": Trait(
        "What becomes, within ten seconds, of a client that answers nothing any more, not even a ping?",
        "So it looks when a phone loses its network. What is kept goes on working for it, until the network says otherwise.",
        {
            "given-up": Value("its WebSocket is closed, since the server asks for a sign of life every four seconds"),
            "kept": Value(
                "nothing: nobody asks for a sign of life, or asks only later, or does not look at the answer",
                {"uvicorn": UVICORN_SOCKET, "aiohttp": AIOHTTP_SOCKET, "anycorn": ANYCORN},
            ),
        },
    ),
}
"""In the order of the table."""

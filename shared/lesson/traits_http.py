"""How stacks differ in what they make of unusual requests: the part of the closed list that a single request shows."""

from shared.lesson.trait import Trait

HTTP: dict[str, Trait] = {
    "head": Trait(
        "What is a HEAD request for a GET endpoint answered with?",
        "Monitors and caches ask with HEAD; a 405 looks to them like a server that is broken.",
        {"answered": "with the headers of the GET, and no body", "refused": "with 405: it has to be declared for each endpoint"},
    ),
    "trailing_slash": Trait(
        "What is a path with a slash too many answered with?",
        "A redirect costs a second request, and some clients drop the body of a POST on it.",
        {"redirected": "with a redirect to the path without it", "not-found": "with 404"},
    ),
    "repeated_parameter": Trait(
        "Which value does a handler read of a query parameter that is given twice?",
        "A proxy or a firewall that reads the other one has checked something else than is used.",
        {"first": "the first", "last": "the last"},
    ),
    "absolute_target": Trait(
        "What is a request answered with whose target is a whole URL (`GET http://host/ping`)?",
        "Proxies send such requests, and RFC 9112 obliges every server to take them.",
        {"answered": "like one for the path", "not-found": "with 404: the URL is taken for the path"},
    ),
    "no_host": Trait(
        "What is a request without a `Host` answered with?",
        "RFC 9112 demands a 400; whoever answers may be led to the wrong site.",
        {"answered": "as if it had one", "refused": "with 400"},
    ),
    "two_hosts": Trait(
        "What is a request with two `Host` headers answered with?",
        "A proxy may have looked at the other one; RFC 9112 demands a 400.",
        {"answered": "as if it had one", "refused": "with 400"},
    ),
    "half_close": Trait(
        "What does a client get that says it will send no more, and still reads?",
        "Simple tools end their request so (`nc -N`); it is not the same as leaving.",
        {"answered": "its answer", "taken-for-leaving": "nothing: the server closes the connection"},
    ),
    "unknown_method": Trait(
        "What is a method answered with that does not exist?",
        "The status says whether the request reached the application, where it can be logged and answered in its own words.",
        {"bad-request": "with 400, by the server's parser", "not-allowed": "with 405, by the application"},
    ),
    "long_target": Trait(
        "What is a target of 70,000 characters answered with?",
        "Where the parser refuses it, the answer is not the application's.",
        {"bad-request": "with 400", "headers-too-large": "with 431", "answered": "like any other"},
    ),
    "long_header": Trait(
        "What is a request with a header of 20,000 characters answered with?",
        "Cookies and tokens grow; one that is too long locks its user out.",
        {"answered": "like any other", "refused": "with a status from 400 on"},
    ),
    "unknown_websocket": Trait(
        "What is a WebSocket for an unknown path answered with?",
        "A client that looks at the status cannot tell everywhere whether it was wrong or not allowed.",
        {"forbidden": "with 403", "not-found": "with 404"},
    ),
    "unknown_expectation": Trait(
        "What is an `Expect` answered with that nobody knows?",
        "RFC 9110 allows a 417; a client may send anything.",
        {"ignored": "as if it were not there", "refused": "with 417"},
    ),
    "docs": Trait(
        "Is there a page that documents the interface, made from the code?",
        "Who calls the service has something to read, and a description to make a client from.",
        {"served": "yes: `/docs`, and `/openapi.json`", "none": "no: it has to be written, or made by another package"},
    ),
    "other_digits": Trait(
        "Is a number read that is written in other digits than 0 to 9, such as the Arabic ones?",
        "Python's `float` and `int` read the digits of every script; whoever checks before may not.",
        {"read": "yes, by Python", "refused": "no"},
    ),
    "whole_number": Trait(
        "Is `3.0` taken for a whole number?",
        "What one service sends as 3.0, the next may refuse.",
        {"read": "yes", "refused": "no"},
    ),
}
"""In the order of the table."""

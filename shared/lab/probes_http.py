"""Probes that need one unusual request each: what it is answered with shows how the stack behaves."""

from shared.lab.experiment import Ask, Observation, run
from shared.lab.finding import EARLY
from shared.lab.server import Server
from shared.lab.traits import Probe, Shown
from shared.lab.wire import exchange

HOST = "Host: HOST\n"
UPGRADE = "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n"
TOO_LARGE = 431

REQUESTS: dict[str, tuple[str, dict[int, str]]] = {
    "head": (f"HEAD /ping HTTP/1.1\n{HOST}", {200: "answered", 405: "refused"}),
    "trailing_slash": (
        f"GET /ping/ HTTP/1.1\n{HOST}",
        {307: "redirected", 308: "redirected", 404: "not-found", 200: "answered"},
    ),
    "absolute_target": (f"GET http://HOST/ping HTTP/1.1\n{HOST}", {200: "answered", 404: "not-found"}),
    "no_host": ("GET /ping HTTP/1.1\n", {200: "answered", 400: "refused"}),
    "two_hosts": (f"GET /ping HTTP/1.1\n{HOST}Host: another\n", {200: "answered", 400: "refused"}),
    "unknown_method": (f"BREW /ping HTTP/1.1\n{HOST}", {400: "bad-request", 405: "not-allowed"}),
    "long_target": (
        f"GET /ping?x={'x' * 70_000} HTTP/1.1\n{HOST}",
        {400: "bad-request", TOO_LARGE: "headers-too-large", 200: "answered"},
    ),
    "long_header": (
        f"GET /ping HTTP/1.1\n{HOST}X-Long: {'x' * 20_000}\n",
        {200: "answered", 400: "refused", TOO_LARGE: "refused"},
    ),
    "unknown_websocket": (f"GET /nowhere HTTP/1.1\n{HOST}{UPGRADE}", {403: "forbidden", 404: "not-found"}),
    "plain_websocket": (
        f"GET /ws HTTP/1.1\n{HOST}",
        {404: "not-found", 400: "bad-request", 426: "upgrade-required", 405: "not-allowed"},
    ),
    "unknown_expectation": (f"GET /ping HTTP/1.1\n{HOST}Expect: anything\n", {200: "ignored", 417: "refused"}),
    # A stack alone refuses what it cannot read with the one or with the other.
    "other_digits": (f"GET /async?seconds=%D9%A0 HTTP/1.1\n{HOST}", {200: "read", 422: "refused", 400: "refused"}),
    "whole_number": (f"GET /limited?tasks=3.0&seconds=0 HTTP/1.1\n{HOST}", {200: "read", 422: "refused", 400: "refused"}),
}
"""For each trait a request, and which value each status stands for."""

PAGES = ("/docs", "/schema")
"""Where frameworks have the page that documents the interface, when nobody says otherwise."""


def _status_of(request: str, values: dict[int, str]) -> Probe:
    def probe(server: Server) -> Shown:
        status = exchange(server, f"{request}\n")
        first = request.partition("\n")[0]
        shortened = f"{first[:40]} (and so on)" if len(first) > 60 else first  # noqa: PLR2004 - what fits into a line
        return Shown(values.get(status, f"status {status}"), f"{shortened} was answered {status or 'nothing'}", _a_look(server))

    return probe


def docs(server: Server) -> Shown:
    """Ask for the page that documents the interface, wherever a framework may have it."""
    found = {page: exchange(server, f"GET {page} HTTP/1.1\n{HOST}\n") for page in PAGES}
    evidence = " and ".join(f"GET {page} was answered {status or 'nothing'}" for page, status in found.items())
    strange = [status for status in found.values() if status not in {200, 404}]
    value = f"status {strange[0]}" if strange else "served" if 200 in found.values() else "none"  # noqa: PLR2004 - HTTP's success
    return Shown(value, evidence, _a_look(server))


def half_close(server: Server) -> Shown:
    """Say that nothing more will be sent, and wait for the answer."""
    status = exchange(server, f"GET /async?seconds=0.3 HTTP/1.1\n{HOST}\n", half_close=True)
    evidence = f"a client that had half-closed its connection got {status or 'nothing'}"
    return Shown({200: "answered", 0: "taken-for-leaving"}.get(status, f"status {status}"), evidence, _a_look(server))


def repeated_parameter(server: Server) -> Shown:
    """Give `seconds` twice, and see for which of them it waits."""
    wait = 0.8
    seen = run(server, [Ask(f"/async?seconds=0&seconds={wait}")])
    took = seen.answers[0].seconds
    return Shown("last" if took >= wait - EARLY else "first", f"for seconds=0&seconds={wait} it took {took:.2f} s", seen)


def _a_look(server: Server) -> Observation:
    return run(server, [Ask("/ping")])


HTTP_PROBES: dict[str, Probe] = {
    **{key: _status_of(*request) for key, request in REQUESTS.items()},
    "docs": docs,
    "half_close": half_close,
    "repeated_parameter": repeated_parameter,
}
"""The probe of each trait that one request shows."""

"""A stand-in for a Chroma server, spoken to over version 2 of its REST interface: enough of it for Chroma's own client.

It compares a vector with every document, which does for a few hundred; Chroma keeps an index, which does for millions.
"""

import asyncio
import time
import uuid
from collections.abc import Callable
from typing import Any

from aiohttp import web

from shared.upstream import chroma_answers as answers
from shared.upstream import chroma_requests as requests
from shared.upstream.collection import Collection, Entry, StoreError
from shared.upstream.store import Store
from shared.upstream.witness import SeenCall

QUERY_SECONDS = 0.05
DATABASE = "/api/v2/tenants/default_tenant/databases/default_database"

STORE = web.AppKey("STORE", Store)

Body = dict[str, Any]
_COLUMNS: dict[str, Callable[[Entry, float], object]] = {
    "embeddings": lambda entry, _: list(entry.vector),
    "documents": lambda entry, _: entry.document,
    "uris": lambda *_: None,
    "metadatas": lambda entry, _: entry.metadata,
    "distances": lambda _, distance: distance,
}


async def query(request: web.Request, body: Any, call: SeenCall) -> web.StreamResponse:  # noqa: ANN401 - JSON is any
    """`POST …/collections/{id}/query`: the documents nearest to each vector."""
    deadline = time.monotonic() + QUERY_SECONDS

    def search() -> dict[str, object]:
        asked = requests.read_query(body)
        found = [_collection(request).nearest(vector, asked.count, asked.ids) for vector in asked.vectors]
        call.answered = [[(entry.metadata or {}).get("title") for entry, _ in row] for row in found]
        columns = {name: [[_COLUMNS[name](*pair) for pair in row] for row in found] for name in asked.include}
        return {"ids": [[entry.id for entry, _ in row] for row in found], **answers.absent(columns), "include": asked.include}

    response = answers.reply(search)
    await asyncio.sleep(deadline - time.monotonic())
    return response


def get(request: web.Request, body: Body) -> dict[str, object]:
    """`POST …/collections/{id}/get`: documents by their ids, or some of all."""
    requests.refuse_filters(body)
    include = requests.read_include(body, ("documents", "metadatas"))
    found = _collection(request).chosen(requests.read_texts(body, "ids"))
    first = requests.read_number(body, "offset", 0)
    found = found[first : first + requests.read_number(body, "limit", len(found))]
    columns = {name: [_COLUMNS[name](entry, 0) for entry in found] for name in include if name != "distances"}
    return {"ids": [entry.id for entry in found], **answers.absent(columns), "include": include}


def add(request: web.Request, body: Body) -> dict[str, object]:
    """`POST …/collections/{id}/add`: new documents; those whose id is taken stay as they are."""
    _collection(request).put(requests.read_entries(body), replace=False)
    return {}


def upsert(request: web.Request, body: Body) -> dict[str, object]:
    """`POST …/collections/{id}/upsert`: documents, new or instead of those that have their ids."""
    _collection(request).put(requests.read_entries(body), replace=True)
    return {}


def create(request: web.Request, body: Body) -> dict[str, object]:
    """`POST …/collections`: a new collection, or with `get_or_create` perhaps an old one."""
    metadata = body.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        raise requests.MalformedError("metadata: expected an object")
    store, or_get = request.app[STORE], bool(body.get("get_or_create"))
    return answers.described(store.create(requests.read_name(body), metadata, requests.read_space(body), or_get=or_get))


def routes() -> list[web.RouteDef]:
    """Return the routes that are no searches, which answer at once and without a witness."""
    collections, one = f"{DATABASE}/collections", f"{DATABASE}/collections/{{collection}}"
    return [
        _route("GET", "/api/v2/heartbeat", lambda *_: {"nanosecond heartbeat": time.time_ns()}),
        _route("GET", "/api/v2/version", lambda *_: "1.0.0"),
        _route("GET", "/api/v2/auth/identity", lambda *_: answers.IDENTITY),
        _route("GET", "/api/v2/pre-flight-checks", lambda *_: answers.LIMITS),
        _route("GET", "/api/v2/tenants/default_tenant", lambda *_: answers.TENANT),
        _route("GET", DATABASE, lambda *_: answers.DATABASE),
        _route("GET", f"{DATABASE}/collections_count", lambda request, _: len(request.app[STORE].all())),
        _route("GET", collections, lambda request, _: [answers.described(one) for one in request.app[STORE].all()]),
        _route("POST", collections, create),
        _route("GET", f"{collections}/by-id/{{collection}}", lambda request, _: answers.described(_collection(request))),
        _route("GET", one, lambda request, _: answers.described(request.app[STORE].by_name(request.match_info["collection"]))),
        _route("DELETE", one, lambda request, _: request.app[STORE].delete(request.match_info["collection"])),
        _route("GET", f"{one}/count", lambda request, _: len(_collection(request).entries)),
        _route("POST", f"{one}/get", get),
        _route("POST", f"{one}/add", add, status=201),
        _route("POST", f"{one}/upsert", upsert),
    ]


def _route(method: str, path: str, work: Callable[[web.Request, Body], object], status: int = 200) -> web.RouteDef:
    async def endpoint(request: web.Request) -> web.Response:
        if method != "POST":
            return answers.reply(lambda: work(request, {}), status)
        try:
            body = await request.json()
        except ValueError:
            return answers.unreadable()
        return answers.reply(lambda: work(request, requests.read_object(body)), status)

    return web.route(method, path, endpoint)


def _collection(request: web.Request) -> Collection:
    identifier = request.match_info["collection"]
    try:
        uuid.UUID(identifier)
    except ValueError:
        raise StoreError("Collection ID is not a valid UUIDv4") from None
    return request.app[STORE].by_id(identifier)

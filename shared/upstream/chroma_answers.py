"""How answers and errors of Chroma's REST interface are written; the sources are those of `chroma_requests`."""

from collections.abc import Callable, Mapping

from aiohttp import web

from shared.upstream.chroma_requests import FIELDS, MalformedError
from shared.upstream.collection import Collection, StoreError
from shared.upstream.store import TakenError, UnknownError

IDENTITY = {"user_id": "", "tenant": "default_tenant", "databases": ["default_database"]}
TENANT = {"name": "default_tenant", "resource_name": None}
DATABASE = {"id": "00000000-0000-0000-0000-000000000000", "name": "default_database", "tenant": "default_tenant"}
LIMITS = {"max_batch_size": 1_000, "supports_base64_encoding": False}


def reply(work: Callable[[], object], status: int = 200) -> web.Response:
    """Return the answer with what `work` returns, or the error that its exception is; Chroma's client makes one of the kind."""
    try:
        return web.json_response(work(), status=status)
    except MalformedError as error:
        message = f"Failed to deserialize the JSON body into the target type: {error}"
        return _refusal(422, "ChromaError", message)
    except UnknownError as error:
        return _refusal(404, "NotFoundError", str(error))
    except TakenError as error:
        return _refusal(409, "ChromaError", str(error))
    except StoreError as error:
        return _refusal(400, "InvalidArgumentError", str(error))


def unreadable() -> web.Response:
    """Return the error for a body that is not JSON."""
    return _refusal(400, "InvalidArgumentError", "Failed to parse the request body as JSON")


def described(collection: Collection) -> dict[str, object]:
    """Return a collection as Chroma describes it."""
    index = {"hnsw": {"space": collection.space}, "spann": None, "embedding_function": None}
    place = {"tenant": "default_tenant", "database": "default_database"}
    own = {name: getattr(collection, name) for name in ("id", "name", "metadata", "dimension")}
    return {**own, **place, "configuration_json": index, "schema": None, "log_position": 0, "version": 0}


def absent(columns: Mapping[str, object]) -> dict[str, object]:
    """Return columns with null for each that was not asked for."""
    return {name: columns.get(name) for name in FIELDS}


def _refusal(status: int, error: str, message: str) -> web.Response:
    return web.json_response({"error": error, "message": message}, status=status)

"""The two stand-ins: one answers like OpenAI's embeddings and chat endpoints, one like a Chroma server.

They take as long as the lesson's services do, and answer from the same documents every time.
"""

from aiohttp import web

from shared.upstream import chroma
from shared.upstream.chat import CHAT_SECONDS, completions
from shared.upstream.chroma import QUERY_SECONDS
from shared.upstream.control import control_routes
from shared.upstream.embeddings import EMBEDDING_SECONDS, embeddings
from shared.upstream.faults import FAULTS, Faults
from shared.upstream.openai_format import orderly
from shared.upstream.store import Store
from shared.upstream.texts import TEXTS, Texts
from shared.upstream.watched import WITNESS, watched
from shared.upstream.witness import Witness
from shared.upstream.work import work_routes

__all__ = ["CHAT_SECONDS", "EMBEDDING_SECONDS", "QUERY_SECONDS", "applications"]


def applications() -> dict[str, web.Application]:
    """Return the services by their names, `openai`, `chroma` and `work`, and `control`, which reads and steers them."""
    witness, faults, texts, store = Witness(), Faults(), Texts(), Store()
    services = {}
    for name, routes in (
        ("openai", openai_routes()),
        ("chroma", chroma_routes()),
        ("work", work_routes()),
        ("control", control_routes()),
    ):
        # A search sends about 30 kilobytes, 30 documents to index about 1,000: more than aiohttp takes unless told to.
        services[name] = app = web.Application(client_max_size=2**24)
        app[WITNESS], app[FAULTS], app[TEXTS], app[chroma.STORE] = witness, faults, texts, store
        app.add_routes(routes)
    return services


def openai_routes() -> list[web.RouteDef]:
    """Return the routes of the OpenAI-compatible service."""
    return [
        web.post("/v1/embeddings", watched("embeddings", orderly(embeddings))),
        web.post("/v1/chat/completions", watched("chat", orderly(completions))),
    ]


def chroma_routes() -> list[web.RouteDef]:
    """Return the routes of the Chroma-like service."""
    return [*chroma.routes(), web.post(f"{chroma.DATABASE}/collections/{{collection}}/query", watched("query", chroma.query))]

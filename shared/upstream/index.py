"""Fill a collection on a Chroma server with the lesson's documents: `python -m shared.upstream index`.

Their vectors come from the embeddings service that the settings name, so a search with the same settings finds them. It may be
run again: a document that is there already is replaced.
"""

import asyncio
import os
import sys
from collections.abc import Mapping

import aiohttp

from shared.lesson.collection import check_model, is_identifier, look_up, place
from shared.lesson.problems import Problem
from shared.lesson.settings import Settings, SettingsError, from_environment
from shared.upstream.documents import DOCUMENTS
from shared.upstream.index_calls import create, embed, upload

BATCH = 10
"""Documents in one call. A few hundred would fit; so few make several calls, which wait together."""


def main() -> int:
    """Fill the collection that the environment names, and say where it is; or say in one line what is wrong, and return 2."""
    try:
        settings = read_settings()
        identifier = asyncio.run(fill(settings))
    except (SettingsError, Problem) as error:
        print(error, file=sys.stderr)
        return 2
    where = place(settings.chroma_url)
    print(f"{len(DOCUMENTS)} documents are in the collection {settings.collection}, identifier {identifier}, at {where}.")
    return 0


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the services that the environment names, or raise a SettingsError: embedded ones need no filling."""
    settings = from_environment(environment)
    if settings is None:
        raise SettingsError("CHROMA_URL must be the URL of the Chroma server to fill, such as http://127.0.0.1:8000.")
    return settings


async def fill(settings: Settings) -> str:
    """Fill a collection, make it first if need be, and return its identifier.

    Raises:
        SettingsError: The settings lead to no Chroma server, to a collection of another model, or with a key that is refused.
        Problem: A service does not do what was agreed.

    """
    # Looked up first: nobody should pay for vectors that nobody will take. It blocks, but nothing else waits here.
    found = look_up(settings)
    if found is not None:
        check_model(settings, found)
    elif is_identifier(settings.collection):
        raise SettingsError(f"There is no collection {settings.collection}: set CHROMA_COLLECTION to a name to make one.")
    batches = [DOCUMENTS[start : start + BATCH] for start in range(0, len(DOCUMENTS), BATCH)]
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as client:
        vectors = await asyncio.gather(*(embed(client, settings, batch) for batch in batches))
        if found is None:
            found = await create(client, settings)
        check_model(settings, found, len(vectors[0][0]))
        identifier = str(found["id"])
        await asyncio.gather(*(upload(client, settings, identifier, *each) for each in zip(batches, vectors, strict=True)))
    return identifier

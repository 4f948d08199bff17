"""Chroma's own client, as its documentation makes one."""

from urllib.parse import urlsplit

import chromadb
from chromadb.api import ClientAPI
from chromadb.config import Settings


def connect(url: str) -> ClientAPI:
    """Return a client for the server at a URL; it looks whether one is there."""
    where = urlsplit(url)
    assert where.hostname
    assert where.port
    return chromadb.HttpClient(where.hostname, where.port, settings=Settings(anonymized_telemetry=False))

"""Every variant against a real Chroma server, by configuration alone: `nox -s chroma`."""

"""Embedded stand-ins for the OpenAI and Chroma services, and the witness of every call they get."""

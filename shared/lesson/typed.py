"""`TypedDict`, from where FastAPI can read it on every Python that the workbook runs on."""

import sys

if sys.version_info >= (3, 12):
    from typing import TypedDict
else:
    # Pydantic, and so FastAPI, reads the standard one only from Python 3.12 on.
    from typing_extensions import TypedDict

__all__ = ["TypedDict"]

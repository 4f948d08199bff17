"""`TypedDict`, from where FastAPI can read it on every Python that the workbook runs on."""

import sys

if sys.version_info >= (3, 12):
    from typing import TypedDict
else:
    # Pydantic, and so FastAPI, reads the standard one only from Python 3.12 on, and brings this one along.
    try:
        from typing_extensions import TypedDict
    except ImportError:  # The other stacks need neither.
        from typing import TypedDict

__all__ = ["TypedDict"]

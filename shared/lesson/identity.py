"""What a variant is running on, as found while it runs and not as it was meant to be started."""

import platform
import sys
from importlib.metadata import version

from shared.lesson.typed import TypedDict

SERVERS = ("uvicorn", "hypercorn", "anycorn", "granian", "daphne", "aiohttp")
"""Packages that may be found serving a variant."""


class Identity(TypedDict):
    """`/`: names with versions."""

    variant: str
    framework: str
    event_loop: str
    server: str
    python: str


def describe(variant: str, framework: str) -> Identity:
    """Return what serves the present request. Call it in the handler itself, on the event loop.

    Args:
        variant: The variant's package, such as `variants.aiohttp_asyncio`.
        framework: The name of the framework's package.

    """
    return {
        "variant": variant.rpartition(".")[2],
        "framework": f"{framework} {version(framework)}",
        "event_loop": _event_loop(),
        "server": _server(),
        "python": platform.python_version(),
    }


def _event_loop() -> str:
    """Return the name and version of the running event loop."""
    if (trio := sys.modules.get("trio")) and trio.lowlevel.in_trio_run():
        return f"trio {trio.__version__}"
    # Imported only now, so that a program on trio never pays for asyncio.
    import asyncio  # noqa: PLC0415 - see the line above

    package = type(asyncio.get_running_loop()).__module__.partition(".")[0]
    # asyncio is part of Python, so its version is Python's.
    return f"{package} {platform.python_version() if package == 'asyncio' else version(package)}"


def _server() -> str:
    """Return the name and version of the server whose code called the handler, nearest first; "unknown" if none is known."""
    frame = sys._getframe()  # noqa: SLF001 - inspect.stack() reads every source file on its way
    while frame := frame.f_back:  # type: ignore[assignment]  # The loop ends when there is no caller left.
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in SERVERS:
            return f"{package} {version(package)}"
    return "unknown"

"""The contract's functions without a framework, each yet to be written, for a reader who brings a framework of their own."""

from collections.abc import Iterator
from typing import Final

from shared.lab.verdict import EXERCISE
from shared.lesson.contract import CHAPTERS, ENDPOINTS
from shared.workbook.exercise.contents import to_write

MODULES: Final = (*CHAPTERS, "app", "serve")

OPERATIONS: Final = {
    "slow_sync_operation": (
        "name: str, seconds: float",
        "Block the calling thread for so long, and return `NAME result`.",
    ),
    "slow_async_operation": ("name: str, seconds: float", "Wait for so long without blocking, and return `NAME result`."),
    "slow_guard": ("seconds: float", "Block the calling thread: return what slow_sync_operation does for what is named guard."),
}
"""What endpoints wait with: parameters, and what to do."""

BLOCKING: Final = frozenset({"slow_sync_operation", "slow_guard"})
"""Those of them that are plain functions."""

SERVE: Final = f'''"""The server, and the only file that names it."""

from shared.lesson.command import Options, listen, parse

VARIANT = "mine"
LOOPS = ("asyncio",)


def serve(options: Options) -> None:
    """Serve until a signal asks to stop, on the socket that `listen(VARIANT, options.port)` returns."""
    raise NotImplementedError("{EXERCISE} write serve, as its docstring says.")


def main() -> None:
    """Serve as the command line asks."""
    serve(parse(VARIANT, LOOPS, reloads=False))


if __name__ == "__main__":
    main()
'''


def module(name: str) -> str:
    """Return a module of the blank variant: a chapter, `app` or `serve`."""
    if name == "serve":
        return SERVE
    about = f"The chapter {name}: shared/lesson/text/{name}.md says what it is about, `nox -s read -- {name}` how others do it."
    if name == "app":
        about = (
            "The application: routes, errors, and what lives as long as the server; `shared.lesson.embedded` starts the services."
        )
    return "\n\n\n".join([f'"""{about}"""', *_functions(name)]) + "\n"


def _functions(name: str) -> Iterator[str]:
    rows = [row for row in ENDPOINTS if row.module == name]
    helpers = to_write(name).difference(row.function for row in rows)
    for helper in sorted(helpers):
        parameters, docstring = OPERATIONS.get(helper, ("*given: object", f"See how others do it: nox -s read -- {helper}"))
        kind, result = ("def" if helper in BLOCKING else "async def"), ("str" if helper in OPERATIONS else "object")
        yield _function(f"{kind} {helper}({parameters}) -> {result}", helper, docstring)
    for row in rows:
        docstring = f"Answer {row.method} {row.path}, as shared/lesson/contract.py, shared/lesson/shapes.py and the suite say."
        yield _function(f"async def {row.function}(request: object) -> object", row.function, docstring)


def _function(head: str, name: str, docstring: str) -> str:
    return f'{head}:\n    """{docstring}"""\n    raise NotImplementedError("{EXERCISE} write {name}, as its docstring says.")'

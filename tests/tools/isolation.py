"""Show that a variant needs only its own group: `python -W error -m tests.tools.isolation NAME`, with nothing else installed.

It imports every module of the variant. With `--serve`, where the upstreams' group is installed too, it also serves the variant on
each of its event loops, and asks it. It needs nothing but Python, so that nothing of its own stands in for what is missing.
"""

import argparse
import importlib
import json
import os
import pkgutil
import re
import subprocess
import sys
import urllib.request
from types import ModuleType
from typing import Any

from shared.lab.variants import named

ASKED = {"GET /ping": "pong", "GET /parallel?seconds=0.1": "results", "POST /search-demo?query=Q4+report": "results"}
"""What the server is asked, and a name in the JSON of its answer."""

ANSWER_SECONDS = 30.0


def import_all(package: str) -> dict[str, ModuleType]:
    """Import every module of a package, and return them by their names."""
    path = importlib.import_module(package).__path__
    return {found.name: importlib.import_module(f"{package}.{found.name}") for found in pkgutil.iter_modules(path)}


def serve_and_ask(package: str, loop: str) -> dict[str, Any]:
    """Serve a variant with its own upstreams, ask it, stop it, and return the JSON of its answers.

    Raises:
        SystemExit: It does not say where it serves; why stands above.
        HTTPError: It answers with an error.

    """
    settings = ("CHROMA_", "OPENAI_", "UPSTREAM_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    command = [sys.executable, "-W", "error", "-m", f"{package}.serve", "--port", "0", "--loop", loop]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        try:
            place = re.search(r"http://[\d.:]+", process.stdout.readline() if process.stdout else "")
            if not place:
                sys.exit(f"{package} does not serve on {loop}.")
            return {asked: ask(place[0], asked) for asked in ASKED}
        finally:
            process.kill()  # Its upstreams go with it.


def ask(url: str, asked: str) -> Any:  # noqa: ANN401 - JSON is any
    """Send one request, such as `GET /ping`, and return the JSON of the answer."""
    method, path = asked.split(" ")
    with urllib.request.urlopen(urllib.request.Request(url + path, method=method), timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - our own
        return json.load(answer)


def main() -> None:
    """Import what the command line names, and serve it if asked to; end with a traceback or a message when that fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.isolation")
    parser.add_argument("name")
    parser.add_argument("--serve", action="store_true", help="also serve it, and ask it")
    chosen = parser.parse_args()
    package = named(chosen.name)[0].package
    modules = import_all(package)
    print(f"{package} imports {', '.join(modules)} with what is installed here.")
    for loop in modules["serve"].LOOPS if chosen.serve else ():
        for asked, answer in serve_and_ask(package, loop).items():
            if ASKED[asked] not in answer:
                sys.exit(f"{package} on {loop} answers {asked} with {answer}.")
        print(f"{package} serves on {loop}: {', '.join(ASKED)}.")


if __name__ == "__main__":
    main()

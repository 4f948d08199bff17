"""The warm half of a verdict: a process that has pytest and the services ready, and runs tests of the shared suite when asked.

It reads a line of JSON for each run (`arguments` for pytest, `output` for what that prints) and answers with pytest's exit code.
It ends when its input does.
"""

import contextlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from shared.lab.upstream import Upstreams


def main() -> None:
    """Answer one line after another."""
    answers = sys.stdout
    with Upstreams() as upstreams:
        # pytest registers it under this name; the suite then need not start services of its own.
        kept = SimpleNamespace(__name__="kept", upstreams=upstreams)
        print("ready", file=answers, flush=True)
        for line in sys.stdin:
            asked = json.loads(line)
            with Path(asked["output"]).open("w", encoding="utf-8") as output, contextlib.redirect_stdout(output):
                code = pytest.main(asked["arguments"], plugins=[kept])
            print(int(code), file=answers, flush=True)


if __name__ == "__main__":
    main()

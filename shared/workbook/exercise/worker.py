"""The warm half of a verdict: a process that has pytest and the services ready, and runs tests of the shared suite when asked.

It reads a line of JSON for each run (`arguments` for pytest, `output` for what that prints) and answers with pytest's exit code.
Before that it may answer `doubt CAUSE`: the probable cause of what is tried again, to be sure. It ends when its input does.
"""

import contextlib
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from shared.lab.upstream import Upstreams
from shared.lab.verdict import DOUBTS


def main() -> None:
    """Answer one line after another."""
    # While a test runs, pytest keeps what is printed; what is said here has to get out.
    with Upstreams() as upstreams, os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as answers:
        # pytest registers it under this name; the suite then need not start services of its own.
        kept = SimpleNamespace(__name__="kept", upstreams=upstreams)
        DOUBTS.append(lambda cause: print(f"doubt {cause}", file=answers, flush=True))
        print("ready", file=answers, flush=True)
        for line in sys.stdin:
            asked = json.loads(line)
            with Path(asked["output"]).open("w", encoding="utf-8") as output, contextlib.redirect_stdout(output):
                code = pytest.main(asked["arguments"], plugins=[kept])
            print(int(code), file=answers, flush=True)


if __name__ == "__main__":
    main()

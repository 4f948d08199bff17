"""The warm half of a verdict: a process that has pytest and the services ready, and runs tests of the shared suite when asked.

It reads a line of JSON for each run (`arguments` for pytest, `output` for what that prints) and answers with pytest's exit code.
Before that it may answer `doubt CAUSE`: the probable cause of what is tried again, to be sure. A line with `measure`, the name of
a prediction, and `base`, a variant, is answered with seconds, or with `error` and the reason. It ends when its input does.
"""

import contextlib
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from shared.lab.server import ServerError
from shared.lab.upstream import Upstreams
from shared.lab.verdict import DOUBTS
from shared.workbook.exercise.contents import predictions
from shared.workbook.exercise.predict import measure


def measured(name: str, base: str) -> str:
    """Return what a prediction comes to on a variant, in seconds, or `error` and why it could not be measured, in one line."""
    try:
        return str(measure(next(one for one in predictions() if one.name == name), base))
    except ServerError as error:
        return f"error {' '.join(str(error).split())}"


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
            if "measure" in asked:
                print(measured(asked["measure"], asked["base"]), file=answers, flush=True)
                continue
            with Path(asked["output"]).open("w", encoding="utf-8") as output, contextlib.redirect_stdout(output):
                code = pytest.main(asked["arguments"], plugins=[kept])
            print(int(code), file=answers, flush=True)


if __name__ == "__main__":
    main()

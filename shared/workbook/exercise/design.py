"""The experiment that a reader designs, tried on three servers of which it is known what they do.

The reader's functions may do anything, so they run in another process: `python -m shared.workbook.exercise.design FILE URLS`.
"""

import json
import re
import runpy
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import Any, Final, Self

from shared.lab.experiment import Ask, send
from shared.lab.server import Server
from shared.lab.upstream import Upstreams
from shared.lab.variants import ROOT, named
from shared.workbook.mistakes import catalogue
from shared.workbook.mistakes.plant import plant

WAITS: Final = (0.2, 0.4, 0.8)
"""The wait of each try, in seconds: what noise has spoilt is tried again with a longer one."""

FUNCTIONS: Final = ("requests", "verdict")
"""What the reader writes."""

SUBJECTS: Final = {"together": "", "blocked": "sleep-blocks", "one at a time": "needless-lock"}
"""What the experiment has to say, and the mistake in the server that it has to say it of."""

LONGEST: Final = 30.0
MOST: Final = 50
"""Seconds that the experiment may take in all, and requests that it may send at once."""


class Subjects:
    """The three servers, started when they are first needed, and kept."""

    def __init__(self, base: str, folder: Path) -> None:
        self._base, self._folder = base, folder
        self._stack = ExitStack()
        self.urls: dict[str, str] = {}

    def start(self) -> Self:
        """Start those that do not run."""
        if self.urls:
            return self
        upstreams = self._stack.enter_context(Upstreams())
        with ThreadPoolExecutor(len(SUBJECTS)) as executor:
            try:
                urls = list(executor.map(lambda mistake: self._start(mistake, upstreams), SUBJECTS.values()))
            except BaseException:
                executor.shutdown()
                self.stop()
                raise
        self.urls = dict(zip(SUBJECTS, urls, strict=True))
        return self

    def _start(self, mistake: str, upstreams: Upstreams) -> str:
        root = ROOT
        if mistake:
            root = self._folder / mistake
            if not root.exists():  # It stays from one start to the next.
                plant(catalogue.named(mistake, catalogue.load()), self._base, root)
        return self._stack.enter_context(Server(named(self._base, root)[0], upstreams)).url

    def stop(self) -> None:
        """Stop them."""
        self._stack.close()
        self.urls = {}


def judge(file: Path, subjects: Subjects) -> str:
    """Run the experiment in a file on the three servers; return what is wrong with it, or nothing."""
    command = [sys.executable, "-m", "shared.workbook.exercise.design", str(file), json.dumps(subjects.start().urls)]
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        return f"It hangs: there was no verdict after {LONGEST:g} s."
    if done.returncode or not done.stdout:
        line = ([found[1] for found in re.finditer(rf'"{re.escape(str(file))}", line (\d+)', done.stderr)] or ["1"])[-1]
        said = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        return f"The experiment itself went wrong, at variants/mine/{file.name}:{line}: {said}"
    return str(json.loads(done.stdout))


def tried(experiment: dict[str, Any], urls: dict[str, str]) -> str:
    """Return what is wrong with an experiment in every try; nothing when it told all servers apart in one of them.

    Args:
        experiment: What its file defines.
        urls: Where each server is, by what is to be said of it.

    """
    wrong = ""
    for wait in WAITS:
        paths = experiment["requests"](wait)
        if not isinstance(paths, list) or not 0 < len(paths) <= MOST:
            return f"`requests` gave {paths!r}, and not a list of 1 to {MOST} paths."
        asks = [Ask(path) for path in paths]
        with ThreadPoolExecutor(len(urls)) as executor:
            found = executor.map(lambda url, asks=asks: [answer.seconds for answer in send(url, asks)], urls.values())
        for right, seconds in zip(urls, found, strict=True):
            if (said := experiment["verdict"](seconds, wait)) != right:
                times = ", ".join(f"{path} {second:.2f} s" for path, second in zip(paths, seconds, strict=True))
                wrong = (
                    f"Of the server of which `{right}` is right it said {said!r}. It had seen: {times}; the wait was {wait:g} s."
                )
                break
        else:
            return ""
    return wrong


if __name__ == "__main__":
    with redirect_stdout(sys.stderr):  # What the reader prints is no verdict.
        said = tried(runpy.run_path(sys.argv[1]), json.loads(sys.argv[2]))
    print(json.dumps(said))

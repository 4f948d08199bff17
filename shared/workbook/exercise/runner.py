"""Runs tests of the shared suite over a version of the lesson, in a warm process that can be killed when it hangs."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from shared.lab.plan import Wanted, write
from shared.lab.variants import ROOT
from shared.workbook.exercise.design import Subjects
from shared.workbook.exercise.exercises import Prediction
from shared.workbook.exercise.mine import NAME
from shared.workbook.mistakes.judge import Report, read_reports
from shared.workbook.mistakes.runs import ENVIRONMENT, kill_tree

LONGEST = 90.0
"""Seconds after which a run is over: the lab itself says of a request that it hangs, and where, after a fourth of it."""


class RunError(Exception):
    """There is no report; the message says why."""


class Runner:
    """A warm process, started when it is first needed, and again after it was killed.

    Attributes:
        doubt: While a run tries again to be sure, the cause that is probable; empty otherwise.
        doubted: When a probable cause was first known in the last run, in seconds of `time.monotonic`; 0 when none was.

    """

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._folder = tempfile.TemporaryDirectory(prefix="exercise-", ignore_cleanup_errors=True)
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()
        self._count = 0
        self.doubt = ""
        self.doubted = 0.0
        self._subjects: dict[str, Subjects] = {}  # By what they were made from.

    def warm_up(self) -> None:
        """Start the process, unless it runs; it gets ready while the reader reads."""
        if self._process and self._process.poll() is None:
            return
        self._end_process()
        own = dict.fromkeys(("TMPDIR", "TEMP", "TMP", "WORKBOOK_RESULTS"), self._folder.name)
        self._answers = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "shared.workbook.exercise.worker"],
            cwd=self._root,
            env={**os.environ, **own, **ENVIRONMENT},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            # A Ctrl-C is for the reader's terminal alone, which then ends it in good order.
            start_new_session=sys.platform != "win32",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # Only Windows has the name.
        )
        threading.Thread(target=_pass_on, args=(self._process, self._answers), daemon=True).start()

    def folder(self) -> Path:
        """Return a new folder for a version."""
        self._count += 1
        made = Path(self._folder.name, str(self._count))
        made.mkdir()
        return made

    def subjects(self, base: str) -> Subjects:
        """Return the servers on which a reader's own experiment is tried."""
        if base not in self._subjects:
            self._subjects[base] = Subjects(base, self.folder())
        return self._subjects[base]

    def run(self, root: Path, tests: Sequence[str], longest: float = LONGEST) -> list[Report]:
        """Run tests over the version below a folder, and return what the suite reports.

        Args:
            root: The folder that holds the version's `variants`; it gets some files more.
            tests: The tests' ids.
            longest: After how many seconds the run is given up.

        Raises:
            RunError: It was given up, or pytest could not run them.

        """
        plan, report, output = root / "plan.json", root / "report.jsonl", root / "output.txt"
        wanted = tuple(dict.fromkeys(test.partition("[")[0] for test in tests))
        write(plan, [Wanted(NAME, root, NAME, wanted)])
        # The parameters of a test begin with what it runs over.
        ids = [test.replace("[", f"[{NAME}-", 1) for test in tests]
        arguments = ["-q", "-x", "-p", "no:cacheprovider", *ids, "--plan", str(plan), "--report", str(report)]
        code = self._ask({"arguments": arguments, "output": str(output)}, longest)
        reports = read_reports(report)
        if code not in {"0", "1"} or not reports:
            printed = output.read_text(encoding="utf-8", errors="replace") if output.is_file() else ""
            raise RunError(f"The suite could not run (pytest ended with {code or 'nothing'}):\n{printed[-2000:]}")
        return reports

    def measure(self, prediction: Prediction, base: str) -> float:
        """Return what was asked for in a prediction, in seconds, as it is on a variant.

        Raises:
            RunError: It could not be measured.

        """
        answer = self._ask({"measure": prediction.name, "base": base}, LONGEST)
        try:
            return float(answer)
        except ValueError:
            why = answer.removeprefix("error").strip() or "the process that measures has ended"
            raise RunError(f"It could not be measured: {why}") from None

    def _ask(self, asked: dict[str, object], longest: float) -> str:
        """Send a line, and return the answer: a code, or nothing when the process has ended."""
        self.warm_up()
        self.doubt, self.doubted = "", 0.0
        try:
            if self._process and self._process.stdin:
                self._process.stdin.write(json.dumps(asked) + "\n")
                self._process.stdin.flush()
            while (answer := self._answers.get(timeout=longest)).startswith(("ready", "doubt")):  # These are no end.
                self.doubt = answer.partition(" ")[2]
                self.doubted = self.doubted or (time.monotonic() if self.doubt else 0.0)
        except OSError:  # It has just ended.
            return ""
        except queue.Empty:
            self.close()
            raise RunError(f"It hangs: there was no verdict after {longest:g} s, and the run was ended.") from None
        return answer

    def close(self) -> None:
        """End the process and all that it has started."""
        self._end_process()
        for subjects in self._subjects.values():
            subjects.stop()

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            kill_tree(process.pid)
        process.wait()
        with contextlib.suppress(OSError):  # What it was asked and has not read.
            if process.stdin:
                process.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._folder.cleanup()


def _pass_on(process: subprocess.Popen[str], answers: "queue.Queue[str]") -> None:
    """Hand on what the process says, and an empty text when it has ended."""
    with process.stdout or contextlib.nullcontext(()) as lines:
        for line in lines:
            answers.put(line.strip())
    answers.put("")

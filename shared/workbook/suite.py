"""Run the shared suite over several variants side by side, each in its own environment; then print the table.

`nox -s variant` calls it, as `python -m shared.workbook.suite NAME=PYTHON ... -- ARGUMENTS FOR PYTEST`. The tests mostly wait, so
variants beside each other take little longer than one alone.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from rich.console import Console

from shared.lab.variants import ROOT, named
from shared.workbook import table


@dataclass(frozen=True, slots=True)
class Job:
    """The suite over one variant on one event loop; `python` is the interpreter of the variant's environment."""

    label: str
    command: Sequence[str]

    def run(self, *, alone: bool) -> subprocess.CompletedProcess[str]:
        """Run it to its end; its output goes to the terminal when it runs alone, and is kept when it runs beside others."""
        output = None if alone else subprocess.PIPE
        color = {"FORCE_COLOR": "1"} if sys.stdout.isatty() else {}
        return subprocess.run(  # noqa: S603 - our own command
            self.command,
            cwd=ROOT,
            stdout=output,
            stderr=output and subprocess.STDOUT,
            env={**os.environ, **color},
            text=True,
            check=False,
        )


def jobs(variants: Sequence[str], arguments: Sequence[str]) -> Iterator[Job]:
    """Yield a job for each event loop of each variant.

    Args:
        variants: Each as `NAME=PYTHON`: the variant, and the interpreter of its environment.
        arguments: What pytest gets beside them.

    """
    for variant in variants:
        name, _, python = variant.partition("=")
        for loop in named(name):
            chosen = ["--ignore=tests/tools", "--ignore=tests/clients", "--variant", name, "--loop", loop.loop]
            yield Job(loop.label, [python, "-m", "pytest", "-q", *chosen, *arguments])


def main(arguments: Sequence[str]) -> int:
    """Run all jobs, print the output of each when it ends, then the table; return 1 when one has failed."""
    split = arguments.index("--") if "--" in arguments else len(arguments)
    todo = list(jobs(arguments[:split], arguments[split + 1 :]))
    console = Console()
    console.print(f"The shared suite, side by side: {', '.join(job.label for job in todo)}")
    failed = []
    with ThreadPoolExecutor(len(todo)) as executor:
        running = {executor.submit(job.run, alone=len(todo) == 1): job for job in todo}
        for future in as_completed(running):
            label, done = running[future].label, future.result()
            console.rule(f"{label}: {'passed' if done.returncode == 0 else 'FAILED'}")
            print(done.stdout or "", flush=True)
            failed += [label] if done.returncode else []
    table.main()
    if failed:
        console.print(f"Failed: {', '.join(failed)}", style="bold red")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

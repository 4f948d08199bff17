"""How long a process has had to wait for a processor: its run-queue delay. Only Linux tells; elsewhere nobody seems to wait."""

from pathlib import Path

NANOSECONDS = 1e9


def waited(number: int) -> float:
    """Return for how many seconds so far a process was ready to run, and others had the processors.

    It is that of its main thread, which runs the event loop. A thread that sleeps, or waits for a lock, is not ready to run.
    The source is the second number in `schedstat`: https://docs.kernel.org/scheduler/sched-stats.html.

    Args:
        number: The number of the process.

    Returns:
        Those seconds; 0 where the system does not tell, and when the process has ended.

    """
    try:
        return int(Path(f"/proc/{number}/schedstat").read_text(encoding="ascii").split()[1]) / NANOSECONDS
    except (OSError, ValueError, IndexError):
        return 0.0

"""Follows what a reader saves: of the present exercise, and not elsewhere."""

from pathlib import Path

from shared.lesson.contract import MODULES
from shared.workbook.exercise.exercises import Exercise
from shared.workbook.exercise.mine import BLANK, Mine


class Watch:
    """Looks at the files that an exercise is judged by; a poll of a few files, which works on every system and file system."""

    def __init__(self, mine: Mine) -> None:
        self._mine = mine
        self._exercise: Exercise | None = None
        self._seen: dict[Path, tuple[int, int]] = {}

    def follow(self, exercise: Exercise | None) -> None:
        """Follow an exercise from now on."""
        self._exercise = exercise
        self._seen = self._look()

    def changed(self) -> bool:
        """Say whether something was saved since the last time."""
        seen = self._look()
        changed, self._seen = seen != self._seen, seen
        return changed

    def _look(self) -> dict[Path, tuple[int, int]]:
        found = {}
        for file in self._files():
            try:
                status = file.stat()
            except OSError:  # An editor may be about to put it back.
                continue
            found[file] = (status.st_mtime_ns, status.st_size)
        return found

    def _files(self) -> list[Path]:
        """Return the exercise's file, and what the reader has added beside it; without a framework, all."""
        if self._exercise is None:
            return []
        folder = self._mine.folder
        added = [file for file in folder.glob("*.py") if self._mine.base == BLANK or file.stem not in MODULES]
        return [folder / self._exercise.file, *added]

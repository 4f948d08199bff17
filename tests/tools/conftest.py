"""What the tests of the exercises begin with."""

from pathlib import Path

import pytest

from shared.workbook.exercise.mine import Mine
from shared.workbook.exercise.proof import copied


@pytest.fixture
def own(tmp_path: Path) -> Mine:
    """Return a reader's variant, made from aiohttp's."""
    return copied("aiohttp_asyncio", tmp_path / "project")

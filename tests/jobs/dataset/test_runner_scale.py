"""Very many pictures cost whoever lists and schedules them little time, and no memory each."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.large_dataset import Cost

MANY = 200_000
_SOME = 50_000
_MOST_MEMORY = 150 << 20
_MOST_SECONDS = 1e-3
"""Of CPU time, an item. Half of it goes for the stub, and for sending it in place of Ray."""

_FOLDER_FILES = 1000


def measured(project: Path, folder: Path, count: int, *options: str) -> Cost:
    """What a process of its own finds."""
    command = [sys.executable, "-W", "error", "-m", "tests.support.large_dataset"]
    ended = subprocess.run(
        [*command, str(folder), str(count), *options],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return Cost(**json.loads(ended.stdout))


def check(cost: Cost, count: int) -> None:
    """All items have ended, within what they may cost."""
    assert cost.items == cost.done + cost.failed == count
    assert cost.failed > 0
    assert cost.peak - cost.start <= _MOST_MEMORY
    assert (cost.indexing + cost.running) / count <= _MOST_SECONDS


def test_an_item_costs_little_time_and_no_memory(project: Path, tmp_path: Path) -> None:
    check(measured(project, tmp_path, _SOME), _SOME)


@pytest.mark.slow
def test_many_items_take_hardly_more_memory_than_some(project: Path, tmp_path: Path) -> None:
    some, many = (measured(project, tmp_path / str(count), count) for count in (_SOME, MANY))
    check(many, MANY)
    assert (many.peak - some.peak) / (MANY - _SOME) < 100  # bytes


@pytest.mark.slow
def test_files_in_folders_cost_no_more(project: Path, tmp_path: Path) -> None:
    inputs = tmp_path / "pictures"
    for part in range(MANY // _FOLDER_FILES):
        folder = inputs / f"part-{part:04}"
        folder.mkdir(parents=True)
        for number in range(_FOLDER_FILES):
            (folder / f"picture-{number:03}.jpg").touch()
    check(measured(project, tmp_path, MANY, "--inputs", str(inputs)), MANY)

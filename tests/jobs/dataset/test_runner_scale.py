"""The time and memory of listing and scheduling very many pictures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.large_dataset import Cost

MANY = 200_000
FEW = 50_000
MAX_MEMORY = 150 << 20
MAX_SECONDS = 1e-3
"""CPU seconds for an item. The stub worker and its pool take half of it."""

_FOLDER_FILES = 1000


def measure(project: Path, folder: Path, count: int, *options: str) -> Cost:
    """Measure in another process."""
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
    """Check that all items have ended, within the limits."""
    assert cost.items == cost.done + cost.failed == count
    assert cost.failed > 0
    assert cost.peak - cost.start <= MAX_MEMORY
    assert (cost.indexing + cost.running) / count <= MAX_SECONDS


def test_items_cost_little_time_and_no_memory(project: Path, tmp_path: Path) -> None:
    check(measure(project, tmp_path, FEW), FEW)


@pytest.mark.slow
def test_memory_does_not_grow_with_items(project: Path, tmp_path: Path) -> None:
    some, many = (measure(project, tmp_path / str(count), count) for count in (FEW, MANY))
    check(many, MANY)
    assert (many.peak - some.peak) / (MANY - FEW) < 100  # bytes


@pytest.mark.slow
def test_real_folders_cost_no_more(project: Path, tmp_path: Path) -> None:
    inputs = tmp_path / "pictures"
    for part in range(MANY // _FOLDER_FILES):
        folder = inputs / f"part-{part:04}"
        folder.mkdir(parents=True)
        for number in range(_FOLDER_FILES):
            (folder / f"picture-{number:03}.jpg").touch()
    check(measure(project, tmp_path, MANY, "--inputs", str(inputs)), MANY)

"""A digest depends on every byte of an output, and a shell command computes the same."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from render.pictures.write import output_digest


@pytest.fixture
def deepzoom(tmp_path: Path) -> Path:
    """A descriptor and two levels of tiles, of any bytes."""
    path = tmp_path / "sky.dzi"
    path.write_text("<Image/>")
    for name in ("0/0_0.jpg", "1/0_0.jpg", "1/1_0.jpg"):
        tile = tmp_path / "sky_files" / name
        tile.parent.mkdir(parents=True, exist_ok=True)
        tile.write_text(name)
    return path


def test_a_file_has_its_sha256(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"abc")
    assert output_digest(tmp_path / "a.png") == f"sha256:{hashlib.sha256(b'abc').hexdigest()}"


def test_a_deepzoom_has_that_of_its_list(deepzoom: Path) -> None:
    if shutil.which("sha256sum") is None:
        pytest.skip("this system has no sha256sum")
    find = "find sky.dzi sky_files -type f -exec sha256sum {} + | LC_ALL=C sort | sha256sum"
    shell = subprocess.run(
        ["sh", "-c", find], cwd=deepzoom.parent, capture_output=True, text=True, check=True
    )
    assert output_digest(deepzoom) == f"sha256:{shell.stdout.split()[0]}"


def _swap(tiles: Path) -> None:
    first, second = tiles / "1/0_0.jpg", tiles / "1/1_0.jpg"
    held = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(held)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a byte of a tile": lambda tiles: (tiles / "0/0_0.jpg").write_text("other"),
    "a tile less": lambda tiles: (tiles / "0/0_0.jpg").unlink(),
    "a tile more": lambda tiles: (tiles / "0/0_1.jpg").write_text("more"),
    "two tiles swapped": _swap,
    "the descriptor": lambda tiles: tiles.with_name("sky.dzi").write_text("<Image />"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_shows(deepzoom: Path, change: str) -> None:
    before = output_digest(deepzoom)
    CHANGES[change](deepzoom.with_name("sky_files"))
    assert output_digest(deepzoom) != before


def test_a_missing_file_has_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        output_digest(tmp_path / "nowhere.png")

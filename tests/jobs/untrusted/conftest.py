"""A farm, and what lies where it may not look."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.runtime.context import retrying_store
from render.pictures.decode import Picture
from tests.support.untrusted_store import UntrustedStore


@pytest.fixture
def untrusted(tmp_path: Path) -> Iterator[UntrustedStore]:
    yield UntrustedStore(tmp_path)
    retrying_store.cache_clear()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A picture that is nobody's business."""
    path = tmp_path / "secret.png"
    Image.fromarray(np.full((64, 64, 3), 99, np.uint8)).save(path)
    return path


@pytest.fixture
def undecoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pixel is decoded."""

    def decoded(*_: object) -> None:
        raise AssertionError("a picture was decoded")

    monkeypatch.setattr(Picture, "bands", decoded)


@pytest.fixture
def photos(tmp_path: Path, picture: Path) -> Path:
    """A folder of small pictures, of which `work` knows nothing."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(24):
        Image.open(picture).crop((0, 0, 64, 48)).save(folder / f"{number:02}.png")
    return folder

"""A scheduler with a store that others write to, and files that it may not read."""

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
    """A picture outside the store that no job may read."""
    path = tmp_path / "secret.png"
    Image.fromarray(np.full((64, 64, 3), 99, np.uint8)).save(path)
    return path


@pytest.fixture
def undecoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails the test if any picture is decoded."""

    def decode(*_: object) -> None:
        raise AssertionError("a picture was decoded")

    monkeypatch.setattr(Picture, "bands", decode)


@pytest.fixture
def photos(tmp_path: Path, picture: Path) -> Path:
    """A folder of 24 small pictures outside the store."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(24):
        Image.open(picture).crop((0, 0, 64, 48)).save(folder / f"{number:02}.png")
    return folder

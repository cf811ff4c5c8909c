"""What an output embeds is read back: from each format, whole, damaged, and made by others."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from render.pictures.embedded_identity import read_identity
from render.pictures.output_format import FORMATS, Labels
from render.pictures.vips import WHOLE_SAVERS, can_encode
from render.pictures.write import write_picture
from tests.support.picture_files import noise_samples

SHORT = json.dumps({"spec": {"size": "x1", "note": "<&'\">"}})
LONG = json.dumps({"spec": ["classes.relu"] * 9000})
"""More than a segment of a JPEG holds, and more than libexif keeps."""

DEPTHS = [(name, depth) for name, one in FORMATS.items() for depth in one.depths]


def written(folder: Path, name: str, depth: int, identity: str) -> Path:
    if name in WHOLE_SAVERS and not can_encode(name):
        pytest.skip(f"LIBVIPS HERE CANNOT WRITE {name}")
    path = folder / f"sky{FORMATS[name].suffix}"
    picture = noise_samples(40, 50, depth)
    write_picture(path, name, (40, 50), depth, iter([picture]), Labels(300.0, identity))
    return path


@pytest.mark.parametrize(("name", "depth"), DEPTHS)
@pytest.mark.parametrize("identity", [SHORT, LONG], ids=["short", "long"])
def test_every_output_gives_its_identity_back(
    tmp_path: Path, name: str, depth: int, identity: str
) -> None:
    assert len(LONG) > 1 << 17
    assert read_identity(written(tmp_path, name, depth, identity)) == identity


def test_a_bigtiff_gives_its_identity_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("render.pictures.tiff_encode.needs_bigtiff", lambda *_: True)
    path = written(tmp_path, "tiff", 8, SHORT)
    assert path.read_bytes()[2] == 43
    assert read_identity(path) == SHORT


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".gif"])
def test_a_picture_of_others_has_none(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"holiday{suffix}"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
    assert read_identity(path) is None


def test_the_description_of_others_is_only_text(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "Brücke".encode()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "a.jpg", exif=exif)
    assert read_identity(tmp_path / "a.jpg") is None
    exif[0x010E] = "a bridge"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "b.jpg", exif=exif)
    assert read_identity(tmp_path / "b.jpg") == "a bridge"


@pytest.mark.parametrize("name", ["png", "jpeg", "tiff", "deepzoom-zip", "webp"])
def test_a_file_that_is_cut_off_has_its_identity_or_none(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name, 8, SHORT)
    content = path.read_bytes()
    for length in {*range(0, len(content), 499), *range(0, min(2000, len(content)), 41)}:
        path.write_bytes(content[:length])
        assert read_identity(path) in (SHORT, None)


@pytest.mark.parametrize("labels", ["", "[]", '{"identity": 3}', "[" * 100_000])
def test_damaged_labels_of_a_deepzoom_are_none(tmp_path: Path, labels: str) -> None:
    path = written(tmp_path, "deepzoom", 8, SHORT)
    (tmp_path / "sky_files" / "labels.json").write_text(labels)
    assert read_identity(path) is None

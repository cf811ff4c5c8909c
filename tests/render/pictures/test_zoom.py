"""Tiles for viewers: an IIIF that is complete, zips of the same files, and their pages."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from render.pictures.deepzoom import output_files
from render.pictures.encoding import Encoding, Viewer
from render.pictures.output_format import FORMATS, Labels
from render.pictures.write import output_digest, write_picture
from tests.support.picture_files import gradient_samples

LABELS = Labels(300.0, '{"job": "sky-1f3a"}')
VIEWER = Viewer(b"/* script */", b"a licence")
WITH_PAGE = Encoding(viewer=VIEWER)
SIZES = [(600, 1301), (1, 1), (256, 256), (257, 5), (512, 512)]


def _write(folder: Path, name: str, size: tuple[int, int], encoding: Encoding = WITH_PAGE) -> Path:
    path = folder / f"sky{FORMATS[name].suffix}"
    digest = write_picture(
        path, name, size, 8, [gradient_samples(*size)], LABELS, encoding=encoding
    )
    assert digest == output_digest(path)
    return path


def _info(page: Path) -> dict[str, Any]:
    info: dict[str, Any] = json.loads((_tiles(page) / "info.json").read_text())
    return info


def _tiles(page: Path) -> Path:
    return page.with_name(f"{page.stem}_files")


def _asked(info: dict[str, Any]) -> dict[str, tuple[int, int, int, int, int]]:
    """All files that a viewer may ask for: each with left, top, right, bottom and scale.

    By the rules of the Image API 3.0, appendix A of its implementation notes.
    """
    width, height, (tiles,) = info["width"], info["height"], info["tiles"]
    asked = {}
    for scale in tiles["scaleFactors"]:
        level = -(-width // scale), -(-height // scale)
        for left in range(0, level[0], tiles["width"]):
            for top in range(0, level[1], tiles["height"]):
                right = min(left + tiles["width"], level[0])
                bottom = min(top + tiles["height"], level[1])
                x, y = left * scale, top * scale
                w = min(tiles["width"] * scale, width - x)
                h = min(tiles["height"] * scale, height - y)
                region = "full" if (w, h) == (width, height) else f"{x},{y},{w},{h}"
                name = f"{region}/{right - left},{bottom - top}/0/default.jpg"
                asked[name] = (left, top, right, bottom, scale)
    for whole in info["sizes"]:
        name = f"full/{whole['width']},{whole['height']}/0/default.jpg"
        assert name in asked
    return asked


@pytest.mark.parametrize("size", SIZES)
def test_an_iiif_has_every_file_that_its_description_promises(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    page = _write(tmp_path, "iiif", size)
    info, picture = _info(page), gradient_samples(*size).astype(int)
    assert (info["@context"], info["profile"], info["type"]) == (
        "http://iiif.io/api/image/3/context.json",
        "level0",
        "ImageService3",
    )
    asked = _asked(info)
    for name, (left, top, right, bottom, scale) in asked.items():
        with Image.open(_tiles(page) / name) as tile:
            assert tile.info["icc_profile"]
            pixels = np.asarray(tile).astype(int)
        assert pixels.shape == (bottom - top, right - left, 3)
        if scale == 1:
            assert np.abs(pixels - picture[top:bottom, left:right]).mean() < 3
        middle = picture[
            min((top + bottom) * scale // 2, size[0] - 1),
            min((left + right) * scale // 2, size[1] - 1),
        ]
        if size[1] > 5:
            assert np.abs(pixels[len(pixels) // 2, pixels.shape[1] // 2] - middle).max() < 24
    found = {one.relative_to(_tiles(page)).as_posix() for one in _tiles(page).rglob("*.jpg")}
    assert found == {*asked, "full/max/0/default.jpg"}


def test_the_address_of_an_iiif_is_that_of_the_user_or_of_a_server_here(tmp_path: Path) -> None:
    assert _info(_write(tmp_path, "iiif", (9, 9)))["id"] == ("http://localhost:8000/sky-iiif_files")
    encoding = Encoding(address="https://example.org/a/sky")
    assert _info(_write(tmp_path, "iiif", (9, 9), encoding))["id"] == "https://example.org/a/sky"


@pytest.mark.parametrize("name", ["deepzoom", "iiif"])
def test_a_zip_holds_the_files_of_the_folder_and_a_page(tmp_path: Path, name: str) -> None:
    path = _write(tmp_path, name, (600, 701))
    packed = _write(tmp_path, f"{name}-zip", (600, 701))
    with zipfile.ZipFile(packed) as archive:
        assert archive.testzip() is None
        contents = {one: archive.read(one) for one in archive.namelist()}
    stem = packed.stem
    assert all(one.startswith(f"{stem}/") for one in contents)
    tiles = {
        one.relative_to(_tiles(path)).as_posix(): one.read_bytes() for one in output_files(path)[1:]
    }
    assert len(tiles) > 12
    for file, content in tiles.items():
        if file != "index.html":
            assert contents[f"{stem}/{stem}_files/{file}"] == content
    page = contents[f"{stem}/index.html"].decode()
    assert f'src="{stem}_files/openseadragon.min.js"' in page
    assert contents[f"{stem}/{stem}_files/openseadragon.min.js"] == VIEWER.script
    assert contents[f"{stem}/{stem}_files/openseadragon-licence.txt"] == VIEWER.licence


def test_a_deepzoom_without_a_page_is_as_before(tmp_path: Path) -> None:
    _write(tmp_path, "deepzoom", (30, 40), Encoding())
    names = {one.name for one in (tmp_path / "sky_files").iterdir() if one.is_file()}
    assert names == {"labels.json"}


def test_an_iiif_without_a_viewer_shows_the_whole_picture(tmp_path: Path) -> None:
    page = _write(tmp_path, "iiif", (300, 400), Encoding())
    assert '<img src="sky-iiif_files/full/max/0/default.jpg" alt="sky-iiif">' in page.read_text()
    with Image.open(_tiles(page) / "full/max/0/default.jpg") as whole:
        assert whole.size == (200, 150)


def test_quality_is_that_of_the_tiles(tmp_path: Path) -> None:
    low, usual = (
        len(_write(tmp_path, "iiif-zip", (300, 400), Encoding(quality=quality)).read_bytes())
        for quality in (30, None)
    )
    assert low < usual


def test_a_zip_is_read_from_its_end(tmp_path: Path) -> None:
    content = _write(tmp_path, "iiif-zip", (300, 400)).read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}

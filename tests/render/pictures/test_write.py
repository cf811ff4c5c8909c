"""Outputs: right pixels, metadata, reproducible bytes, and atomic writes."""

import io
import json
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import pyvips
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from render.errors import OutputError
from render.pictures.output_format import FORMATS, Labels
from render.pictures.tiff_encode import needs_bigtiff
from render.pictures.write import output_digest, write_picture
from tests.support.picture_files import gradient_samples, noise_samples, read_samples

LABELS = Labels(300.0, '{"job": "sky-1f3a", "pixels": 1}')
LOSSLESS = [("png", 8), ("png", 16), ("tiff", 8), ("tiff", 16)]
ALL = [*LOSSLESS, ("jpeg", 8), ("deepzoom", 8), ("iiif", 8), ("iiif-zip", 8)]
FILES = [*LOSSLESS, ("jpeg", 8)]
STREAMED = [name for name, held in FORMATS.items() if held.max_pixels is None]


def _write(path: Path, name: str, picture: np.ndarray, rows: int = 64, threads: int = 1) -> Path:
    """Write the picture in bands of `rows`, as `path` with the format's suffix."""
    path = path.with_name(path.name + FORMATS[name].suffix)
    bands = (picture[y : y + rows] for y in range(0, len(picture), rows))
    depth = picture.itemsize * 8
    digest = write_picture(path, name, picture.shape[:2], depth, bands, LABELS, threads)
    assert digest == output_digest(path)
    return path


@pytest.mark.parametrize(("name", "depth"), LOSSLESS)
def test_pixels_come_back_in_every_reader(tmp_path: Path, name: str, depth: int) -> None:
    picture = noise_samples(300, 401, depth)
    path = _write(tmp_path / "a", name, picture)
    np.testing.assert_array_equal(read_samples(path), picture)
    np.testing.assert_array_equal(pyvips.Image.new_from_file(str(path)).numpy(), picture)
    if depth == 8:
        np.testing.assert_array_equal(np.asarray(Image.open(path)), picture)
    if name == "tiff":
        np.testing.assert_array_equal(tifffile.imread(path), picture)


def test_jpegs_are_near_and_keep_every_colour_sample(tmp_path: Path) -> None:
    path = _write(tmp_path / "a", "jpeg", gradient_samples(300, 401))
    assert np.abs(read_samples(path) - gradient_samples(300, 401).astype(int)).mean() < 1
    with Image.open(path) as image:
        assert {layer[1:3] for layer in image.layer} == {(1, 1)}  # type: ignore[attr-defined]


@pytest.mark.parametrize(("name", "depth"), FILES)
def test_files_carry_their_labels(tmp_path: Path, name: str, depth: int) -> None:
    path = _write(tmp_path / "a", name, noise_samples(40, 50, depth))
    with Image.open(path) as image:
        assert image.size == (50, 40)
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        assert "sRGB" in ImageCms.getProfileName(profile)
        text = image.info["Description"] if name == "png" else image.getexif()[0x010E]
        assert text == LABELS.identity
    if name == "tiff":
        with tifffile.TiffFile(path) as file:
            assert file.pages[0].tags["XResolution"].value == (300, 1)
            assert file.pages[0].tags["ResolutionUnit"].value == tifffile.RESUNIT.INCH
            assert file.pages[0].description == LABELS.identity


def test_a_picture_without_physical_size_says_72_dpi(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.jpg", "jpeg", (9, 9), 8, [noise_samples(9, 9)], Labels(None, "{}"))
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.info["dpi"] == (72, 72)


@pytest.mark.parametrize("depth", [8, 16])
def test_tiffs_are_tiled_pyramids_of_one_page(tmp_path: Path, depth: int) -> None:
    path = _write(tmp_path / "a", "tiff", noise_samples(600, 700, depth))
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert len(file.pages) == 1
        assert page.tile == (256, 256)
        assert page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        assert page.predictor == tifffile.PREDICTOR.HORIZONTAL
        assert [level.shape[:2] for level in file.series[0].levels] == [
            (600, 700),
            (300, 350),
            (150, 175),
        ]


def test_bigtiff_begins_before_classic_tiff_ends() -> None:
    assert not needs_bigtiff(30_000, 30_000, 8)
    assert needs_bigtiff(30_000, 30_000, 16)
    assert needs_bigtiff(32_768, 32_768, 8)


def test_deepzooms_hold_the_picture_and_its_labels(tmp_path: Path) -> None:
    picture = gradient_samples(600, 701)
    path = _write(tmp_path / "a", "deepzoom", picture)
    assert 'Overlap="1"' in path.read_text()
    assert 'TileSize="254"' in path.read_text()
    tiles = tmp_path / "a_files"
    levels = sorted(int(folder.name) for folder in tiles.iterdir() if folder.is_dir())
    assert levels == list(range(11)), "from 1 pixel to the full size"
    assert json.loads((tiles / "labels.json").read_text())["identity"] == LABELS.identity
    assert {file.name for file in tiles.iterdir() if file.is_file()} == {"labels.json"}
    # The tile in column 1, row 2 begins one pixel of overlap before (508, 254).
    with Image.open(tiles / "10" / "1_2.jpg") as tile:
        assert tile.info["icc_profile"]
        expected = picture[507:600, 253:509].astype(int)
        assert np.abs(np.asarray(tile) - expected).mean() < 3


@pytest.mark.parametrize(("name", "depth"), ALL)
def test_bytes_do_not_depend_on_bands_threads_or_time(
    tmp_path: Path, name: str, depth: int
) -> None:
    picture = noise_samples(530, 1300, depth)
    digests = set()
    for number, (rows, threads) in enumerate([(1, 1), (64, 2), (530, 8)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        digests.add(output_digest(_write(folder / "a", name, picture, rows, threads)))
        time.sleep(0.4)  # over a second in all, so that a time in any file would differ
    assert len(digests) == 1


# A change here changes every file that was ever made: raise the version of the software.
SAME_BYTES = {
    ("png", 8): "b9e4a9911365f8b3",
    ("png", 16): "56dcce7fdd9d978d",
    ("tiff", 8): "88821f4132c53500",
    ("tiff", 16): "e974e21863122e13",
}


@pytest.mark.parametrize(("name", "depth"), LOSSLESS)
def test_bytes_are_the_same_on_every_processor(tmp_path: Path, name: str, depth: int) -> None:
    path = _write(tmp_path / "a", name, gradient_samples(530, 300, depth))
    assert output_digest(path).removeprefix("sha256:")[:16] == SAME_BYTES[name, depth]


@settings(max_examples=15)
@given(cuts=st.lists(st.integers(1, 40), max_size=4), depth=st.sampled_from([8, 16]))
def test_any_bands_give_the_same_picture(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], depth: int
) -> None:
    picture = noise_samples(40, 33, depth)
    path = tmp_path_factory.mktemp("cut") / "a.png"
    bands = np.split(picture, sorted(cuts))
    write_picture(path, "png", (40, 33), depth, bands, LABELS)
    np.testing.assert_array_equal(read_samples(path), picture)


class _LostError(Exception):
    """Stands for the error of a lost worker."""


@pytest.mark.parametrize("kind", [_LostError, KeyboardInterrupt, BrokenPipeError, OSError])
@pytest.mark.parametrize(("name", "depth"), ALL)
def test_an_exception_of_the_bands_leaves_no_files(
    tmp_path: Path, name: str, depth: int, kind: type[BaseException]
) -> None:
    lost = kind("worker 3")

    def bands() -> Iterator[np.ndarray]:
        yield noise_samples(100, 200, depth)
        raise lost

    path = tmp_path / f"a{FORMATS[name].suffix}"
    with pytest.raises(kind) as caught:
        write_picture(path, name, (300, 200), depth, bands(), LABELS)
    assert caught.value is lost
    assert list(tmp_path.iterdir()) == []


def test_no_tile_is_written_into_a_removed_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late: list[str] = []

    def write_slowly(path: Path, content: bytes) -> int:
        time.sleep(0.05)
        if not path.parent.exists():
            late.append(path.name)
        return len(content)

    def bands() -> Iterator[np.ndarray]:
        yield noise_samples(600, 1200)
        raise _LostError

    monkeypatch.setattr(Path, "write_bytes", write_slowly)
    with pytest.raises(_LostError):
        write_picture(tmp_path / "a.dzi", "deepzoom", (900, 1200), 8, bands(), LABELS, 4)
    assert late == []
    assert list(tmp_path.iterdir()) == []


def test_a_jpeg_has_a_long_identity_in_comments(tmp_path: Path) -> None:
    identity = "".join(map(str, range(30_000)))
    path = tmp_path / "a.jpg"
    write_picture(path, "jpeg", (9, 9), 8, [noise_samples(9, 9)], Labels(300.0, identity))
    with Image.open(path) as image:
        texts = [content for name, content in image.applist if name == "COM"]  # type: ignore[attr-defined]
        assert b"".join(texts).decode() == identity
        assert image.info["dpi"] == (300, 300)
        assert image.info["icc_profile"]


def test_the_bands_run_in_the_callers_thread(tmp_path: Path) -> None:
    seen = set()

    def bands() -> Iterator[np.ndarray]:
        for row in noise_samples(20, 20):
            seen.add(threading.get_ident())
            yield row[None]

    write_picture(tmp_path / "a.png", "png", (20, 20), 8, bands(), LABELS)
    assert seen == {threading.get_ident()}


@pytest.mark.parametrize(("name", "depth"), ALL)
def test_a_failure_leaves_the_earlier_output(tmp_path: Path, name: str, depth: int) -> None:
    path = _write(tmp_path / "a", name, noise_samples(50, 60, depth))
    before = output_digest(path)
    with pytest.raises(ValueError, match="end after 49 of 50 rows"):
        write_picture(path, name, (50, 60), depth, [noise_samples(49, 60, depth)], LABELS)
    assert output_digest(path) == before


@pytest.mark.parametrize(("name", "depth"), ALL)
def test_an_earlier_output_is_replaced(tmp_path: Path, name: str, depth: int) -> None:
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    _write(tmp_path / "a", name, noise_samples(300, 600, depth))
    again = _write(tmp_path / "a", name, gradient_samples(50, 60, depth))
    assert output_digest(again) == output_digest(
        _write(fresh / "a", name, gradient_samples(50, 60, depth))
    )
    assert not [left for left in tmp_path.iterdir() if left.name.startswith(".")]


WRONG = {
    "too few rows": (noise_samples(9, 10), "end after 9 of 10"),
    "too many rows": (noise_samples(11, 10), "more than the picture's 10 rows"),
    "too narrow": (noise_samples(10, 9), "is not"),
    "another depth": (noise_samples(10, 10, depth=16), "is not"),
    "no colours": (noise_samples(10, 10)[..., 0], "is not"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bands_must_match_the_size(tmp_path: Path, case: str) -> None:
    band, reason = WRONG[case]
    with pytest.raises(ValueError, match=reason):
        write_picture(tmp_path / "a.png", "png", (10, 10), 8, [band], LABELS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", STREAMED)
def test_a_missing_folder_is_an_error_in_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / "nowhere" / f"a{FORMATS[name].suffix}"
    with pytest.raises(OutputError, match="cannot be written: No such file") as caught:
        write_picture(path, name, (9, 9), 8, [noise_samples(9, 9)], LABELS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", FORMATS)
def test_invalid_outputs_are_refused_before_the_first_band(tmp_path: Path, name: str) -> None:
    def bands() -> Iterator[np.ndarray]:
        raise AssertionError("asked for a band")
        yield

    path = tmp_path / f"a{FORMATS[name].suffix}"
    with pytest.raises(OutputError, match="12 bits"):
        write_picture(path, name, (9, 9), 12, bands(), LABELS)


FULL_DISK = """
import resource, sys
from pathlib import Path
from render.errors import OutputError
from render.pictures.output_format import Labels
from render.pictures.write import write_picture
from tests.support.picture_files import noise_samples

def bands():
    for number in range(600):
        if number == 300:
            sys.exit("went on rendering for a disk that was full")
        yield noise_samples(100, 2000)

resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    write_picture(Path(sys.argv[1]), sys.argv[2], (60_000, 2000), 8, bands(), Labels(None, "{}"))
except OutputError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("name", STREAMED)
def test_a_full_disk_is_an_error_in_one_line(tmp_path: Path, project: Path, name: str) -> None:
    path = tmp_path / f"a{FORMATS[name].suffix}"
    command = [sys.executable, "-c", FULL_DISK, str(path), name]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=project, timeout=60, check=False
    )
    assert done.returncode == 1, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"{path}: writing failed ("), done.stderr
    assert "free space" in last
    assert list(tmp_path.iterdir()) == []


def test_pngs_hold_no_more_than_they_need(tmp_path: Path) -> None:
    picture = gradient_samples(500, 500)
    path = _write(tmp_path / "a", "png", picture)
    assert path.stat().st_size < len(zlib.compress(picture.tobytes(), 6))


def test_identities_are_printable_ascii() -> None:
    for identity in ("späte Wolken", "two\nlines"):
        with pytest.raises(ValueError, match="printable ASCII"):
            Labels(None, identity)
    with pytest.raises(ValueError, match="dpi"):
        Labels(0.0, "{}")

"""The settings of encoders: compressions of a TIFF, chroma and quality of a JPEG."""

import os
from pathlib import Path

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image

from render.pictures.encoding import Chroma, Compression, Encoding
from render.pictures.output_format import FORMATS, Labels
from render.pictures.write import output_digest, write_picture
from tests.support.picture_files import gradient_samples, noise_samples

LABELS = Labels(300.0, '{"job": "sky-1f3a", "pixels": 1}')


def _write(
    path: Path, name: str, picture: np.ndarray, encoding: Encoding, rows: int = 64, threads: int = 1
) -> Path:
    path = path.with_name(path.name + FORMATS[name].suffix)
    bands = (picture[y : y + rows] for y in range(0, len(picture), rows))
    depth = picture.itemsize * 8
    write_picture(path, name, picture.shape[:2], depth, bands, LABELS, threads, encoding)
    return path


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(
    ("compression", "tag", "predictor"),
    [
        ("none", tifffile.COMPRESSION.NONE, tifffile.PREDICTOR.NONE),
        ("lzw", tifffile.COMPRESSION.LZW, tifffile.PREDICTOR.HORIZONTAL),
        ("deflate", tifffile.COMPRESSION.ADOBE_DEFLATE, tifffile.PREDICTOR.HORIZONTAL),
    ],
)
def test_a_tiff_has_the_compression_that_is_asked_for(
    tmp_path: Path, compression: Compression, tag: int, predictor: int, depth: int
) -> None:
    picture = noise_samples(300, 401, depth)
    path = _write(tmp_path / "a", "tiff", picture, Encoding(compression=compression))
    with tifffile.TiffFile(path) as file:
        assert file.pages[0].compression == tag
        assert file.pages[0].predictor == predictor
    np.testing.assert_array_equal(pyvips.Image.new_from_file(str(path)).numpy(), picture)
    half = pyvips.Image.new_from_file(str(path), subifd=0)
    assert (half.width, half.height) == (200, 150)


def test_compressions_shrink_what_repeats(tmp_path: Path) -> None:
    picture = np.full((512, 512, 3), 77, np.uint8)
    none, lzw, deflate = (
        _write(tmp_path / name, "tiff", picture, Encoding(compression=name)).stat().st_size
        for name in ("none", "lzw", "deflate")
    )
    assert none > 786_432
    assert lzw < none / 20
    assert deflate < none / 20


SETTINGS = {
    "tiff by lzw": ("tiff", Encoding(compression="lzw")),
    "tiff without": ("tiff", Encoding(compression="none")),
    "jpeg 4:2:0": ("jpeg", Encoding(chroma="4:2:0")),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_bytes_do_not_depend_on_bands_or_threads(tmp_path: Path, case: str) -> None:
    name, encoding = SETTINGS[case]
    picture = noise_samples(530, 1300)
    digests = {
        output_digest(_write(tmp_path / str(rows), name, picture, encoding, rows, threads))
        for rows, threads in [(1, 1), (64, 2), (530, os.cpu_count() or 4)]
    }
    assert len(digests) == 1


@pytest.mark.parametrize(("chroma", "factor"), [("4:4:4", 1), ("4:2:0", 2)])
@pytest.mark.parametrize("size", [(530, 1300), (129, 33), (5, 3)])
def test_a_jpeg_keeps_the_chroma_that_is_asked_for(
    tmp_path: Path, chroma: Chroma, factor: int, size: tuple[int, int]
) -> None:
    picture = gradient_samples(*size)
    path = _write(tmp_path / "a", "jpeg", picture, Encoding(chroma=chroma))
    with Image.open(path) as image:
        assert image.size == size[::-1]
        assert image.layer[0][1:3] == (factor, factor)  # type: ignore[attr-defined]
        difference = np.abs(np.asarray(image) - picture.astype(int))
    # At the small size, neighbours differ much.
    assert difference.mean() < (1.2 if size != (5, 3) else 20)


def test_a_jpeg_of_strips_is_that_of_the_whole(tmp_path: Path) -> None:
    picture = gradient_samples(600, 1300)
    path = _write(tmp_path / "a", "jpeg", picture, Encoding(chroma="4:2:0", quality=80))
    whole = pyvips.Image.new_from_array(picture).jpegsave_buffer(Q=80, subsample_mode="on")
    np.testing.assert_array_equal(
        pyvips.Image.new_from_file(str(path)).numpy(), pyvips.Image.jpegload_buffer(whole).numpy()
    )


def test_a_lower_quality_is_smaller(tmp_path: Path) -> None:
    low, usual, best = (
        _write(
            tmp_path / str(quality), "jpeg", gradient_samples(200, 300), Encoding(quality=quality)
        )
        .stat()
        .st_size
        for quality in (20, None, 100)
    )
    assert low < usual < best

"""CIELAB of TIFFs comes out as LittleCMS converts it without tables of its own."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from render.errors import PictureError
from render.pictures.decode import open_picture
from tests.support.picture_files import read_samples

SIGN = np.array([0, 128, 128], np.uint8)
"""Turns a* and b* with a sign into a* and b* with an offset, and back."""

LAYOUTS: list[dict[str, Any]] = [
    {},
    {"byteorder": ">", "bigtiff": True},
    {"tile": (16, 16), "compression": "deflate"},
    {"byteorder": ">", "rowsperstrip": 5},
]


def lab_samples() -> np.ndarray:
    """Colours (40, 40, 3) of L* from 0 to 255, and a* and b* with a sign; many are not in sRGB."""
    draw = np.random.default_rng(5)
    samples = draw.integers(0, 256, (40, 40, 3))
    samples[0, :3] = [[0, 0, 0], [255, 0, 0], [128, 0, 0]]
    return samples.astype(np.uint8)


def by_littlecms(lab: np.ndarray) -> np.ndarray:
    """The sRGB of CIELAB as in `lab_samples`."""
    transform = ImageCms.buildTransform(
        ImageCms.createProfile("LAB", 5000),
        ImageCms.createProfile("sRGB"),
        "LAB",
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.NOOPTIMIZE,
    )
    image = Image.frombytes("LAB", (lab.shape[1], lab.shape[0]), lab.tobytes())
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None
    return np.asarray(converted)


def wide(lab: np.ndarray, kind: str) -> np.ndarray:
    """The same colours as samples of 16 bits."""
    if kind == "icclab":
        return (lab ^ SIGN).astype(np.uint16) * 256
    lightness = lab[..., :1].astype(np.uint16) * 257
    return np.concatenate([lightness, lab[..., 1:].astype(np.uint16) * 256], axis=-1)


def write(path: Path, samples: np.ndarray, kind: str, **options: Any) -> Path:
    tifffile.imwrite(
        path, samples, photometric=kind, planarconfig="contig", metadata=None, **options
    )
    return path


@pytest.mark.parametrize("kind", ["cielab", "icclab"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_colours_are_those_of_littlecms(tmp_path: Path, kind: str, layout: dict[str, Any]) -> None:
    lab = lab_samples()
    stored = lab if kind == "cielab" else lab ^ SIGN
    path = write(tmp_path / "a.tif", stored, kind, **layout)
    assert open_picture(path).depth == 8
    assert np.abs(read_samples(path).astype(int) - by_littlecms(lab)).max() <= 1
    path = write(tmp_path / "b.tif", wide(lab, kind), kind, **layout)
    assert open_picture(path).depth == 16
    assert np.abs(read_samples(path) / 257 - by_littlecms(lab)).max() < 1


def test_transparency_and_other_channels(tmp_path: Path) -> None:
    lab = lab_samples()
    alpha = np.full_like(lab[..., :1], 255)
    alpha[20:] = 0
    four = np.concatenate([lab, alpha], axis=-1)
    clear = read_samples(write(tmp_path / "a.tif", four, "cielab", extrasamples=["unassalpha"]))
    plain = read_samples(write(tmp_path / "b.tif", lab, "cielab"))
    np.testing.assert_array_equal(clear[:20], plain[:20])
    assert (clear[20:] == 255).all()
    path = write(tmp_path / "c.tif", four, "cielab", extrasamples=["unspecified"])
    np.testing.assert_array_equal(read_samples(path), plain)


def test_only_the_chosen_page_is_cielab(tmp_path: Path) -> None:
    lab = lab_samples()
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        for kind in ("rgb", "cielab"):
            file.write(lab, photometric=kind, metadata=None)
    np.testing.assert_array_equal(read_samples(path), lab)
    second = np.concatenate(list(open_picture(path, page=2).bands(7)))
    assert np.abs(second.astype(int) - by_littlecms(lab)).max() <= 1


@pytest.mark.parametrize("dtype", ["float32", "uint32"])
def test_other_samples_are_refused(tmp_path: Path, dtype: str) -> None:
    path = write(tmp_path / "a.tif", lab_samples().astype(dtype), "cielab")
    with pytest.raises(PictureError, match=r"32-bit.* samples: export it with 8 or 16"):
        open_picture(path)


def test_lightness_alone_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", lab_samples(), "cielab")
    content = path.read_bytes()
    entry = content.index(b"\x15\x01\x03\0\x01\0\0\0\x03\0")
    path.write_bytes(content[: entry + 8] + b"\1\0" + content[entry + 10 :])
    with pytest.raises(PictureError, match="holds"):
        open_picture(path)

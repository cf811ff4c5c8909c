"""Thumbnails: colours, sizes, and files that are not pictures."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from jobs.dataset.thumbnail import thumbnail
from tests.support.picture_files import rgb_profile

GREY = (128, 128, 128)

SRGB = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)  # IEC 61966-2-1, to XYZ
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def saved(image: Image.Image, form: str, **how: Any) -> bytes:
    content = BytesIO()
    image.save(content, form, **how)
    return content.getvalue()


def small(content: bytes, side: int = 20) -> Image.Image:
    found = thumbnail(content, side, GREY)
    assert found is not None
    return found


def middle(content: bytes) -> tuple[int, ...]:
    """The colour in the middle of a thumbnail."""
    found = small(content)
    colour = found.getpixel((found.width // 2, found.height // 2))
    assert isinstance(colour, tuple)
    return tuple(int(level) for level in colour)


def plain(mode: str, colour: Any, form: str = "PNG") -> bytes:
    return saved(Image.new(mode, (40, 40), colour), form)


def palette(*, transparent: bool = False) -> bytes:
    image = Image.new("P", (40, 40), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    return saved(image, "PNG", transparency=1) if transparent else saved(image, "PNG")


def grey16(level: int, form: str) -> bytes:
    return saved(Image.fromarray(np.full((40, 40), level, np.uint16)), form)


@pytest.mark.parametrize(
    ("content", "colour"),
    [
        (plain("RGB", (200, 100, 50)), (200, 100, 50)),
        (plain("RGB", (200, 100, 50), "WEBP"), (200, 100, 50)),
        (plain("L", 77), (77, 77, 77)),
        (plain("1", 1), (255, 255, 255)),
        (plain("LA", (77, 255)), (77, 77, 77)),
        (plain("RGBA", (200, 100, 50, 0)), GREY),
        (plain("RGBA", (0, 0, 0, 128)), (64, 64, 64)),
        (palette(), (200, 100, 50)),
        (palette(transparent=True), GREY),
        (grey16(100 * 257, "PNG"), (100, 100, 100)),
        (grey16(100 * 257, "TIFF"), (100, 100, 100)),
        (plain("CMYK", (0, 0, 0, 255), "TIFF"), (0, 0, 0)),
        (plain("CMYK", (255, 0, 0, 0), "JPEG"), (0, 255, 255)),
    ],
)
def test_each_pixel_format_keeps_its_colour(content: bytes, colour: tuple[int, ...]) -> None:
    assert np.allclose(middle(content), colour, atol=4)


@pytest.mark.parametrize("mode", ["1", "P", "L"])
def test_fine_patterns_are_averaged(mode: str) -> None:
    board = np.indices((400, 400)).sum(axis=0) % 2 * 255
    found = small(saved(Image.fromarray(board.astype(np.uint8)).convert(mode), "PNG"))

    assert np.all(np.abs(np.asarray(found, int) - 127) < 10)


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_samples_without_a_fixed_range_are_scaled_to_their_own_range(dtype: type) -> None:
    samples: np.ndarray = np.linspace(-1000, 5000, 1600).reshape(40, 40).astype(dtype)
    found = np.asarray(small(saved(Image.fromarray(samples), "TIFF")))

    assert found[0, 0, 0] < 10
    assert found[-1, -1, 0] > 245
    assert np.all(np.diff(found.mean(axis=1)[:, 0]) > 0)


def test_a_profile_is_used_if_it_fits_the_samples() -> None:
    image = Image.new("RGB", (40, 40), (200, 100, 50))
    red_is_blue = rgb_profile(SRGB[:, ::-1], SRGB_CURVE)
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()

    turned = middle(saved(image, "PNG", icc_profile=red_is_blue))
    assert np.allclose(turned, (50, 100, 200), atol=4)
    for other_profile in (lab, b"no profile"):
        content = saved(image, "PNG", icc_profile=other_profile)
        assert np.allclose(middle(content), (200, 100, 50), atol=4)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 60))
def test_a_picture_fills_the_box_and_keeps_its_aspect_ratio(
    width: int, height: int, side: int
) -> None:
    found = small(saved(Image.new("RGB", (width, height)), "PNG"), side)

    assert max(found.size) == side
    ratio = min(width, height) / max(width, height)
    assert abs(min(found.size) - max(1, ratio * side)) <= 1


def test_a_picture_is_turned_upright() -> None:
    image = Image.new("RGB", (40, 20), (255, 0, 0))
    image.paste((0, 0, 255), (0, 0, 20, 20))
    turned = Image.Exif()
    turned[0x0112] = 6  # the first row is on the right
    found = small(saved(image, "JPEG", exif=turned, quality=95))

    assert found.size == (10, 20)
    levels = np.asarray(found, int)
    assert np.allclose(levels[:8], (0, 0, 255), atol=40)
    assert np.allclose(levels[12:], (255, 0, 0), atol=40)


@pytest.mark.parametrize("limit", [1599, 799])
def test_more_pixels_than_pillow_allows_are_not_decoded(
    monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    content = plain("L", 0)
    assert thumbnail(content, 20, GREY) is not None

    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    assert thumbnail(content, 20, GREY) is None


def test_a_file_that_is_not_a_picture_gives_none(tmp_path: Path) -> None:
    ghost = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n"

    for content in (b"", b"text", ghost, plain("L", 0, "BMP"), plain("L", 0)[:50]):
        assert thumbnail(content, 20, GREY) is None
    assert thumbnail(tmp_path / "gone.png", 20, GREY) is None
    assert thumbnail(tmp_path, 20, GREY) is None


def test_a_file_and_its_bytes_give_the_same_thumbnail(tmp_path: Path) -> None:
    content = plain("RGB", (1, 2, 3))
    path = tmp_path / "a.png"
    path.write_bytes(content)

    found = thumbnail(path, 20, GREY)
    assert found is not None
    assert found.tobytes() == small(content).tobytes()


FORMS: list[Callable[[], bytes]] = [
    lambda: saved(Image.new("RGB", (9, 9), (200, 100, 50)), "JPEG"),
    lambda: saved(Image.new("RGB", (9, 9), (200, 100, 50)), "WEBP"),
    lambda: saved(Image.new("RGBA", (9, 9), (200, 100, 50, 9)), "PNG"),
    lambda: saved(Image.new("RGB", (9, 9), (200, 100, 50)), "TIFF"),
    palette,
]


@given(
    st.sampled_from(FORMS),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=4),
    st.floats(0, 1),
)
def test_a_damaged_file_never_raises(
    form: Callable[[], bytes], changes: list[tuple[float, int]], kept: float
) -> None:
    content = bytearray(form())
    for place, byte in changes:
        content[int(place * len(content))] = byte
    found = thumbnail(bytes(content[: int(kept * len(content)) + 1]), 20, GREY)

    assert found is None or max(found.size) == 20


@pytest.mark.parametrize("form", ["HEIF", "AVIF"])
def test_heic_and_avif_have_thumbnails(form: str) -> None:
    pillow_heif.register_heif_opener()
    grey = Image.new("RGB", (64, 32), (90, 90, 90))
    made = small(saved(grey, form, quality=100))
    assert made.size == (20, 10)
    assert max(abs(one - 90) for one in middle(saved(grey, form, quality=100))) <= 2

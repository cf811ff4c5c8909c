"""CMYK by a profile: the values of LittleCMS, files that say what they are, proofs, refusals."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image, ImageCms

from render.errors import OutputError
from render.pictures.colour_profile import srgb_profile
from render.pictures.encoding import Encoding, Intent
from render.pictures.ink import (
    MAX_PROFILE_BYTES,
    Gamut,
    Press,
    check_profile,
    ink_bands,
    proof_bands,
)
from render.pictures.output_format import Labels
from render.pictures.write import output_digest, write_picture
from tests.support.picture_files import gradient_samples, noise_samples, rgb_profile

LABELS = Labels(300.0, '{"job": "sky-1f3a"}')

INTENTS: dict[Intent, ImageCms.Intent] = {
    "perceptual": ImageCms.Intent.PERCEPTUAL,
    "relative": ImageCms.Intent.RELATIVE_COLORIMETRIC,
    "saturation": ImageCms.Intent.SATURATION,
    "absolute": ImageCms.Intent.ABSOLUTE_COLORIMETRIC,
}


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop's profile: that of libvips, as a file."""
    path = tmp_path_factory.mktemp("shop") / "shop.icc"
    path.write_bytes(Press(None).content())
    return path


def _littlecms(samples: np.ndarray, profile: Path, intent: Intent, black_point: bool) -> np.ndarray:
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION if black_point else ImageCms.Flags.NONE
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile())),
        str(profile),
        "RGB",
        "CMYK",
        INTENTS[intent],
        flags,
    )
    converted = ImageCms.applyTransform(Image.fromarray(samples), transform)
    assert converted is not None
    return np.asarray(converted)


@pytest.mark.parametrize("black_point", [True, False])
@pytest.mark.parametrize("intent", INTENTS)
def test_values_are_those_of_littlecms(profile: Path, intent: Intent, black_point: bool) -> None:
    samples = noise_samples(100, 130)
    press = Press(profile, intent, black_point)
    expected = _littlecms(samples, profile, intent, black_point)
    np.testing.assert_array_equal(press.inks(samples), expected)


def test_the_builtin_profile_is_the_same(profile: Path) -> None:
    samples = noise_samples(40, 50)
    np.testing.assert_array_equal(Press(None).inks(samples), Press(profile).inks(samples))
    assert Press(profile).content() == Press(None).content()


def test_16_bits_are_finer_values_of_the_same_inks(profile: Path) -> None:
    samples = gradient_samples(60, 70)
    fine = Press(profile).inks(samples.astype(np.uint16) * 257)
    assert fine.dtype == np.uint16
    assert len(np.unique(fine)) > 1000
    assert np.abs(fine / 257 - Press(profile).inks(samples)).max() < 3


def _write(
    path: Path, profile: Path, samples: np.ndarray, rows: int = 50, threads: int = 1
) -> Path:
    press, name = Press(profile), "tiff" if path.suffix == ".tif" else "jpeg"
    bands = ink_bands(press, (samples[y : y + rows] for y in range(0, len(samples), rows)), threads)
    depth, encoding = samples.itemsize * 8, Encoding(profile=press.content())
    digest = write_picture(path, name, samples.shape[:2], depth, bands, LABELS, threads, encoding)
    assert digest == output_digest(path)
    return path


@pytest.mark.parametrize("depth", [8, 16])
def test_a_tiff_holds_the_inks_and_the_profile(tmp_path: Path, profile: Path, depth: int) -> None:
    samples = gradient_samples(300, 401, depth)
    path = _write(tmp_path / "a.tif", profile, samples)
    inks = Press(profile).inks(samples)
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert page.photometric == tifffile.PHOTOMETRIC.SEPARATED
        assert page.tags["InkSet"].value == 1
        assert page.iccprofile == profile.read_bytes()
        assert page.description == LABELS.identity
        np.testing.assert_array_equal(page.asarray(), inks)
        assert [level.shape for level in file.series[0].levels] == [(300, 401, 4), (150, 200, 4)]
    read = pyvips.Image.new_from_file(str(path))
    assert read.interpretation == "cmyk"
    np.testing.assert_array_equal(read.numpy(), inks)


def test_a_jpeg_holds_the_inks_and_the_profile(tmp_path: Path, profile: Path) -> None:
    samples = gradient_samples(300, 401)
    path = _write(tmp_path / "a.jpg", profile, samples)
    inks = Press(profile).inks(samples)
    with Image.open(path) as image:
        assert image.mode == "CMYK"
        assert image.info["icc_profile"] == profile.read_bytes()
        assert image.getexif()[0x010E] == LABELS.identity
        assert image.info["dpi"] == (300, 300)
        # Programs other than Pillow need it to know how the inks are stored.
        assert image.info["adobe_transform"] == 0
        assert "jfif" not in image.info
        assert np.abs(np.asarray(image) - inks.astype(int)).mean() < 1.5
    read = pyvips.Image.new_from_file(str(path))
    assert read.interpretation == "cmyk"
    assert np.abs(read.numpy() - inks.astype(int)).mean() < 1.5


@pytest.mark.parametrize("suffix", [".tif", ".jpg"])
def test_bytes_do_not_depend_on_bands_or_threads(
    tmp_path: Path, profile: Path, suffix: str
) -> None:
    samples = gradient_samples(300, 401)
    digests = {
        output_digest(_write(tmp_path / f"{rows}{suffix}", profile, samples, rows, threads))
        for rows, threads in [(37, 1), (64, 2), (300, 8)]
    }
    assert len(digests) == 1


def test_a_proof_shows_what_the_inks_give(profile: Path) -> None:
    samples = gradient_samples(80, 90)
    shown = Press(profile).shown(samples)
    inks = pyvips.Image.new_from_array(Press(profile).inks(samples)).copy(interpretation="cmyk")
    expected = inks.icc_transform(
        "srgb", input_profile=str(profile), intent="relative", black_point_compensation=True
    ).numpy()
    np.testing.assert_array_equal(shown, expected)


def test_a_proof_counts_what_a_press_cannot_print(profile: Path) -> None:
    samples = np.empty((30, 20, 3), np.uint8)
    samples[:10] = (0, 255, 0)
    samples[10:] = (150, 130, 120)
    gamut = Gamut()
    bands = list(proof_bands(Press(profile), (samples[y : y + 7] for y in range(0, 30, 7)), gamut))
    np.testing.assert_array_equal(np.concatenate(bands), Press(profile).shown(samples))
    assert (gamut.missed, gamut.pixels) == (200, 600), "pure green is out, a brown is not"
    assert gamut.share_missed == pytest.approx(1 / 3)


def test_the_count_is_that_of_distances_in_cielab(profile: Path) -> None:
    samples = noise_samples(60, 70)
    lab = _to_lab(samples, io.BytesIO(srgb_profile()), "RGB")
    printed = _to_lab(_littlecms(samples, profile, "relative", False), str(profile), "CMYK")
    distances = np.sqrt(((lab - printed) ** 2).sum(axis=-1))
    # Pillow's CIELAB has 8 bits a value.
    certain = np.abs(distances - 5) > 1.5
    assert certain.mean() > 0.7
    chosen = samples[certain][None]
    assert Press(profile).missed(chosen) == np.count_nonzero(distances[certain] > 5) > 0


def _to_lab(samples: np.ndarray, profile: object, mode: str) -> np.ndarray:
    source = ImageCms.ImageCmsProfile(profile)  # type: ignore[arg-type]
    transform = ImageCms.buildTransform(
        source, ImageCms.createProfile("LAB"), mode, "LAB", ImageCms.Intent.RELATIVE_COLORIMETRIC
    )
    converted = ImageCms.applyTransform(Image.fromarray(samples, mode), transform)
    assert converted is not None
    values = np.asarray(converted)
    return np.dstack([values[..., 0] * (100 / 255), values[..., 1:].view(np.int8)]).astype(float)


def test_a_profile_is_checked(profile: Path) -> None:
    check_profile(profile)


def _damaged(content: bytes) -> bytes:
    """The profile with tags that begin beyond its end."""
    count = struct.unpack_from(">I", content, 128)[0]
    broken = bytearray(content)
    for number in range(count):
        struct.pack_into(">I", broken, 132 + 12 * number + 4, 0x7FFF_FFF0)
    return bytes(broken)


REFUSED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "nothing": (lambda _: b"", "is not an ICC profile"),
    "a text": (lambda _: b"shop" * 100, "is not an ICC profile"),
    "a screen": (lambda _: rgb_profile(np.eye(3), (2.2,)), "is a profile for RGB"),
    "cut off": (lambda content: content[:3000], "is damaged"),
    "damaged": (_damaged, "is damaged"),
    "huge": (lambda content: content + bytes(MAX_PROFILE_BYTES), "has at most 32 MiB"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_other_files_are_refused_in_one_line(tmp_path: Path, profile: Path, case: str) -> None:
    change, reason = REFUSED[case]
    path = tmp_path / "shop.icc"
    path.write_bytes(change(profile.read_bytes()))
    with pytest.raises(OutputError, match=reason) as caught:
        check_profile(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_missing_profile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"shop\.icc: "):
        check_profile(tmp_path / "shop.icc")

"""A page of a TIFF is read in right colours, or refused for what it is."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from render.errors import PictureError
from render.pictures import tiff_page
from render.pictures.decode import open_picture
from render.pictures.tiff_page import choose_tiff_page
from tests.support.picture_files import gradient_samples, noise_samples, read_samples

UNSPECIFIED, ASSOCIATED, UNASSOCIATED = 0, 1, 2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.tif"


def write(path: Path, samples: np.ndarray, **options: Any) -> Path:
    tifffile.imwrite(path, samples, metadata=None, **options)
    return path


def tiff(*tags: tuple[int, int], samples: bytes = b"\x80" * 64) -> bytes:
    """A TIFF of 8 x 8 grey pixels; `tags` replace or add entries."""
    usual = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 277: 1, 278: 8, 279: len(samples)}
    entries = usual | dict(tags)
    entries[273] = 8 + 2 + 12 * (len(entries) + 1) + 4
    directory = b"".join(
        struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries.items())
    )
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4) + samples


def channels(depth: int, count: int) -> np.ndarray:
    """Noise of so many channels."""
    wide = noise_samples(12, 10 * count, depth)[..., 0]
    return np.ascontiguousarray(wide.reshape(12, 10, count))


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("extra", [[UNSPECIFIED], [UNSPECIFIED] * 3])
def test_channels_that_no_file_calls_transparency_are_left_out(
    path: Path, depth: int, extra: list[int]
) -> None:
    samples = channels(depth, 3 + len(extra))
    write(path, samples, photometric="rgb", extrasamples=extra, planarconfig="contig")
    np.testing.assert_array_equal(read_samples(path), samples[..., :3])
    (note,) = open_picture(path).notes
    assert f"{len(extra)} of its {3 + len(extra)} channels" in note


@pytest.mark.parametrize("layout", [{"planarconfig": "separate"}, {"tile": (16, 16)}])
def test_the_layout_of_channels_does_not_matter(path: Path, layout: dict[str, Any]) -> None:
    samples = channels(8, 4)
    stored = samples.transpose(2, 0, 1) if "planarconfig" in layout else samples
    write(path, stored, photometric="rgb", extrasamples=[UNSPECIFIED], **layout)
    np.testing.assert_array_equal(read_samples(path), samples[..., :3])


def test_a_fourth_channel_without_a_word_is_left_out(path: Path) -> None:
    samples = channels(8, 4)
    content = tiff((256, 10), (257, 12), (262, 2), (277, 4), (278, 12), samples=samples.tobytes())
    path.write_bytes(content)
    np.testing.assert_array_equal(read_samples(path), samples[..., :3])


def test_a_selection_saved_beside_grey_or_cmyk_is_left_out(path: Path) -> None:
    grey = channels(8, 2)
    write(path, grey, photometric="minisblack", extrasamples=[0], planarconfig="contig")
    np.testing.assert_array_equal(read_samples(path)[..., 0], grey[..., 0])
    cmyk = channels(8, 5)
    write(path, cmyk, photometric="separated", extrasamples=[0], planarconfig="contig")
    plain = write(path.with_name("plain.tif"), cmyk[..., :4].copy(), photometric="separated")
    np.testing.assert_array_equal(read_samples(path), read_samples(plain))


def test_transparency_is_found_behind_another_channel(path: Path) -> None:
    samples = channels(8, 5)
    samples[:6, :, 4], samples[6:, :, 4] = 255, 0
    extra = [UNSPECIFIED, UNASSOCIATED]
    write(path, samples, photometric="rgb", extrasamples=extra, planarconfig="contig")
    seen = read_samples(path)
    np.testing.assert_array_equal(seen[:6], samples[:6, :, :3])
    assert (seen[6:] == 255).all()


def test_premultiplied_colours_are_composited_once(path: Path) -> None:
    samples = np.full((4, 4, 4), [100, 50, 0, 128], np.uint8)
    write(path, samples, photometric="rgb", extrasamples=[ASSOCIATED])
    np.testing.assert_allclose(read_samples(path)[0, 0], [227, 177, 127], atol=1)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "cielab": ({"dtype": "float32", "photometric": "cielab"}, "32-bit float samples"),
    "grey of three": ({"dtype": "uint16", "photometric": "minisblack"}, "holds 3 channels: "),
    "half": ({"dtype": "float16", "photometric": "rgb"}, "16-bit float samples: .* 8 or 16"),
    "float": ({"dtype": "float32", "photometric": "rgb"}, "32-bit float samples"),
    "double": ({"dtype": "float64", "photometric": "rgb"}, "64-bit float samples"),
    "signed": ({"dtype": "int16", "photometric": "rgb"}, "16-bit signed samples"),
    "long": ({"dtype": "uint32", "photometric": "rgb"}, "32-bit samples: export it with 8 or 16"),
    "complex": ({"dtype": "complex64", "photometric": "rgb"}, "64-bit complex samples"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_pages_are_refused_for_what_they_are(path: Path, name: str) -> None:
    options, reason = REFUSED[name]
    samples = noise_samples(8, 8).astype(options["dtype"])
    write(path, samples, photometric=options["photometric"], planarconfig="contig")
    with pytest.raises(PictureError, match=reason) as refused:
        open_picture(path)
    assert "damaged" not in str(refused.value)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ([(258, 12)], "12-bit samples: export it with 8 or 16 bits"),
        ([(258, 10), (262, 2), (277, 3)], "10-bit samples"),
        ([(258, 4), (262, 2), (277, 3)], "4-bit samples"),
        ([(277, 4)], "holds 4 channels: export it as grey, RGB or CMYK"),
        ([(262, 2), (277, 2)], "holds 2 channels"),
        ([(262, 5), (277, 4), (332, 2)], "inks other than CMYK"),
        ([(262, 5), (277, 6), (334, 6)], "inks other than CMYK"),
        ([(262, 6), (277, 3)], "YCbCr without JPEG compression"),
        ([(262, 4)], "is a transparency mask"),
        ([(262, 32845), (277, 3)], "LogLuv"),
        ([(262, 10), (277, 3)], "ITULAB"),
        ([(262, 8)], "holds 1 channel: "),
        ([(259, 50000)], "compressed with ZSTD, which cannot be read here: save it with LZW"),
        ([(259, 34887)], "compressed with LERC"),
        ([(259, 34712)], "compressed with JPEG 2000"),
        ([(259, 50002)], "compressed with JPEG XL"),
        ([(259, 34661)], "compressed with JBIG"),
        ([(259, 6)], "compressed with old-style JPEG"),
        ([(259, 4321)], r"compressed with an unknown method \(4321\)"),
    ],
)
def test_headers_are_refused_for_what_they_say(
    path: Path, tags: list[tuple[int, int]], reason: str
) -> None:
    path.write_bytes(tiff(*tags))
    with pytest.raises(PictureError, match=reason):
        open_picture(path)


def test_a_compression_is_readable_if_libtiff_has_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiff_page, "can_decompress", lambda compression: compression == 1)
    path.write_bytes(tiff((259, 5)))
    with pytest.raises(PictureError, match="cannot be read here"):
        choose_tiff_page(path)
    path.write_bytes(tiff())
    assert choose_tiff_page(path).number == 1


@pytest.mark.parametrize("compression", ["jpeg", "tiff_lzw", "packbits", "tiff_adobe_deflate"])
def test_usual_compressions_are_read(path: Path, compression: str) -> None:
    samples = gradient_samples(24, 24)
    quality: dict[str, Any] = {"quality": 95} if compression == "jpeg" else {}
    Image.fromarray(samples).save(path, compression=compression, **quality)
    assert np.abs(read_samples(path).astype(int) - samples).mean() < 3


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_of_grey_are_read(path: Path, bits: int) -> None:
    path.write_bytes(tiff((258, bits), samples=bytes(4 * bits) + b"\xff" * 4 * bits))
    assert (read_samples(path)[:4] == 0).all()
    assert (read_samples(path)[4:] == 255).all()


def test_only_the_chosen_page_is_checked(path: Path) -> None:
    with tifffile.TiffWriter(path) as file:
        file.write(np.zeros((8, 8), np.float32), photometric="minisblack", metadata=None)
        file.write(noise_samples(8, 8), photometric="rgb", metadata=None)
    with pytest.raises(PictureError, match="float samples"):
        open_picture(path)
    assert open_picture(path, page=2).depth == 8

"""WebP, AVIF and JPEG XL: near pixels, metadata, bytes of any number of threads, and refusals."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms

from render.errors import OutputError
from render.pictures import vips
from render.pictures.encoding import Chroma, Encoding
from render.pictures.output_format import FORMATS, Labels, check_output
from render.pictures.write import output_digest, write_picture
from tests.support.picture_files import gradient_samples

LABELS = Labels(300.0, '{"job": "sky-1f3a", "pixels": 1}')

WRITTEN = ["webp", "avif"]
"""JPEG XL is not in the libvips that is installed with the project."""


def _write(path: Path, name: str, encoding: Encoding, labels: Labels = LABELS) -> Path:
    path = path.with_name(path.name + FORMATS[name].suffix)
    picture = gradient_samples(300, 401)
    bands = (picture[y : y + 70] for y in range(0, 300, 70))
    digest = write_picture(path, name, (300, 401), 8, bands, labels, encoding=encoding)
    assert digest == output_digest(path)
    return path


@pytest.mark.parametrize("name", WRITTEN)
def test_pixels_are_near_and_labelled(tmp_path: Path, name: str) -> None:
    with Image.open(_write(tmp_path / "a", name, Encoding())) as image:
        difference = np.abs(
            np.asarray(image.convert("RGB")) - gradient_samples(300, 401).astype(int)
        )
        assert difference.mean() < 2
        exif, profile = image.getexif(), io.BytesIO(image.info["icc_profile"])
    assert exif[0x010E] == LABELS.identity
    assert (exif[0x011A], exif[0x011B], exif[0x0128]) == (300, 300, 2)
    assert "sRGB" in ImageCms.getProfileName(ImageCms.ImageCmsProfile(profile))


@pytest.mark.parametrize("name", WRITTEN)
def test_an_identity_that_exif_cannot_hold_is_xmp(tmp_path: Path, name: str) -> None:
    identity = '{"look": "' + "<&>" * 30_000 + '"}'
    path = _write(tmp_path / "a", name, Encoding(), Labels(None, identity))
    packet: bytes = pyvips.Image.new_from_file(str(path)).get("xmp-data")
    text = packet.decode().partition('xml:lang="x-default">')[2].partition("</rdf:li>")[0]
    assert (
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
        == identity
    )


@pytest.mark.parametrize("name", WRITTEN)
def test_a_lower_quality_is_smaller(tmp_path: Path, name: str) -> None:
    low, usual, high = (
        _write(tmp_path / str(quality), name, Encoding(quality=quality)).stat().st_size
        for quality in (30, None, 98)
    )
    assert low < usual < high


@pytest.mark.parametrize(("chroma", "halved"), [("4:4:4", False), ("4:2:0", True)])
def test_avif_keeps_the_chroma_that_is_asked_for(
    tmp_path: Path, chroma: Chroma, halved: bool
) -> None:
    content = _write(tmp_path / "a", "avif", Encoding(chroma=chroma)).read_bytes()
    # Of the AV1 configuration (AV1-ISOBMFF, 2.3.3): flags of subsampling in x and in y.
    flags = content[content.index(b"av1C") + 6]
    assert (flags & 0b1100 == 0b1100) == halved


THREADS = """
import sys
from pathlib import Path
from render.pictures.encoding import Encoding
from tests.render.pictures.test_write_whole import _write, output_digest
print(output_digest(_write(Path(sys.argv[1]), sys.argv[2], Encoding())))
"""


@pytest.mark.parametrize("name", WRITTEN)
def test_bytes_do_not_depend_on_the_threads_of_libvips(
    tmp_path: Path, project: Path, name: str
) -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", THREADS, str(tmp_path / threads), name],
            capture_output=True,
            text=True,
            cwd=project,
            check=True,
            env={**os.environ, "VIPS_CONCURRENCY": threads},
        ).stdout
        for threads in ("1", "4")
    }
    assert len(digests) == 1


def test_a_format_that_libvips_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vips.WHOLE_SAVERS, "jxl", ("no_such_operation", {}))
    vips.can_encode.cache_clear()
    try:
        with pytest.raises(OutputError, match="jxl: libvips on this machine cannot write it"):
            check_output("jxl", 10, 10, 8)
    finally:
        vips.can_encode.cache_clear()

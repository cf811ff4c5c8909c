"""Small pictures of every format and kind that is read, from which mutated files are made.

All are made here, with sides of 8 to 24 pixels (64 for HEIC), and have a few hundred bytes.
"""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pillow_heif
import tifffile
from PIL import Image

from render.pictures.colour_profile import srgb_profile
from render.pictures.vips import libvips
from tests.support.picture_files import GREY, gradient_samples
from tests.support.png_files import exif, raw_profile, write_png

FORMATS = ("png", "jpeg", "tiff", "webp", "heic", "avif", "gif", "bmp")

XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


def corpus(name: str) -> list[bytes]:
    """Good files of a format of FORMATS: those that are read, and some that are refused."""
    return _CORPORA[name]()


def _colours(bands: int = 3, depth: int = 8, side: int = 16) -> np.ndarray:
    rgb = gradient_samples(side, side + 3, depth)
    if bands == 1:
        return rgb[..., 0]
    alpha = rgb[..., ::-1][..., :1]
    return rgb if bands == 3 else np.concatenate([rgb[..., : bands - 1], alpha], axis=-1)


def _pngs() -> list[bytes]:
    icc = b"icc\0\0" + zlib.compress(srgb_profile())
    grey_icc = b"grey\0\0" + zlib.compress(GREY)
    chrm = struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
    text = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP)
    old_exif = b"Raw profile type exif\0\0" + zlib.compress(raw_profile(b"exif", exif(3)))
    made = [
        _png(_colours(3), (b"eXIf", exif(6)), (b"tEXt", b"Title\0a")),
        _png(_colours(3), (b"cICP", b"\x0c\x0d\0\1"), (b"gAMA", struct.pack(">I", 45455))),
        _png(_colours(3, 16), (b"gAMA", struct.pack(">I", 100000)), (b"cHRM", chrm)),
        _png(_colours(4), (b"iCCP", icc), (b"iTXt", text)),
        _png(_colours(1), (b"iCCP", grey_icc), (b"zTXt", old_exif)),
        _png(_colours(4, 16), (b"sRGB", b"\0")),
        _png(_colours(2), (b"gAMA", struct.pack(">I", 50000))),
        _png(_colours(1, 16)),
    ]
    palette = Image.fromarray(_colours()).quantize(6)
    frames = [Image.fromarray(np.roll(_colours(4), shift, 0)) for shift in range(3)]
    return [
        *made,
        _saved(palette, "png", transparency=2),
        _saved(Image.fromarray(_colours()), "png", transparency=(3, 4, 5)),
        _saved(Image.fromarray(_colours(1) > 90), "png"),
        _saved(frames[0], "png", save_all=True, append_images=frames[1:]),
        _by_vips(_colours(), ".png", interlace=True),
        _by_vips(_colours(3, 16), ".png", interlace=True),
    ]


def _jpegs() -> list[bytes]:
    rgb, icc = Image.fromarray(_colours()), srgb_profile()
    frames = [Image.fromarray(_colours(3, side=side)) for side in (16, 16, 8)]
    return [
        _saved(rgb, "jpeg", quality=60),
        _saved(rgb, "jpeg", quality=60, exif=b"Exif\0\0" + exif(6)),
        _saved(rgb, "jpeg", quality=90, progressive=True, subsampling=0),
        _saved(rgb, "jpeg", icc_profile=icc, restart_marker_blocks=1),
        _saved(rgb.convert("CMYK"), "jpeg"),
        _saved(rgb.convert("L"), "jpeg", icc_profile=GREY),
        _saved(rgb.convert("L"), "jpeg", progressive=True),
        _saved(rgb, "jpeg", xmp=XMP),
        _saved(frames[0], "mpo", save_all=True, append_images=frames[1:]),
    ]


def _tiffs() -> list[bytes]:
    rgb, rgb16, grey = _colours(), _colours(3, 16), _colours(1)
    pyramid = _by_vips(rgb, ".tif", tile=True, tile_width=16, tile_height=16, pyramid=True)
    inner = _by_vips(rgb, ".tif", tile=True, pyramid=True, subifd=True, compression="deflate")
    many = BytesIO()
    with tifffile.TiffWriter(many) as writer:
        writer.write(_colours(3, side=8), photometric="rgb", subfiletype=1)
        writer.write(rgb, photometric="rgb", metadata=None)
        writer.write(grey, photometric="minisblack", subfiletype=2)
    return [
        _tiff(rgb, photometric="rgb", rowsperstrip=4),
        _tiff(rgb, photometric="rgb", tile=(16, 16), bigtiff=True),
        _tiff(rgb16, photometric="rgb", byteorder=">", bigtiff=True),
        _tiff(rgb16, photometric="rgb", byteorder=">", iccprofile=srgb_profile()),
        _tiff(_colours(4), photometric="rgb", extrasamples=["unassalpha"]),
        _tiff(_colours(4), photometric="rgb", extrasamples=["unspecified"]),
        _tiff(_colours(4), photometric="separated"),
        _tiff(_colours(4, 16), photometric="separated", rowsperstrip=3),
        _tiff(rgb, photometric="cielab"),
        _tiff(rgb16, photometric="cielab"),
        _tiff(rgb.astype(np.float32) / 255, photometric="rgb"),
        _tiff(np.moveaxis(rgb, -1, 0).copy(), photometric="rgb", planarconfig="separate"),
        _tiff(grey, photometric="miniswhite"),
        _tiff(
            grey,
            photometric="palette",
            colormap=np.arange(768, dtype=np.uint16)[::-1].reshape(3, 256) * 85,
        ),
        _tiff(_colours(1, 16), photometric="minisblack", tile=(16, 16)),
        many.getvalue(),
        pyramid,
        inner,
        _by_vips(rgb, ".tif", compression="lzw", predictor="horizontal"),
        _by_vips(rgb, ".tif", compression="jpeg", Q=80),
        _by_vips(rgb, ".tif", compression="jpeg", tile=True, tile_width=16, tile_height=16),
        _by_vips(rgb, ".tif", compression="deflate"),
        _by_vips(rgb, ".tif", compression="packbits"),
        _saved(Image.fromarray(grey > 90), "tiff", compression="group4"),
        _saved(Image.fromarray(grey > 90), "tiff", compression="group3"),
    ]


def _webps() -> list[bytes]:
    rgb, rgba, icc = Image.fromarray(_colours()), Image.fromarray(_colours(4)), srgb_profile()
    frames = [Image.fromarray(np.roll(_colours(4), shift, 0)) for shift in range(3)]
    film: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "duration": 50}
    return [
        _saved(rgb, "webp", quality=50),
        _saved(rgba, "webp", quality=50, exif=b"Exif\0\0" + exif(8)),
        _saved(rgb, "webp", lossless=True),
        _saved(rgba, "webp", lossless=True, icc_profile=icc),
        _saved(rgba, "webp", quality=50, xmp=XMP),
        _saved(frames[0], "webp", **film),
        _saved(frames[0], "webp", lossless=True, icc_profile=icc, exif=exif(3), **film),
    ]


def _heics() -> list[bytes]:
    side = 64
    rgb = Image.fromarray(_colours(3, side=side))
    deep = _colours(3, 16, side)
    size = (side + 3, side)
    files: list[tuple[Any, dict[str, Any]]] = [
        (pillow_heif.from_pillow(rgb), {}),
        (pillow_heif.from_pillow(Image.fromarray(_colours(4, side=side))), {}),
        (pillow_heif.from_pillow(rgb.convert("L")), {"exif": exif(6)}),
        (pillow_heif.from_bytes("RGB;16", size, deep.tobytes()), {}),
        (pillow_heif.from_pillow(rgb), {"icc_profile": srgb_profile(), "xmp": XMP}),
        (pillow_heif.from_pillow(rgb), {"color_primaries": 12, "matrix_coefficients": 6}),
    ]
    several = pillow_heif.from_pillow(rgb)
    several.add_from_pillow(rgb.rotate(90))
    files.append((several, {"primary_index": 1}))
    with TemporaryDirectory() as folder:
        made = []
        for number, (heif, extra) in enumerate(files):
            path = Path(folder) / f"{number}.heic"
            heif.save(path, quality=40, **extra)
            made.append(path.read_bytes())
        return made


def _avifs() -> list[bytes]:
    rgb, rgba = Image.fromarray(_colours()), Image.fromarray(_colours(4))
    frames = [Image.fromarray(np.roll(_colours(), shift, 0)) for shift in range(3)]
    return [
        _saved(rgb, "avif", quality=40),
        _saved(rgba, "avif", quality=40, exif=b"Exif\0\0" + exif(6)),
        _saved(rgb, "avif", quality=60, subsampling="4:4:4", icc_profile=srgb_profile()),
        _saved(rgb.convert("L"), "avif", quality=40, xmp=XMP),
        _saved(frames[0], "avif", save_all=True, append_images=frames[1:]),
    ]


def _gifs() -> list[bytes]:
    rgb = Image.fromarray(_colours())
    return [
        _saved(rgb, "gif"),
        _saved(rgb, "gif", save_all=True, append_images=[rgb.rotate(90), rgb.rotate(180)]),
        _saved(rgb.quantize(8), "gif", transparency=3, interlace=True),
    ]


def _bmps() -> list[bytes]:
    rgb = Image.fromarray(_colours())
    return [_saved(rgb, "bmp"), _saved(rgb.quantize(8), "bmp"), _saved(rgb.convert("1"), "bmp")]


_CORPORA: dict[str, Callable[[], list[bytes]]] = dict(
    zip(FORMATS, (_pngs, _jpegs, _tiffs, _webps, _heics, _avifs, _gifs, _bmps), strict=True)
)


def _png(samples: np.ndarray, *chunks: tuple[bytes, bytes]) -> bytes:
    with TemporaryDirectory() as folder:
        return write_png(Path(folder) / "a.png", samples, *chunks).read_bytes()


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _tiff(samples: np.ndarray, **options: Any) -> bytes:
    buffer = BytesIO()
    tifffile.imwrite(buffer, samples, metadata=None, **options)
    return buffer.getvalue()


def _by_vips(samples: np.ndarray, suffix: str, **options: Any) -> bytes:
    image = libvips().Image.new_from_array(samples)
    if samples.dtype == np.uint16:
        image = image.copy(interpretation="rgb16")
    written: bytes = image.write_to_buffer(suffix, **options)
    return written

"""An input picture, decoded from top to bottom, never whole."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from render.errors import PictureError
from render.pictures.colour_profile import to_srgb
from render.pictures.tiff_directories import check_directories
from render.pictures.vips import libvips, reason

TIFF = "tiffload_source"


_LOADERS: Mapping[bytes, str] = MappingProxyType(
    {
        b"\xff\xd8\xff": "jpegload_source",
        b"\x89PNG\r\n\x1a\n": "pngload_source",
        b"II*\0": TIFF,
        b"MM\0*": TIFF,
        b"II+\0": TIFF,
        b"MM\0+": TIFF,
    }
)


def loader_of(path: Path) -> str:
    """The libvips operation that reads `path`: JPEG, PNG, WebP or TIFF.

    Raises PictureError if the file is missing, unreadable, empty or something else.
    """
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        reason = error.strerror or "the system gives no reason"
        raise PictureError(
            f"{path}: cannot be read: {reason}: check the path and its permissions"
        ) from error
    if not head:
        raise PictureError(f"{path}: the file is empty: copy or export the picture again")
    if head[:4] == b"RIFF" and head[8:] == b"WEBP":
        return "webpload_source"
    for magic, loader in _LOADERS.items():
        if head.startswith(magic):
            return loader
    raise PictureError(f"{path}: not a picture that can be read: give a JPEG, PNG, WebP or TIFF")


MAX_PIXELS = 2_000_000_000
"""Larger claims are refused unless asked for: an A0 poster at 300 dpi has 139 million."""


MAX_HELD_PIXELS = 2**28
"""Interlaced PNGs and progressive JPEGs can only be decoded whole, in memory; beyond, refused."""


MAX_SIDE = 2**20
"""A few rows always lie in memory, and a PNG may claim a hundred million pixels for each."""


_PIECE = 2**18
"""Pixels decoded at once: libvips holds a few float copies of a piece."""


_DEPTHS = {"uchar": 8, "ushort": 16}


@dataclass(frozen=True)
class Picture:
    """An opened picture file: upright, sRGB, opaque.

    `height` and `width` are pixels after EXIF orientation; `depth` is 8 or 16 bits a sample.
    """

    path: Path
    height: int
    width: int
    depth: int

    def bands(self, rows: int) -> Iterator[np.ndarray]:
        """The samples, top to bottom: arrays (h, width, 3) of uint8 or uint16, h <= rows.

        Pictures that EXIF turns upside down or on a side pass through a temporary file on disk
        (in TMPDIR) when they are large.

        Raises PictureError where the file turns out to be truncated or damaged.
        """
        if rows < 1:
            raise ValueError(f"a band needs at least 1 row, not {rows}")
        vips = libvips()
        top = 0
        try:
            with _upright(self.path, self.depth) as image:
                region = vips.Region.new(image)
                while top < self.height:
                    band = self._band(region, top, min(rows, self.height - top))
                    yield band
                    top += len(band)
        except vips.Error as error:
            raise PictureError(
                f"{self.path}: truncated or damaged, found at row {top} of {self.height}"
                f" ({reason(error)}): copy or export the picture again"
            ) from error

    def _band(self, region: Any, top: int, height: int) -> np.ndarray:
        """Rows top to top + height, decoded in pieces of bounded size."""
        band = np.empty((height, self.width, 3), np.uint8 if self.depth == 8 else np.uint16)
        step = max(1, _PIECE // self.width)
        for y in range(0, height, step):
            piece = band[y : y + step]
            samples = region.fetch(0, top + y, self.width, len(piece))
            piece[:] = np.frombuffer(samples, band.dtype).reshape(piece.shape)
        return band


def open_picture(path: Path, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read the header of a JPEG, PNG, WebP or TIFF (of several pages: the first).

    Raises PictureError if the file is missing, unreadable, not a picture, damaged, of other
    than 8 or 16 bits, of channels beyond grey, RGB, CMYK and one alpha, or of more than
    `max_pixels` pixels. Nothing is decoded, and memory is not asked for, before that is known.
    """
    vips = libvips()
    if loader_of(path) == TIFF:
        check_directories(path)
    try:
        with _decoder(path) as image:
            _check_samples(image, path)
            _check_size(image, path, max_pixels)
            depth = _DEPTHS[image.format]
        with _upright(path, depth) as upright:
            return Picture(path, upright.height, upright.width, depth)
    except vips.Error as error:
        raise PictureError(
            f"{path}: damaged, its header cannot be read ({reason(error)}):"
            " copy or export the picture again"
        ) from error


@contextmanager
def _decoder(path: Path, access: str = "sequential") -> Iterator[Any]:
    """The file as libvips sees it; pixels are decoded when asked for."""
    vips = libvips()
    load = getattr(vips.Image, loader_of(path))
    with path.open("rb") as file:
        # Not by name, which libvips takes as UTF-8 only, nor by descriptor: it would map the
        # file, and all that was read of it would count as this process's memory.
        source = vips.SourceCustom()
        # libjpeg may ask once more when an abandoned decoder is freed.
        source.on_read(lambda size: b"" if file.closed else file.read(size))
        source.on_seek(lambda offset, whence: -1 if file.closed else file.seek(offset, whence))
        yield load(source, access=access, fail_on="error")


@contextmanager
def _upright(path: Path, depth: int) -> Iterator[Any]:
    """The file turned as its EXIF orientation says, in sRGB of `depth` bits."""
    with _decoder(path) as image:
        turned = image.get_typeof("orientation") and image.get("orientation") > 2
    with _decoder(path, "random" if turned else "sequential") as image:
        yield to_srgb(image.autorot(), depth)


def _check_samples(image: Any, path: Path) -> None:
    if image.format not in _DEPTHS:
        raise PictureError(f"{path}: holds {image.format} samples: export it with 8 or 16 bits")
    channels = image.bands - int(image.hasalpha())
    if channels not in ((4,) if image.interpretation == "cmyk" else (1, 3)):
        raise PictureError(f"{path}: holds {image.bands} channels: export it as grey, RGB or CMYK")


def _check_size(image: Any, path: Path, max_pixels: int) -> None:
    pixels = image.width * image.height
    claim = f"{path}: {image.width} x {image.height} pixels"
    if pixels > max_pixels:
        raise PictureError(
            f"{claim} are more than the limit of {max_pixels}: shrink it or raise the limit"
        )
    if max(image.width, image.height) > MAX_SIDE:
        raise PictureError(f"{claim} are more than {MAX_SIDE} on one side: crop it")
    if image.get_typeof("interlaced") and pixels > MAX_HELD_PIXELS:
        raise PictureError(
            f"{claim}, interlaced or progressive, can only be decoded in one piece:"
            " save it without interlacing, or as TIFF"
        )

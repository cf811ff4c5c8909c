"""Decodes input pictures from top to bottom, without holding a whole picture in memory."""

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
from render.pictures.vips import error_reason, libvips

_TIFF_LOADER = "tiffload_source"


_LOADERS: Mapping[bytes, str] = MappingProxyType(
    {
        b"\xff\xd8\xff": "jpegload_source",
        b"\x89PNG\r\n\x1a\n": "pngload_source",
        b"II*\0": _TIFF_LOADER,
        b"MM\0*": _TIFF_LOADER,
        b"II+\0": _TIFF_LOADER,
        b"MM\0+": _TIFF_LOADER,
    }
)


def find_loader(path: Path) -> str:
    """Return the libvips operation that reads `path`: JPEG, PNG, WebP or TIFF.

    Raises PictureError if the file is missing, unreadable, empty or of another format.
    """
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        error_reason = error.strerror or "the system gives no reason"
        raise PictureError(
            f"{path}: cannot be read: {error_reason}: check the path and its permissions"
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
"""The default limit. An A0 poster at 300 dpi has 139 million."""


MAX_IN_MEMORY_PIXELS = 2**28
"""Limit of interlaced PNGs and progressive JPEGs, which are decoded as a whole in memory."""


MAX_SIDE = 2**20
"""Limit of width and height. A few rows are always in memory, and a PNG header can state a width
of a hundred million pixels."""


_PIECE_PIXELS = 2**18
"""Pixels that are decoded at once; libvips holds a few float copies of them."""


_DEPTHS = {"uchar": 8, "ushort": 16}


@dataclass(frozen=True)
class Picture:
    """A checked picture file, which decodes to upright, opaque sRGB.

    height, width: in pixels, after EXIF orientation. depth: bits per sample, 8 or 16.
    """

    path: Path
    height: int
    width: int
    depth: int

    def bands(self, rows: int) -> Iterator[np.ndarray]:
        """Yield samples (h, width, 3) of uint8 or uint16 from top to bottom, h at most `rows`.

        Large pictures with an EXIF rotation go through a temporary file in TMPDIR.

        Raises PictureError if the file is truncated or damaged.
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
                f" ({error_reason(error)}): copy or export the picture again"
            ) from error

    def _band(self, region: Any, top: int, height: int) -> np.ndarray:
        """Decode rows top to top + height, in pieces of limited size."""
        band = np.empty((height, self.width, 3), np.uint8 if self.depth == 8 else np.uint16)
        step = max(1, _PIECE_PIXELS // self.width)
        for y in range(0, height, step):
            piece = band[y : y + step]
            samples = region.fetch(0, top + y, self.width, len(piece))
            piece[:] = np.frombuffer(samples, band.dtype).reshape(piece.shape)
        return band


def open_picture(path: Path, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read and check the header of a JPEG, PNG, WebP or TIFF (the first of several pages).

    Nothing is decoded, and no memory for pixels is allocated.
    Raises PictureError if the file is missing, unreadable, damaged or not a picture. Raises it also
    if it has samples of other than 8 or 16 bits, channels other than grey, RGB or CMYK with at
    most one alpha, or more than `max_pixels` pixels.
    """
    vips = libvips()
    if find_loader(path) == _TIFF_LOADER:
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
            f"{path}: damaged, its header cannot be read ({error_reason(error)}):"
            " copy or export the picture again"
        ) from error


@contextmanager
def _decoder(path: Path, access: str = "sequential") -> Iterator[Any]:
    """Open the file as a libvips image, which decodes pixels on demand."""
    vips = libvips()
    load = getattr(vips.Image, find_loader(path))
    with path.open("rb") as file:
        # A name must be UTF-8 for libvips. A descriptor would be mapped into memory, and the pages
        # would count as this process's memory.
        source = vips.SourceCustom()
        # libjpeg can read once more while an unfinished decoder is freed.
        source.on_read(lambda size: b"" if file.closed else file.read(size))
        source.on_seek(lambda offset, whence: -1 if file.closed else file.seek(offset, whence))
        yield load(source, access=access, fail_on="error")


@contextmanager
def _upright(path: Path, depth: int) -> Iterator[Any]:
    """Open the file with its EXIF orientation applied, in sRGB of `depth` bits."""
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
    if image.get_typeof("interlaced") and pixels > MAX_IN_MEMORY_PIXELS:
        raise PictureError(
            f"{claim}, interlaced or progressive, can only be decoded in one piece:"
            " save it without interlacing, or as _TIFF_LOADER"
        )

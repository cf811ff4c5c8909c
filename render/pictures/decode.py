"""Decodes input pictures from top to bottom, without holding a whole picture in memory."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from render.errors import PictureError
from render.input_file import open_input_file
from render.pictures.colour_profile import camera_colours, to_srgb
from render.pictures.heif import HEVC, complete_heif, decode_heic
from render.pictures.picture_format import HEIF, PNG, Selection, select_picture, stated_size
from render.pictures.png_chunks import PngChunks, read_png_chunks
from render.pictures.png_colour import stated_colours
from render.pictures.tiff_page import TiffPage
from render.pictures.vips import error_reason, is_unsupported, libvips
from render.pictures.xmp import xmp_orientation

MAX_PIXELS = 2_000_000_000
"""The default limit. An A0 poster at 300 dpi has 139 million."""


MAX_IN_MEMORY_PIXELS = 2**28
"""Limit of interlaced PNGs, progressive JPEGs, HEIC and AVIF: they are decoded as a whole."""


MAX_SIDE = 2**20
"""Limit of width and height. A few rows are always in memory, and a PNG header can state a width
of a hundred million pixels."""


_PIECE_PIXELS = 2**18
"""Pixels that are decoded at once; libvips holds a few float copies of them."""


_DEPTHS = {"uchar": 8, "ushort": 16}


@dataclass(frozen=True)
class Picture:
    """A checked picture file, which decodes to upright, opaque sRGB.

    height, width: in pixels, after EXIF orientation. depth: bits per sample, 8 or 16. background:
    behind transparency, from 0 (black) to 1 (white). selection: which picture of the file it is.
    """

    path: Path
    height: int
    width: int
    depth: int
    selection: Selection
    background: float = 1.0

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about the picture, such as that the file has other pages."""
        return self.selection.notes

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
            with self._upright() as image:
                region = vips.Region.new(image)
                while top < self.height:
                    band = self._band(region, top, min(rows, self.height - top))
                    yield band
                    top += len(band)
        except vips.Error as error:
            problem = f"truncated or damaged, found at row {top} of {self.height}"
            raise _failure(self.path, problem, error) from error

    @contextmanager
    def _upright(self) -> Iterator[Any]:
        """Open the file with its orientation applied, in sRGB of the picture's depth."""
        with _decoder(self.path, self.selection) as image:
            turned = image.get_typeof("orientation") and image.get("orientation") > 2
        access = "random" if turned else "sequential"
        with _decoder(self.path, self.selection, access, has_pixels=True) as image:
            yield to_srgb(image.autorot(), self.depth, self.background)

    def _band(self, region: Any, top: int, height: int) -> np.ndarray:
        """Decode rows top to top + height, in pieces of limited size."""
        band = np.empty((height, self.width, 3), np.uint8 if self.depth == 8 else np.uint16)
        step = max(1, _PIECE_PIXELS // self.width)
        for y in range(0, height, step):
            piece = band[y : y + step]
            samples = region.fetch(0, top + y, self.width, len(piece))
            piece[:] = np.frombuffer(samples, band.dtype).reshape(piece.shape)
        return band


def open_picture(path: Path, max_pixels: int = MAX_PIXELS, page: int | None = None) -> Picture:
    """Read and check the header of a JPEG, PNG, WebP, TIFF, HEIC or AVIF.

    Nothing is decoded, and no memory for pixels is allocated.

    Args:
        path: The file.
        max_pixels: The most pixels that the picture may have.
        page: The number of a picture in the file, from 1; None for the first full one.

    Raises:
        PictureError: The file is missing, unreadable, damaged, not a picture, a raw file, or has
            no such page. Or it is of a kind that cannot be read: its compression, samples (only 8
            and 16 bits), colours (only grey, RGB, CMYK and CIELAB, with at most one alpha) or size.
    """
    vips = libvips()
    selection = select_picture(path, page)
    with open_input_file(path) as file:
        stated = stated_size(file, selection.loader)
    if stated is not None:  # else libvips allocates them (WebP), or gives no reason (PNG)
        _check_size(*stated, path, max_pixels)
    try:
        with _decoder(path, selection) as image:
            _check_samples(image, path)
            _check_size(image.width, image.height, path, max_pixels)
            _check_in_memory_size(image, path, is_whole=selection.loader == HEIF)
            depth = _DEPTHS[image.format]
            upright = to_srgb(image.autorot(), depth)
            return Picture(path, upright.height, upright.width, depth, selection)
    except vips.Error as error:
        raise _failure(path, "damaged, its header cannot be read", error) from error


def open_mask(path: Path, max_pixels: int = MAX_PIXELS) -> Picture:
    """Open a mask: a picture in which transparent parts are black. Raises like `open_picture`."""
    return replace(open_picture(path, max_pixels), background=0.0)


def _failure(path: Path, problem: str, error: Exception) -> PictureError:
    """The error for a file that libvips cannot read, which is not always a damaged one."""
    if "width/height out of range" in error_reason(error):
        return PictureError(f"{path}: has more than {MAX_SIDE} pixels on one side: crop it")
    if "vips_tracked: out of memory" in error_reason(error):
        return PictureError(
            f"{path}: opening it needs more memory than is free ({error_reason(error)}):"
            " free some, or save it as TIFF"
        )
    if is_unsupported(error):
        return PictureError(
            f"{path}: cannot be read here ({error_reason(error)}): export it as PNG, TIFF or JPEG"
        )
    return PictureError(
        f"{path}: {problem} ({error_reason(error)}): copy or export the picture again"
    )


@contextmanager
def _decoder(
    path: Path, selection: Selection, access: str = "sequential", *, has_pixels: bool = False
) -> Iterator[Any]:
    """Open the file as a libvips image, which decodes pixels on demand.

    has_pixels: without, only the header of the image may be read.
    """
    vips = libvips()
    load = getattr(vips.Image, f"{selection.loader}_source")
    pages = {} if selection.page is None else {"page": selection.page}
    with open_input_file(path) as file:
        lab = None if selection.tiff is None else selection.tiff.lab
        source = _source(file, selection.offset, {} if lab is None else lab.as_rgb)
        chunks = read_png_chunks(file) if selection.loader == PNG else None
        file.seek(selection.offset)
        image = load(source, access=access, fail_on="error", **pages)
        if selection.loader == HEIF and selection.page is not None:
            if has_pixels and image.get("heif-compression") == HEVC:
                image = decode_heic(path, selection.page)
            image = complete_heif(image, path, selection.page)
        if selection.loader != HEIF:  # it is turned by its own boxes, whatever its XMP says
            image = _with_stated_metadata(image, chunks, path)
        if selection.tiff is not None:
            image = _colour_bands(image, selection.tiff, path)
        yield image if lab is None else lab.to_srgb(image)


def _source(file: BinaryIO, start: int, replaced: Mapping[int, bytes]) -> Any:
    """A libvips source of an open file, from an offset on.

    replaced: what to read in place of the file's bytes, by offsets.

    A name must be UTF-8 for libvips. A descriptor would be mapped into memory, and the pages would
    count as this process's memory.
    """

    def seek(offset: int, whence: int) -> int:
        try:
            return file.seek(offset + start if whence == os.SEEK_SET else offset, whence) - start
        except (OSError, ValueError):  # a place that no file has, or the file is closed
            return -1

    def read(size: int) -> bytes:
        if file.closed:  # libjpeg can read once more while an unfinished decoder is freed
            return b""
        return _read_replaced(file, size, replaced) if replaced else file.read(size)

    source = libvips().SourceCustom()
    source.on_read(read)
    source.on_seek(seek)
    return source


def _read_replaced(file: BinaryIO, size: int, replaced: Mapping[int, bytes]) -> bytes:
    start = file.tell()
    content = bytearray(file.read(size))
    for place, piece in replaced.items():
        begin, end = max(place, start), min(place + len(piece), start + len(content))
        if begin < end:
            content[begin - start : end - start] = piece[begin - place : end - place]
    return bytes(content)


def _colour_bands(image: Any, page: TiffPage, path: Path) -> Any:
    """Leave out the channels of a TIFF that are neither colour nor transparency."""
    if not page.left_out:
        return image
    if image.bands != page.channels:
        raise PictureError(f"{path}: its header contradicts itself: export the picture again")
    bands = image.extract_band(0, n=page.colours)
    return bands if page.alpha is None else bands.bandjoin(image.extract_band(page.alpha))


def _with_stated_metadata(image: Any, chunks: PngChunks | None, path: Path) -> Any:
    """Apply the orientation and the colours that a file states in places unknown to libvips."""
    turn = None if chunks is None else chunks.orientation
    if chunks is None and image.get_typeof("xmp-data") and not image.get_typeof("orientation"):
        turn = xmp_orientation(image.get("xmp-data"))
    colours = camera_colours(image) if chunks is None else stated_colours(chunks, path)
    copy = image.copy() if colours is None else colours.to_srgb(image)
    if turn is not None:
        copy.set_type(libvips().GValue.gint_type, "orientation", turn)
    return copy


def _check_samples(image: Any, path: Path) -> None:
    if image.format not in _DEPTHS:
        raise PictureError(f"{path}: holds {image.format} samples: export it with 8 or 16 bits")
    channels = image.bands - int(image.hasalpha())
    if channels not in ((4,) if image.interpretation == "cmyk" else (1, 3)):
        raise PictureError(f"{path}: holds {image.bands} channels: export it as grey, RGB or CMYK")


def _check_size(width: int, height: int, path: Path, max_pixels: int) -> None:
    claim = f"{path}: {width} x {height} pixels"
    if max(width, height) > MAX_SIDE:
        raise PictureError(f"{claim} are more than {MAX_SIDE} on one side: crop it")
    if width * height > max_pixels:
        raise PictureError(
            f"{claim} are more than the limit of {max_pixels}: shrink it or raise the limit"
        )


def _check_in_memory_size(image: Any, path: Path, *, is_whole: bool) -> None:
    """Check the size of what is decoded in one piece. is_whole: whether the format always is."""
    if image.width * image.height <= MAX_IN_MEMORY_PIXELS:
        return
    claim = f"{path}: {image.width} x {image.height} pixels"
    if image.get_typeof("interlaced"):
        raise PictureError(
            f"{claim}, interlaced or progressive, can only be decoded in one piece:"
            " save it without interlacing, or as TIFF"
        )
    if is_whole:
        raise PictureError(
            f"{claim} of HEIC or AVIF can only be decoded in one piece: save it as TIFF or PNG"
        )

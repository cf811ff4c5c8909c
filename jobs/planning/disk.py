"""The disk space of a poster: its input, its work in progress and its outputs."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from jobs.planning.print_files import print_files
from jobs.planning.source import PictureInfo
from jobs.spec.poster import Output
from jobs.text.errors import MachineTooSmall
from render.geometry.rect import Size
from render.geometry.sampling_grid import round_up
from render.pictures.ink import MAX_PROFILE_BYTES
from render.pictures.print_files import PrintFile

_CHANNELS = 3

_INKS = 4

_LONGEST_LZW = 1.5
"""Bytes of noise by LZW for each byte without it."""


_WORST_CASE = {
    "png": (1, 1.01),
    "tiff": (256, 1.4),
    "jpeg": (8, 0.9),
    "deepzoom": (8, 0.9),
    "deepzoom-zip": (8, 0.9),
    "iiif": (8, 0.9),
    "iiif-zip": (8, 0.9),
    "webp": (8, 1.1),
    "avif": (8, 1.1),
    "jxl": (8, 1.1),
    "pdf": (1, 1.01),
    "contract-proof": (1, 1.01),
}
"""The multiple that a format pads both sides to, and its bytes for an 8-bit sample.

Measured with white noise, pyramids included. Real results take less."""


_WITH_CHECKSUMS = 1.02
"""Bytes of tiles for each byte of their samples; their rows end with checksums."""


_FILE_OVERHEAD = 256 << 10
"""Bytes of a file beyond its samples: profile, identity, and a DeepZoom's many small files."""


_USUAL_PROFILE = 4 << 20
"""Bytes of a large profile. Each panel has one, so the largest allowed would be far too much."""

_PAGE_BYTES = 512 << 10
"""Bytes of the page beside tiles, and of its script."""


@dataclass(frozen=True)
class DiskUse:
    """Bytes on disk, or to be decoded.

    input: decoded. scratch: work in progress at its peak. outputs: an upper bound.
    """

    input: int
    scratch: int
    outputs: int

    def check(self, folder: Path, elsewhere: str = "give `render` another --out") -> None:
        """Raise MachineTooSmall if the disk of `folder` has too little free space.

        The folder need not exist yet. elsewhere: how a user chooses another disk.
        """
        existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        free = shutil.disk_usage(existing).free
        needed = self.scratch + self.outputs
        if needed > free:
            raise MachineTooSmall(
                f"{folder}: the disk is too small: rendering needs {_format_bytes(needed)} "
                f"and {_format_bytes(free)} are free; free some, {elsewhere}, "
                "or choose a smaller size"
            )


def disk_use(
    source: Size,
    source_depth: int,
    size: Size,
    value_bytes: int,
    stored: float,
    spills: bool,
    outputs: tuple[Output, ...],
    masks: tuple[PictureInfo, ...] = (),
    base_pixels: int = 0,
    dpi: float | None = None,
) -> DiskUse:
    """The disk space of a poster.

    Args:
        source: The size of the input.
        source_depth: Bits a sample of the input.
        size: The size of the poster.
        value_bytes: Bytes of a canvas value.
        stored: Bytes that a step stores per byte of the canvas.
        spills: Whether shards keep their tiles on disk.
        outputs: The files to write.
        masks: Masks, which are decoded to disk like the input.
        base_pixels: Of all octaves that are made while the input is decoded.
        dpi: Of the poster, which decides the pixels of its bleed and of its panels.
    """
    canvas = size[0] * size[1] * _CHANNELS * value_bytes
    decoded = source[0] * source[1] * _CHANNELS * source_depth // 8
    decoded += sum(one.height * one.width * _CHANNELS * one.depth // 8 for one in masks)
    # Two checkpoints stay while a third is written.
    canvases = 3 + ((1 + stored) if spills else 0)
    bases = base_pixels * _CHANNELS * value_bytes
    scratch = int((decoded + bases + canvases * canvas) * _WITH_CHECKSUMS) + _FILE_OVERHEAD
    written = sum(_output_bytes(size, output, dpi) for output in outputs)
    return DiskUse(decoded, scratch, written)


def _output_bytes(size: Size, output: Output, dpi: float | None) -> int:
    if output.for_printer:
        files = print_files(output, "", size, dpi)
        return sum(print_file_bytes(file, output) for file in files)
    multiple, sample_bytes = _WORST_CASE[output.format]
    sample_bytes *= _LONGEST_LZW if output.compression == "lzw" else 1
    channels = _INKS if output.is_inked else _CHANNELS
    samples = round_up(size[0], multiple) * round_up(size[1], multiple) * channels
    if output.compression == "none":
        samples, sample_bytes = _pyramid_pixels(size, multiple) * channels, 1
    # A PNG has one more byte in each row.
    written = int(samples * sample_bytes * output.depth / 8) + size[0] + _FILE_OVERHEAD
    written += _PAGE_BYTES if output.has_page(output.format) else 0
    return written + (MAX_PROFILE_BYTES if output.is_inked else 0)


def _pyramid_pixels(size: Size, tile: int) -> int:
    """The pixels of whole tiles of all sizes of a pyramid."""
    pixels = round_up(size[0], tile) * round_up(size[1], tile)
    if max(size) <= tile:
        return pixels
    return pixels + _pyramid_pixels((max(1, size[0] // 2), max(1, size[1] // 2)), tile)


def print_file_bytes(file: PrintFile, output: Output) -> int:
    """The largest size of a file of an output for the printer, in bytes."""
    multiple, sample_bytes = _WORST_CASE[file.format]
    sample_bytes *= _LONGEST_LZW if output.compression == "lzw" else 1
    height, width = file.size
    pixels = file.written + multiple * (height + width + multiple)
    samples = pixels * (_INKS if output.is_inked else _CHANNELS)
    written = int(samples * sample_bytes * file.depth / 8) + height + _FILE_OVERHEAD
    return written + (_USUAL_PROFILE if output.is_inked else 0)


def _format_bytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"

"""The disk space of a poster: its input, its work in progress and its outputs."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from jobs.planning.source import PictureInfo
from jobs.spec.poster import Output
from jobs.text.errors import MachineTooSmall
from render.geometry.rect import Size
from render.geometry.sampling_grid import round_up

_CHANNELS = 3


_WORST_CASE = {"png": (1, 1.01), "tiff": (256, 1.4), "jpeg": (8, 0.9), "deepzoom": (8, 0.9)}
"""The multiple that a format pads both sides to, and its bytes for an 8-bit sample.

Measured with white noise, pyramids included. Real results take less."""


_WITH_CHECKSUMS = 1.02
"""Bytes of tiles for each byte of their samples; their rows end with checksums."""


_FILE_OVERHEAD = 256 << 10
"""Bytes of a file beyond its samples: profile, identity, and a DeepZoom's many small files."""


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
    """
    canvas = size[0] * size[1] * _CHANNELS * value_bytes
    decoded = source[0] * source[1] * _CHANNELS * source_depth // 8
    decoded += sum(one.height * one.width * _CHANNELS * one.depth // 8 for one in masks)
    # Two checkpoints stay while a third is written.
    canvases = 3 + ((1 + stored) if spills else 0)
    bases = base_pixels * _CHANNELS * value_bytes
    scratch = int((decoded + bases + canvases * canvas) * _WITH_CHECKSUMS) + _FILE_OVERHEAD
    written = sum(_output_bytes(size, output) for output in outputs)
    return DiskUse(decoded, scratch, written)


def _output_bytes(size: Size, output: Output) -> int:
    multiple, sample_bytes = _WORST_CASE[output.format]
    samples = round_up(size[0], multiple) * round_up(size[1], multiple) * _CHANNELS
    # A PNG has one more byte in each row.
    return int(samples * sample_bytes * output.depth / 8) + size[0] + _FILE_OVERHEAD


def _format_bytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"

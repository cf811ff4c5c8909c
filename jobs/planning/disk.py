"""How many bytes a plan reads, keeps on disk while it works, and writes."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from jobs.planning.source import Source
from jobs.spec.poster import Output
from jobs.text.errors import TooSmall
from render.geometry.rect import Size
from render.geometry.sampling_grid import round_up

_CHANNELS = 3


_AT_MOST = {"png": (1, 1.01), "tiff": (256, 1.4), "jpeg": (8, 0.9), "deepzoom": (8, 0.9)}
"""To what both sides are padded, and the bytes of an 8-bit sample of white noise, pyramids
included. Measured; dreams take less."""


_EACH = 256 << 10
"""Bytes of a file beyond its samples: profile, identity, and a DeepZoom's many small files."""


@dataclass(frozen=True)
class Disk:
    """Bytes: of the input decoded, of work in progress at its peak, of outputs at the most."""

    input: int
    scratch: int
    outputs: int

    def check(self, folder: Path) -> None:
        """TooSmall where the disk of `folder` (there or not yet) has too little room."""
        there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        free = shutil.disk_usage(there).free
        needed = self.scratch + self.outputs
        if needed > free:
            raise TooSmall(
                f"{folder}: the disk is too small: rendering needs {_spoken(needed)} "
                f"and {_spoken(free)} are free; free some, choose another --out, "
                "or a smaller size"
            )


def disk_use(
    source: Size,
    source_depth: int,
    size: Size,
    value_bytes: int,
    kept: float,
    spills: bool,
    outputs: tuple[Output, ...],
    masks: tuple[Source, ...] = (),
) -> Disk:
    """The bytes of a poster of `size`, whose canvas has `value_bytes` a channel.

    `source` is the size of the input, of `source_depth` bits a sample; `kept` is how many times a
    canvas is what a step keeps, on disk where a shard `spills`; `masks` are taken in as well.
    """
    canvas = size[0] * size[1] * _CHANNELS * value_bytes
    taken_in = source[0] * source[1] * _CHANNELS * source_depth // 8
    taken_in += sum(one.height * one.width * _CHANNELS * one.depth // 8 for one in masks)
    # Two checkpoints are kept, and a third is being written.
    canvases = 3 + ((1 + kept) if spills else 0)
    written = sum(_written(size, output) for output in outputs)
    return Disk(taken_in, taken_in + int(canvases * canvas) + _EACH, written)


def _written(size: Size, output: Output) -> int:
    unit, share = _AT_MOST[output.format]
    samples = round_up(size[0], unit) * round_up(size[1], unit) * _CHANNELS
    # A PNG has one byte more in each row.
    return int(samples * share * output.depth / 8) + size[0] + _EACH


def _spoken(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"

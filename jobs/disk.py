"""How many bytes a plan reads, keeps on disk while it works, and writes."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import RequestError
from jobs.spec import Output

_BYTES_A_SAMPLE = {"png": 1.0, "tiff": 4 / 3, "jpeg": 0.5, "deepzoom": 0.5}
"""At most, for 8 bits: dreams hardly compress, and a pyramid adds a third."""

_CHANNELS = 3


@dataclass(frozen=True)
class Disk:
    """Bytes: of the input decoded, of work in progress at its peak, of outputs at the most."""

    input: int
    scratch: int
    outputs: int

    def check(self, folder: Path) -> None:
        """RequestError where the disk below `folder` has no room for all of it at once."""
        there = next(place for place in (folder, *folder.parents) if place.exists())
        free = shutil.disk_usage(there).free
        needed = self.scratch + self.outputs
        if needed > free:
            raise RequestError(
                f"{folder}: the disk is too small: rendering needs {needed / 1e9:.1f} GB "
                f"and {free / 1e9:.1f} GB are free; free some, choose another --out, "
                "or a smaller size"
            )


def disk_use(
    input_pixels: int,
    input_depth: int,
    pixels: int,
    value_bytes: int,
    terms: int,
    spills: bool,
    outputs: tuple[Output, ...],
) -> Disk:
    """The bytes of a poster of `pixels`, whose canvas has `value_bytes` a channel."""
    samples = pixels * _CHANNELS
    taken_in = input_pixels * _CHANNELS * input_depth // 8
    canvases = samples * value_bytes * ((2 + terms) if spills else 1)
    # The octave before is kept until the last one is committed.
    before = samples * value_bytes
    written = sum(_BYTES_A_SAMPLE[one.format] * samples * one.depth / 8 for one in outputs)
    return Disk(taken_in, taken_in + canvases + before, int(written))

"""How files for a printer are written: labels, colours, threads, and when to stop."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from render.geometry.rect import Rect
from render.pictures.encoding import Encoding
from render.pictures.ink import Gamut, Press, ink_bands, proof_bands
from render.pictures.output_format import Labels
from render.pictures.tiled_image import TiledImage
from render.pictures.write import write_picture


def go_on() -> None:
    """Stop nothing."""


@dataclass(frozen=True)
class Writing:
    """How files are written.

    press: whose colours a file has; None for sRGB. encoding: its profile is the press's. threads:
    that read the canvas, and that encode. check_stop: is called before each band of pixels; an
    exception that it raises ends the file. gamut: of a soft proof, which shows in sRGB what the
    press would print, and counts what it cannot; None for its inks.
    """

    labels: Labels
    press: Press | None = None
    encoding: Encoding = field(default_factory=Encoding)
    threads: int = 1
    check_stop: Callable[[], None] = go_on
    gamut: Gamut | None = None

    def bands(self, canvas: TiledImage, depth: int, part: Rect) -> Iterator[np.ndarray]:
        """The sRGB samples of a part of the canvas, see `export_bands`."""
        # Imported here because torch loads for seconds, and a plan does not need it.
        from render.pictures.export import export_bands

        for band in export_bands(canvas, depth, self.threads, part):
            self.check_stop()
            yield band

    def write_whole(self, canvas: TiledImage, path: Path, format_name: str, depth: int) -> str:
        """Write the whole canvas as `write_picture` does. Returns its `output_digest`.

        Raises OutputError, and what `check_stop` raises.
        """
        size = canvas.grid.height, canvas.grid.width
        bands = self.inked_bands(canvas, depth, Rect(0, 0, *size))
        return write_picture(
            path, format_name, size, depth, bands, self.labels, self.threads, self.encoding
        )

    def inked_bands(self, canvas: TiledImage, depth: int, part: Rect) -> Iterator[np.ndarray]:
        """The samples of a part of the canvas in the colours of the file."""
        bands = self.bands(canvas, depth, part)
        if self.press is None:
            return bands
        if self.gamut is None:
            return ink_bands(self.press, bands, self.threads)
        return proof_bands(self.press, bands, self.gamut, self.threads)

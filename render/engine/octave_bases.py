"""The input at the sizes of the octaves that are smaller, made while the input is decoded.

An octave reads its base from here instead of resampling the whole input again. The bits are those
of `render.dream.canvas.octave_base`: every row of the input is added, with the same weights and in
the same order, to the few rows of each octave that need it.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from render.dream.canvas import clamp_canvas
from render.dream.resample import AxisTaps
from render.geometry.rect import Rect, Size
from render.pictures.colour import to_canvas
from render.pictures.ingest import canvas_layout
from render.pictures.tiled_image import TileFile

_ROWS_AT_ONCE = 16
"""Finished rows that are resampled along their width together."""


class OctaveBases:
    """Makes the bases of several octaves, each in a thread of its own."""

    def __init__(
        self, paths: Mapping[int, Path], source: Size, sizes: Sequence[Size], dtype: torch.dtype
    ) -> None:
        """paths: of the files of tiles to write, by octave. sizes: of all octaves."""
        self._dtype = dtype
        self._bases = [
            OctaveBase(path, source, sizes[octave], dtype) for octave, path in paths.items()
        ]
        self._pool = ThreadPoolExecutor(torch.get_num_threads(), "base")

    def add(self, band: np.ndarray) -> None:
        """Add the next rows (h, width, 3) of the input, samples of uint8 or uint16."""
        if self._bases:
            values = to_canvas(band, self._dtype).numpy()
            list(self._pool.map(lambda base: base.add(values), self._bases))

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


class OctaveBase:
    """Makes the base of one octave from the bands of the input, from top to bottom.

    It holds a few rows of the input's width, however much the octave is smaller.
    """

    def __init__(self, path: Path, source: Size, size: Size, dtype: torch.dtype) -> None:
        """path: of the file of tiles to write. size: (height, width) of the octave."""
        self._file = TileFile(path, canvas_layout(*size, str(dtype).removeprefix("torch.")))
        self._file.create()
        rows = AxisTaps(source[0], size[0], 0, size[0])
        self._columns = AxisTaps(source[1], size[1], 0, size[1])
        # Source rows counted from the first one of the picture.
        self._taps = (rows.taps + rows.start).numpy()
        self._weights = rows.weights.to(dtype).numpy()
        self._next_tap = np.zeros(size[0], np.int64)
        self._top = self._first = 0
        self._sums: dict[int, np.ndarray] = {}
        self._finished: list[np.ndarray] = []

    def add(self, values: np.ndarray) -> None:
        """Add the next rows (h, width, 3) of the input, as canvas values of the dtype."""
        end = self._top + len(values)
        row = self._first + len(self._finished)
        while row < len(self._taps) and self._taps[row, self._next_tap[row]] < end:
            is_finished = self._add_to(row, values, end)
            if is_finished:
                self._finished.append(self._sums.pop(row))
                if len(self._finished) == _ROWS_AT_ONCE:
                    self._write_finished()
            row += 1
        self._top = end
        if self._first + len(self._finished) == len(self._taps):
            self._write_finished()

    def _add_to(self, row: int, values: np.ndarray, end: int) -> bool:
        """Add all terms of a row that lie before `end`. Returns whether it is finished."""
        taps, weights = self._taps[row], self._weights[row]
        first = self._next_tap[row]
        last = int(np.searchsorted(taps, end))
        for tap in range(first, last):
            term = values[taps[tap] - self._top] * weights[tap]
            if tap == 0:
                self._sums[row] = term
            else:
                self._sums[row] += term
        self._next_tap[row] = last
        return last == len(taps)

    def _write_finished(self) -> None:
        if not self._finished:
            return
        rows = torch.from_numpy(np.stack(self._finished))
        base = clamp_canvas(self._columns.blend(rows, 1)).numpy()
        grid = self._file.layout.grid
        strip = Rect(self._first, 0, self._first + len(base), grid.width)
        for tile in grid.touching(strip):
            core = grid.core(tile)
            shared = strip.intersect(core)
            self._file.write(tile, base[shared.slices((strip.top, 0))], shared.top - core.top)
        self._first, self._finished = strip.bottom, []

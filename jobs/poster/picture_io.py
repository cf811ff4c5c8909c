"""Between a poster's files and its canvas: the input in, previews and outputs out."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from jobs.planning.source import opened
from jobs.runtime.context import Site
from jobs.runtime.manifest import Written
from jobs.spec.poster import Output, Spec
from render.pictures.deepzoom import digest, tiles_folder
from render.pictures.export import bands, preview
from render.pictures.ingest import Pictured, take_in
from render.pictures.output_format import Labels
from render.pictures.source import open_picture
from render.pictures.tiled_image import Mosaic
from render.pictures.write import write_picture

_AT_ONCE = 8
"""Files of a DeepZoom that are uploaded at the same time."""


class Scribe:
    """Decodes the input and encodes what is committed, in bands: it never holds a whole picture."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def take_in(self, spec: Spec) -> None:
        """Decode the spec's input into tiles that every worker can read."""
        if spec.input.path is not None:
            path = self._site.here(spec.input.path, self._site.blobs.input)
            here = spec.input.model_copy(update={"path": path})
            spec = spec.model_copy(update={"input": here})
        picture, _ = opened(spec)
        self._take_in(picture, self._site.keys.input)

    def take_in_mask(self, path: Path, number: int, max_pixels: int) -> None:
        """Decode one of the job's masks the same way."""
        picture = open_picture(self._site.companion(path), max_pixels)
        self._take_in(picture, self._site.keys.mask(number))

    def _take_in(self, picture: Pictured, key: str) -> None:
        take_in(picture, self._site.near(key))
        self._site.hand_over(key)

    def show(self, canvas: Mosaic, octave: int) -> None:
        """Put a small picture of an octave's canvas where people can look at it."""
        key = self._site.keys.preview(octave)
        small = preview(canvas)
        height, width, _ = small.shape
        path = self._site.near(key)
        write_picture(path, "jpeg", (height, width), 8, iter([small]), Labels(None, ""))
        self._site.hand_over(key)

    def write(
        self, canvas: Mosaic, name: str, asked: Output, labels: Labels, look: Callable[[], None]
    ) -> Written:
        """Encode the committed canvas as one output. look: called before each band; may raise."""
        size = (canvas.grid.height, canvas.grid.width)
        keys, number = self._site.keys, self._site.number
        path = self._site.near(keys.output(number, name))
        samples = _watched(bands(canvas, asked.depth), look)
        write_picture(path, asked.format, size, asked.depth, samples, labels)
        files = [path]
        if asked.format == "deepzoom":
            files += sorted(one for one in tiles_folder(path).rglob("*") if one.is_file())
        bytes_ = sum(one.stat().st_size for one in files)
        found = Written(name, asked.format, asked.depth, f"sha256:{digest(path)}", bytes_)
        names = [str(one.relative_to(path.parent)) for one in files]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._site.hand_over, (keys.output(number, one) for one in names)))
        return found


def _watched(samples: Iterator[np.ndarray], look: Callable[[], None]) -> Iterator[np.ndarray]:
    for band in samples:
        look()
        yield band

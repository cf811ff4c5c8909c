"""Between a poster's files and its canvas: the input in, previews and outputs out."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from render.pictures.write_output import write_picture

from jobs.planning.source import open_input
from jobs.runtime.context import JobContext
from jobs.runtime.manifest import OutputFile
from jobs.spec.poster import Output, PosterSpec
from render.pictures.decode import open_picture
from render.pictures.deepzoom import digest, tiles_folder
from render.pictures.export import export_bands, preview
from render.pictures.ingest import PictureSource, ingest_picture
from render.pictures.output_format import Labels
from render.pictures.tiled_image import TiledImage

_UPLOAD_THREADS = 8
"""Files of a DeepZoom that are uploaded at the same time."""


class PictureIO:
    """Decodes the input and encodes what is committed, in bands: it never holds a whole picture."""

    def __init__(self, context: JobContext) -> None:
        self._context = context

    def ingest_input(self, spec: PosterSpec) -> None:
        """Decode the spec's input into tiles that every worker can read."""
        if spec.input.path is not None:
            path = self._context.local_file(spec.input.path, self._context.blobs.input)
            here = spec.input.model_copy(update={"path": path})
            spec = spec.model_copy(update={"input": here})
        picture, _ = open_input(spec)
        self._ingest(picture, self._context.keys.input)

    def ingest_mask(self, path: Path, number: int, max_pixels: int) -> None:
        """Decode one of the job's masks the same way."""
        picture = open_picture(self._context.attachment(path), max_pixels)
        self._ingest(picture, self._context.keys.mask(number))

    def _ingest(self, picture: PictureSource, key: str) -> None:
        ingest_picture(picture, self._context.draft(key))
        self._context.publish_draft(key)

    def write_preview(self, canvas: TiledImage, octave: int) -> None:
        """Put a small picture of an octave's canvas where people can look at it."""
        key = self._context.keys.preview(octave)
        small = preview(canvas)
        height, width, _ = small.shape
        path = self._context.draft(key)
        write_picture(path, "jpeg", (height, width), 8, iter([small]), Labels(None, ""))
        self._context.publish_draft(key)

    def write_output(
        self, canvas: TiledImage, name: str, asked: Output, labels: Labels, look: Callable[[], None]
    ) -> OutputFile:
        """Encode the committed canvas as one output. look: called before each band; may raise."""
        size = (canvas.grid.height, canvas.grid.width)
        keys, number = self._context.keys, self._context.number
        path = self._context.draft(keys.output(number, name))
        samples = _with_stop_checks(export_bands(canvas, asked.depth), look)
        write_picture(path, asked.format, size, asked.depth, samples, labels)
        files = [path]
        if asked.format == "deepzoom":
            files += sorted(one for one in tiles_folder(path).rglob("*") if one.is_file())
        bytes_ = sum(one.stat().st_size for one in files)
        found = OutputFile(name, asked.format, asked.depth, f"sha256:{digest(path)}", bytes_)
        names = [str(one.relative_to(path.parent)) for one in files]
        with ThreadPoolExecutor(_UPLOAD_THREADS) as pool:
            list(pool.map(self._context.publish_draft, (keys.output(number, one) for one in names)))
        return found


def _with_stop_checks(
    samples: Iterator[np.ndarray], look: Callable[[], None]
) -> Iterator[np.ndarray]:
    for band in samples:
        look()
        yield band

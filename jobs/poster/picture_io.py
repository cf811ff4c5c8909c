"""Decodes the input of a poster, and encodes its previews and outputs."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.planning.source import open_input
from jobs.runtime.context import JobContext
from jobs.spec.poster import Output, PosterSpec
from render.determinism import dtypes
from render.device import ResolvedPrecision
from render.engine.octave_bases import OctaveBases
from render.geometry.rect import Size
from render.pictures.decode import open_mask
from render.pictures.deepzoom import output_files
from render.pictures.export import preview
from render.pictures.ingest import ingest_picture
from render.pictures.output_format import Labels
from render.pictures.print_files import PrintFile
from render.pictures.print_writing import Writing
from render.pictures.tiled_image import TiledImage
from render.pictures.write import write_picture

_UPLOAD_THREADS = 8
"""Files of a DeepZoom that are uploaded at once."""


@dataclass(frozen=True)
class OutputFile:
    """An encoded output.

    name: of its file; for a DeepZoom, of its .dzi file. depth: bits a sample. digest: see
    `render.pictures.write.output_digest`. size: of all its files together, in bytes. shape: height
    and width in pixels. details: what else the manifest says of it.
    """

    name: str
    format: str
    depth: int
    digest: str
    size: int
    shape: Size
    details: dict[str, Any] = field(default_factory=dict)


class PictureIO:
    """Decodes and encodes pictures in bands. It never holds a whole picture in memory."""

    def __init__(self, context: JobContext) -> None:
        self._context = context

    def ingest_input(
        self,
        spec: PosterSpec,
        sizes: Sequence[Size],
        octaves: Sequence[int],
        precision: ResolvedPrecision,
    ) -> None:
        """Decode the input of a spec into tiles that any worker can read.

        Args:
            spec: The poster.
            sizes: The height and width of each octave.
            octaves: Those whose bases to make from the same pass over the input.
            precision: Decides the dtype of the bases.

        Raises:
            PictureError: the input is damaged.
            StoreError: the tiles cannot be stored.
        """
        if spec.input.path is not None:
            path = self._context.local_file(spec.input.path, self._context.blobs.input)
            here = spec.input.model_copy(update={"path": path})
            spec = spec.model_copy(update={"input": here})
        picture, _ = open_input(spec)
        keys = {octave: self._context.keys.input_base(octave) for octave in octaves}
        paths = {octave: self._context.draft(key) for octave, key in keys.items()}
        source, dtype = (picture.height, picture.width), dtypes(precision).canvas
        with closing(OctaveBases(paths, source, sizes, dtype)) as bases:
            ingest_picture(picture, self._context.draft(self._context.keys.input), bases.add)
        # The input is last: a holder that finds it finds the bases.
        for key in (*keys.values(), self._context.keys.input):
            self._context.publish_draft(key)

    def ingest_mask(self, path: Path, number: int, max_pixels: int) -> None:
        """Decode a mask into tiles that any worker can read. Raises like `ingest_input`.

        path: of the mask on the coordinator's machine. number: its index among the job's masks.
        """
        picture = open_mask(self._context.attachment(path), max_pixels)
        key = self._context.keys.mask(number)
        ingest_picture(picture, self._context.draft(key))
        self._context.publish_draft(key)

    def write_preview(self, canvas: TiledImage, octave: int) -> None:
        """Write a small JPEG of an octave's canvas to the store. octave: counted from 1."""
        key = self._context.keys.preview(octave)
        small = preview(canvas)
        height, width, _ = small.shape
        path = self._context.draft(key)
        write_picture(path, "jpeg", (height, width), 8, iter([small]), Labels(None, ""))
        self._context.check_lease()
        self._context.publish_draft(key)

    def write_output(
        self, canvas: TiledImage, name: str, output: Output, writing: Writing
    ) -> OutputFile:
        """Encode the committed canvas as one output, and upload its files.

        Args:
            name: of the file to write.
            output: the format and the depth.
            writing: how. The file's bytes do not depend on its threads.

        Raises:
            OutputError: the file cannot be written.
            StoreError: a file cannot be uploaded.
        """
        size = (canvas.grid.height, canvas.grid.width)
        keys, number = self._context.keys, self._context.lease_number
        path = self._context.draft(keys.output(number, name))
        digest = writing.write_whole(canvas, path, output.format, output.depth)
        files = output_files(path)
        bytes_ = sum(one.stat().st_size for one in files)
        file = OutputFile(name, output.format, output.depth, digest, bytes_, size)
        names = [str(one.relative_to(path.parent)) for one in files]
        with ThreadPoolExecutor(_UPLOAD_THREADS) as pool:
            list(pool.map(self._context.publish_draft, (keys.output(number, one) for one in names)))
        return file

    def write_print_file(self, canvas: TiledImage, file: PrintFile, writing: Writing) -> OutputFile:
        """Write a file for the printer from the committed canvas, and upload it.

        Raises:
            OutputError: the file cannot be written.
            StoreError: it cannot be uploaded.
        """
        key = self._context.keys.output(self._context.lease_number, file.name)
        path = self._context.draft(key)
        digest = file.write(canvas, path, writing)
        size = path.stat().st_size
        self._context.publish_draft(key)
        return OutputFile(file.name, file.format, file.depth, digest, size, file.size)

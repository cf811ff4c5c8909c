"""Files for a printer, made from a canvas: a part of it, a hanging plan, a contract proof."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from render.geometry.rect import Rect, Size
from render.pictures.bands import BandStream
from render.pictures.contract_proof import WHOLE_SIDE, true_size_part, write_proof
from render.pictures.hanging_plan import HangingPlan, write_hanging_plan
from render.pictures.output_format import check_output
from render.pictures.pdf_document import PdfPicture, write_pdf
from render.pictures.pdf_page import Page, trimmed_page
from render.pictures.print_writing import Writing
from render.pictures.tiled_image import TiledImage
from render.pictures.write import write_picture

PDF = "pdf"

_SMALL_SIDE = 1024
"""The most pixels on a side of the picture in a plan."""


class PrintFile(Protocol):
    """A file to write.

    name: of the file. format: as in a manifest. depth: bits a sample. size: height and width in
    pixels; those of a page are without its bleed. written: at most so many pixels are in the file.
    """

    @property
    def name(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def depth(self) -> int: ...
    @property
    def size(self) -> Size: ...
    @property
    def written(self) -> int: ...

    def write(self, canvas: TiledImage, path: Path, writing: Writing) -> str:
        """Write the file from the final canvas. Returns its `output_digest`.

        Raises OutputError, and what `writing.check_stop` raises.
        """
        ...


@dataclass(frozen=True)
class PartFile:
    """A part of the canvas, or all of it, with its bleed.

    part: with its bleed, so it may reach beyond the canvas, which is mirrored there.
    bleed: pixels on each side. dpi: pixels per inch. marks: crop marks, in a PDF only. label: the
    name of a panel, which is beside its marks.
    """

    name: str
    format: str
    depth: int
    part: Rect
    bleed: int
    dpi: float
    marks: bool = False
    label: str = ""

    def __post_init__(self) -> None:
        """Raises OutputError if the format cannot hold the part."""
        if self.format == PDF:
            self._page()
        else:
            check_output(self.format, *self._shape, self.depth)

    @property
    def _shape(self) -> Size:
        return self.part.height, self.part.width

    @property
    def size(self) -> Size:
        """See `PrintFile`."""
        trimmed = self.part.grown(-self.bleed) if self.format == PDF else self.part
        return trimmed.height, trimmed.width

    @property
    def written(self) -> int:
        """See `PrintFile`."""
        return self.part.area

    def write(self, canvas: TiledImage, path: Path, writing: Writing) -> str:
        """See `PrintFile`."""
        bands = writing.inked_bands(canvas, self.depth, self.part)
        if self.format != PDF:
            return write_picture(
                path,
                self.format,
                self._shape,
                self.depth,
                bands,
                writing.labels,
                writing.threads,
                writing.encoding,
            )
        picture = BandStream(*self._shape, self.depth, bands, writing.encoding.channels)
        pages = [PdfPicture(self._page(), picture)]
        title = Path(self.name).stem
        return write_pdf(path, title, pages, writing.labels, writing.encoding, writing.threads)

    def _page(self) -> Page:
        shape, bleed, dpi = self._shape, self.bleed, self.dpi
        return trimmed_page(shape, bleed, dpi, marks=self.marks, label=self.label)


@dataclass(frozen=True)
class PlanFile:
    """The hanging plan of panels."""

    name: str
    plan: HangingPlan
    format: str = PDF
    depth: int = 8

    @property
    def size(self) -> Size:
        """Height and width of the whole poster."""
        return self.plan.grid.size

    @property
    def written(self) -> int:
        """See `PrintFile`."""
        return _SMALL_SIDE**2

    def write(self, canvas: TiledImage, path: Path, writing: Writing) -> str:
        """See `PrintFile`."""
        # Imported here because torch loads for seconds, and a plan does not need it.
        from render.pictures.export import preview

        writing.check_stop()
        return write_hanging_plan(path, self.plan, preview(canvas, _SMALL_SIDE))


@dataclass(frozen=True)
class ProofFile:
    """The contract proof of a poster. size: of the poster."""

    name: str
    size: Size
    dpi: float
    format: str = "contract-proof"
    depth: int = 8

    @property
    def written(self) -> int:
        """See `PrintFile`."""
        return WHOLE_SIDE**2 + true_size_part(self.size, self.dpi).area

    def write(self, canvas: TiledImage, path: Path, writing: Writing) -> str:
        """See `PrintFile`."""
        return write_proof(path, Path(self.name).stem, canvas, self.dpi, writing)

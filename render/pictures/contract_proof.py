"""The contract proof of a poster: the whole on A4, and a part of it in its true size.

Both are pages of one PDF. Their pictures stay in sRGB; a printer's profile is the output intent, so
that proofing software shows its colours.
"""

from pathlib import Path

from render.geometry.rect import Rect, Size
from render.pictures.bands import BandStream
from render.pictures.pdf_document import PdfPicture, write_pdf
from render.pictures.pdf_page import A4, POINTS_PER_INCH, POINTS_PER_MM, centred_page
from render.pictures.print_writing import Writing
from render.pictures.tiled_image import TiledImage

_MARGIN = 10 * POINTS_PER_MM
"""White paper around both pictures, because few printers reach the edge."""

WHOLE_SIDE = 3508
"""The most pixels on the longer side of the whole: A4 at 300 dpi."""


def write_proof(path: Path, title: str, canvas: TiledImage, dpi: float, writing: Writing) -> str:
    """Write the proof of a canvas, and return its `output_digest`. Raises OutputError.

    title: printable ASCII. dpi: pixels per inch of the poster.
    """
    # Imported here because torch loads for seconds, and a plan does not need it.
    from render.pictures.export import preview

    size = canvas.grid.height, canvas.grid.width
    paper, inner = _paper(size)
    whole = preview(canvas, WHOLE_SIDE)
    scale = min(inner[0] / size[1], inner[1] / size[0])
    part = true_size_part(size, dpi)
    point = POINTS_PER_INCH / dpi
    pages = [
        PdfPicture(
            centred_page(paper, (size[1] * scale, size[0] * scale)),
            BandStream(whole.shape[0], whole.shape[1], 8, [whole]),
        ),
        PdfPicture(
            centred_page(paper, (part.width * point, part.height * point)),
            BandStream(part.height, part.width, 8, writing.bands(canvas, 8, part)),
        ),
    ]
    return write_pdf(path, title, pages, writing.labels, writing.encoding, writing.threads)


def true_size_part(size: Size, dpi: float) -> Rect:
    """The middle of a picture of that size, as large as the paper allows."""
    across, down = (max(1, int(one / POINTS_PER_INCH * dpi)) for one in _paper(size)[1])
    width, height = min(across, size[1]), min(down, size[0])
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    return Rect(top, left, top + height, left + width)


def _paper(size: Size) -> tuple[tuple[float, float], tuple[float, float]]:
    """Width and height of paper that lies like the picture, and without its margins, in points."""
    paper = (max(A4), min(A4)) if size[1] > size[0] else A4
    return paper, (paper[0] - 2 * _MARGIN, paper[1] - 2 * _MARGIN)

"""The files of an output for the printer: how many there are, and what each shows."""

from collections.abc import Callable
from decimal import Decimal

from jobs.spec.length import PRINT_DPI, Length
from jobs.spec.panels import CONTRACT_PROOF, Panels, length_pixels
from jobs.spec.poster import Output
from jobs.text.errors import RequestError
from render.geometry.rect import Rect, Size
from render.pictures.hanging_plan import HangingPlan
from render.pictures.output_format import FORMATS
from render.pictures.panels import PanelGrid
from render.pictures.print_files import PDF, PartFile, PlanFile, PrintFile, ProofFile

MAX_PANELS = 1000
"""The most panels of a poster: each is an entry of the manifest."""

_MM_PER_INCH = 25.4


def print_files(output: Output, name: str, size: Size, dpi: float | None) -> tuple[PrintFile, ...]:
    """The files of an output for the printer, of a poster of that name and size.

    size: height and width in pixels. dpi: of the poster; a page needs one, so None means 300.

    Raises RequestError or OutputError if the output does not fit the poster.
    """
    exact, name = PRINT_DPI if dpi is None else Decimal(str(dpi)), name + output.kind
    if output.panels is not None:
        return _panel_files(output, output.panels, name, size, exact)
    if output.format == CONTRACT_PROOF:
        return (ProofFile(f"{name}-{CONTRACT_PROOF}.pdf", size, float(exact)),)
    bleed = _bleed("bleed", output.bleed, size, exact)
    part = Rect(0, 0, *size).grown(bleed)
    return (PartFile(f"{name}.pdf", PDF, 8, part, bleed, float(exact), output.marks),)


def _panel_files(
    output: Output, panels: Panels, name: str, size: Size, dpi: Decimal
) -> tuple[PrintFile, ...]:
    """The hanging plan, and the panels row by row."""
    grid = _panel_grid(panels, size, dpi)
    bleed = _bleed("panels.bleed", panels.bleed, size, dpi)
    suffix = f".{PDF}" if output.format == PDF else FORMATS[output.format].suffix
    plan = HangingPlan(name, grid, bleed, float(dpi))
    parts = (
        PartFile(
            f"{name}-{grid.name(panel)}{suffix}",
            output.format,
            output.depth,
            panel.pixels.grown(bleed),
            bleed,
            float(dpi),
            panels.marks,
            grid.name(panel),
        )
        for panel in grid.panels()
    )
    return (PlanFile(f"{name}-panels.pdf", plan), *parts)


def _panel_grid(panels: Panels, size: Size, dpi: Decimal) -> PanelGrid:
    length = _shown(dpi)
    sides = {"height": (panels.height, size[0]), "width": (panels.width, size[1])}
    for field, (side, of_poster) in sides.items():
        if side is not None and length_pixels(side, dpi) > of_poster:
            raise RequestError(
                f"panels.{field}: {side} is more than the poster's {length(of_poster)}; "
                "choose less, or leave it out"
            )
    height, width = (
        of_poster if side is None else length_pixels(side, dpi)
        for side, of_poster in sides.values()
    )
    overlap = length_pixels(panels.overlap, dpi)
    if overlap >= min(height, width):
        raise RequestError(
            f"panels.overlap: {panels.overlap} is not less than a side of a panel, "
            f"{length(width)} x {length(height)}; choose less"
        )
    grid = PanelGrid(size, (height, width), overlap)
    if grid.rows * grid.columns > MAX_PANELS:
        raise RequestError(
            f"panels: {grid.rows * grid.columns} of them, and at most {MAX_PANELS} are allowed; "
            "choose larger ones"
        )
    return grid


def _bleed(field: str, bleed: Length | None, size: Size, dpi: Decimal) -> int:
    pixels = length_pixels(bleed, dpi)
    if pixels > min(size):
        raise RequestError(
            f"{field}: {bleed} is more than the poster's {_shown(dpi)(min(size))}; choose less"
        )
    return pixels


def _shown(dpi: Decimal) -> Callable[[int], str]:
    """Writes pixels as people measure them."""
    return lambda pixels: f"{pixels / float(dpi) * _MM_PER_INCH / 10:.1f} cm"

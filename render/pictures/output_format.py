"""Output formats: their limits, and the metadata that every output carries."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from render.errors import OutputError


@dataclass(frozen=True)
class Format:
    """An output format.

    name: its name in specs. suffix: of its files. depths: allowed bits per sample.
    max_side: largest width or height, in pixels.
    """

    name: str
    suffix: str
    depths: tuple[int, ...]
    max_side: int


_LIBVIPS_MAX_SIDE = 10_000_000
"""The lowest limit among supported versions of libvips."""


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        made.name: made
        for made in (
            Format("png", ".png", (8, 16), _LIBVIPS_MAX_SIDE),
            # The limit of libjpeg, slightly below the format's own 65535.
            Format("jpeg", ".jpg", (8,), 65_500),
            Format("tiff", ".tif", (8, 16), _LIBVIPS_MAX_SIDE),
            Format("deepzoom", ".dzi", (8,), _LIBVIPS_MAX_SIDE),
        )
    }
)


def check_output(format_name: str, height: int, width: int, depth: int) -> None:
    """Check that a format can hold a picture, before anything is rendered.

    Raises OutputError if the format is unknown, does not have the depth, or if a side is below 1
    or above the limit.
    """
    if format_name not in FORMATS:
        raise OutputError(f"output {format_name}: no such format: use one of {', '.join(FORMATS)}")
    wanted = FORMATS[format_name]
    if depth not in wanted.depths:
        fitting = [other.name for other in FORMATS.values() if depth in other.depths]
        advice = f"use {' or '.join(fitting)}" if fitting else "use 8 or 16"
        raise OutputError(f"output {format_name}: cannot hold {depth} bits a sample: {advice}")
    if not (1 <= height <= wanted.max_side and 1 <= width <= wanted.max_side):
        fitting = [o.name for o in FORMATS.values() if max(height, width) <= o.max_side]
        advice = f", or use {', '.join(fitting)}" if fitting and min(height, width) > 0 else ""
        raise OutputError(
            f"output {format_name}: {width} x {height} pixels: a side has 1 to"
            f" {wanted.max_side}: change the size{advice}"
        )


UNSTATED_DPI = 72.0
"""The conventional value for no resolution; every format has to state one."""


@dataclass(frozen=True)
class Labels:
    """Metadata that is embedded in an output.

    dpi: print resolution in pixels per inch, 1 to 100000; None if there is no physical size.
    identity: a short JSON text in printable ASCII, which every format can hold.
    """

    dpi: float | None
    identity: str

    def __post_init__(self) -> None:
        if not (self.identity.isascii() and self.identity.isprintable()):
            raise ValueError("an identity is printable ASCII: write the JSON with escapes")
        if self.dpi is not None and not 1 <= self.dpi <= 100_000:
            raise ValueError(f"a resolution is 1 to 100000 dpi, not {self.dpi}")

    @property
    def pixels_per_mm(self) -> float:
        """The resolution in pixels per millimetre, the unit of libvips."""
        return (UNSTATED_DPI if self.dpi is None else self.dpi) / 25.4

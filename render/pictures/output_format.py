"""What a picture can be written as, and what each format can hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from render.errors import OutputError


@dataclass(frozen=True)
class Format:
    """A file format: its name in specs, the suffix of its files, its limits.

    `depths` are the bits a sample may have; `max_side` is in pixels.
    """

    name: str
    suffix: str
    depths: tuple[int, ...]
    max_side: int


_LIBVIPS_SIDE = 10_000_000
"""The least of the limits that supported versions of libvips set."""


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        made.name: made
        for made in (
            Format("png", ".png", (8, 16), _LIBVIPS_SIDE),
            # libjpeg stops a little before the 65535 that the format itself could say.
            Format("jpeg", ".jpg", (8,), 65_500),
            Format("tiff", ".tif", (8, 16), _LIBVIPS_SIDE),
            Format("deepzoom", ".dzi", (8,), _LIBVIPS_SIDE),
        )
    }
)


def check_output(format_name: str, height: int, width: int, depth: int) -> None:
    """Refuse, before anything is rendered, what the format cannot hold.

    Raises OutputError for an unknown format, a depth that it does not have, or a side of less
    than 1 or more than its limit.
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
"""Every format states some resolution; this one is what programs take as 'none given'."""


@dataclass(frozen=True)
class Labels:
    """Metadata of an output.

    `dpi` is the print resolution in pixels an inch, or None if the picture has no physical size;
    `identity` is a short JSON text, ASCII (JSON can escape the rest): formats differ in what
    else they can carry.
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
        """The resolution in libvips' unit."""
        return (UNSTATED_DPI if self.dpi is None else self.dpi) / 25.4

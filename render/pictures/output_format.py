"""Output formats: their limits, and the metadata that every output carries."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from render.errors import OutputError
from render.pictures.vips import can_encode


@dataclass(frozen=True)
class Format:
    """An output format.

    name: its name in specs. suffix: the end of a file's name. depths: allowed bits per sample.
    max_side: largest width or height, in pixels. settings: the fields of an `Encoding` that it
    heeds. max_pixels: of formats whose encoders hold the whole picture in memory.
    """

    name: str
    suffix: str
    depths: tuple[int, ...]
    max_side: int
    settings: frozenset[str] = frozenset()
    max_pixels: int | None = None


_LIBVIPS_MAX_SIDE = 10_000_000
"""The lowest limit among supported versions of libvips."""

_WEBP_PIXELS, _AVIF_PIXELS = 50_000_000, 12_000_000
"""The most pixels of formats that are encoded as a whole, by 9 and 38 bytes for each: a process
stays within a GiB. Measured; for JPEG XL, which libvips here lacks, as for AVIF."""

_TIFF = frozenset({"compression", "profile"})

_ZOOM = frozenset({"quality", "viewer"})

_IIIF = _ZOOM | {"address"}


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        made.name: made
        for made in (
            Format("png", ".png", (8, 16), _LIBVIPS_MAX_SIDE),
            # The limit of libjpeg, slightly below the format's own 65535.
            Format("jpeg", ".jpg", (8,), 65_500, frozenset({"quality", "chroma", "profile"})),
            Format("tiff", ".tif", (8, 16), _LIBVIPS_MAX_SIDE, _TIFF),
            Format("deepzoom", ".dzi", (8,), _LIBVIPS_MAX_SIDE, _ZOOM),
            Format("deepzoom-zip", "-deepzoom.zip", (8,), _LIBVIPS_MAX_SIDE, _ZOOM),
            Format("iiif", "-iiif.html", (8,), _LIBVIPS_MAX_SIDE, _IIIF),
            Format("iiif-zip", "-iiif.zip", (8,), _LIBVIPS_MAX_SIDE, _IIIF),
            Format("webp", ".webp", (8,), 16_383, frozenset({"quality"}), _WEBP_PIXELS),
            # Decoders refuse more than the highest level of AV1 allows.
            Format("avif", ".avif", (8,), 16_384, frozenset({"quality", "chroma"}), _AVIF_PIXELS),
            Format("jxl", ".jxl", (8,), _LIBVIPS_MAX_SIDE, frozenset({"quality"}), _AVIF_PIXELS),
        )
    }
)


def check_output(format_name: str, height: int, width: int, depth: int) -> None:
    """Check that a format can hold a picture, before anything is rendered.

    Raises OutputError if the format is unknown, does not have the depth, if libvips here cannot
    write it, or if a side or the pixels exceed its limits.
    """
    if format_name not in FORMATS:
        raise OutputError(f"output {format_name}: no such format: use one of {', '.join(FORMATS)}")
    wanted = FORMATS[format_name]
    if depth not in wanted.depths:
        fitting = [other.name for other in FORMATS.values() if depth in other.depths]
        advice = f"use {' or '.join(fitting)}" if fitting else "use 8 or 16"
        raise OutputError(f"output {format_name}: cannot hold {depth} bits a sample: {advice}")
    if not (1 <= height <= wanted.max_side and 1 <= width <= wanted.max_side):
        fitting = [
            other.name
            for other in FORMATS.values()
            if max(height, width) <= other.max_side and other.max_pixels is None
        ]
        advice = f", or use {', '.join(fitting)}" if fitting and min(height, width) > 0 else ""
        raise OutputError(
            f"output {format_name}: {width} x {height} pixels: a side has 1 to"
            f" {wanted.max_side}: change the size{advice}"
        )
    if wanted.max_pixels is not None:
        _check_whole(wanted, height, width)


def _check_whole(wanted: Format, height: int, width: int) -> None:
    """Check a format whose encoder is libvips' own, and holds the whole picture in memory."""
    if not can_encode(wanted.name):
        raise OutputError(
            f"output {wanted.name}: libvips on this machine cannot write it: use another format"
        )
    if wanted.max_pixels is not None and height * width > wanted.max_pixels:
        raise OutputError(
            f"output {wanted.name}: {width} x {height} is {height * width / 1e6:.0f} megapixels,"
            f" and its encoder holds the whole picture, of at most {wanted.max_pixels / 1e6:.0f}:"
            " choose a smaller size, or use jpeg"
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

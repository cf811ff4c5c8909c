"""What an output says about itself."""

from dataclasses import dataclass

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

"""How an output is encoded, besides its format and depth."""

from dataclasses import dataclass
from typing import Literal

Compression = Literal["none", "lzw", "deflate"]

Chroma = Literal["4:4:4", "4:2:0"]

Intent = Literal["perceptual", "relative", "saturation", "absolute"]

BUILTIN_PROFILE = "cmyk"
"""The name of the CMYK profile that comes with libvips."""


@dataclass(frozen=True)
class Viewer:
    """The script that shows tiles in a browser, and its licence: the bytes of OpenSeadragon."""

    script: bytes
    licence: bytes


@dataclass(frozen=True)
class Encoding:
    """The settings of an encoder. A format heeds those that `Format.settings` names.

    compression: of a TIFF, without loss in any case.
    quality: from 1 to 100; None for the format's own default.
    chroma: `4:2:0` keeps a quarter of the colour samples.
    profile: the ICC profile of CMYK samples, which is embedded; None for sRGB samples.
    address: where an IIIF will be served, without its final `/`; None if that is not known.
    viewer: makes a page beside the tiles, which a browser opens without a network.
    """

    compression: Compression = "deflate"
    quality: int | None = None
    chroma: Chroma = "4:4:4"
    profile: bytes | None = None
    address: str | None = None
    viewer: Viewer | None = None

    @property
    def channels(self) -> int:
        """The number of channels of the samples."""
        return 3 if self.profile is None else 4

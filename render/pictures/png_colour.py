"""Converts the colours that a PNG states by numbers instead of a profile to sRGB.

`cICP` has code points for primaries and transfer function (ITU-T H.273), `gAMA` an exponent, and
`cHRM` chromaticities. What has no one meaning on paper is refused: HDR, and video levels. The
transfer function of video counts as that of sRGB, as in browsers. Invalid `gAMA` and `cHRM` are
ignored, as in libpng.
"""

import struct
from pathlib import Path

from render.errors import PictureError
from render.pictures.linear_light import (
    HDR,
    SRGB,
    SRGB_TRANSFER,
    Chromaticities,
    StatedColours,
    coded_colours,
    colorants,
)
from render.pictures.png_chunks import PngChunks

_UNSPECIFIED = 2

_GAMMA_UNIT = 100_000

_SRGB_GAMMA = range(44_500, 46_500)
"""Of gAMA: programs write 1/2.2 for sRGB samples, and none decodes these by a power of 2.2."""

_GAMMAS = range(10_000, 1_000_001)

_VALID_GAMMAS = range(16, 625_000_001)
"""libpng ignores others."""


def stated_colours(chunks: PngChunks, path: Path) -> StatedColours | None:
    """Return the colours that chunks state by numbers.

    None: there are no valid ones, or an embedded profile or an sRGB chunk counts before them.
    Raises PictureError for colours that cannot be converted.
    """
    cicp = chunks.chunks.get(b"cICP")
    if cicp is not None and tuple(cicp[:2]) != (_UNSPECIFIED, _UNSPECIFIED):
        return _coded_colours(cicp, path)
    if {b"iCCP", b"sRGB"} & chunks.chunks.keys():
        return None
    exponent = _exponent(chunks.chunks.get(b"gAMA", b""), path)
    chromaticities = _chromaticities(chunks.chunks.get(b"cHRM", b""))
    if exponent is None and chromaticities is None:
        return None
    return StatedColours(chromaticities or SRGB, SRGB_TRANSFER if exponent is None else exponent)


def _coded_colours(cicp: bytes, path: Path) -> StatedColours:
    """The colours of a cICP chunk. Raises PictureError."""
    if len(cicp) == 4 and cicp[2:] == b"\0\1":
        colours = coded_colours(cicp[0], cicp[1])
        if colours is not None:
            return colours
    name = f"HDR ({HDR[cicp[1]]}) " if len(cicp) > 1 and cicp[1] in HDR else ""
    codes = " ".join(map(str, cicp[:4]))
    raise PictureError(
        f"{path}: has {name}colours that cannot be converted (cICP {codes}): "
        "export it as sRGB or Display P3"
    )


def _exponent(gama: bytes, path: Path) -> float | None:
    """The exponent that decodes the samples, from a gAMA chunk; None if the chunk is invalid.

    Raises PictureError.
    """
    gamma = int.from_bytes(gama, "big")
    if len(gama) != 4 or gamma not in _VALID_GAMMAS:
        return None
    if gamma in _SRGB_GAMMA:
        return SRGB_TRANSFER
    if gamma not in _GAMMAS:
        raise PictureError(f"{path}: its gAMA chunk states {gamma}: export it as sRGB")
    return _GAMMA_UNIT / gamma


def _chromaticities(chrm: bytes) -> Chromaticities | None:
    """The chromaticities of a cHRM chunk; None if the chunk is invalid."""
    if len(chrm) != 32:
        return None
    chromaticities = tuple(value / 100_000 for value in struct.unpack(">8I", chrm))
    try:
        colorants(chromaticities)
    except ValueError:
        return None
    return chromaticities

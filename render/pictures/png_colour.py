"""Converts the colours that a PNG states by numbers instead of a profile to sRGB.

`cICP` has code points for primaries and transfer function (ITU-T H.273), `gAMA` an exponent, and
`cHRM` chromaticities. What has no one meaning on paper is refused: HDR, and video levels. The
transfer function of video counts as that of sRGB, as in browsers. Invalid `gAMA` and `cHRM` are
ignored, as in libpng.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from render.errors import PictureError
from render.pictures.png_chunks import PngChunks
from render.pictures.vips import libvips

_Chromaticities = tuple[float, ...]
"""x and y of white, red, green and blue, as in cHRM."""

_D65 = (0.3127, 0.3290)

_SRGB = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)

_PRIMARIES: Mapping[int, _Chromaticities] = MappingProxyType(
    {
        1: _SRGB,
        5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),  # BT.601, 625 lines
        6: (*_D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),  # BT.601, 525 lines
        9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),  # BT.2020
        12: (*_D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),  # Display P3
    }
)

_SRGB_TRANSFER = 0.0
"""In place of an exponent: the piecewise function of sRGB."""

_VIDEO_TRANSFERS = (1, 6, 14, 15)
"""BT.709, BT.601 and BT.2020 share one function."""

_TRANSFERS = MappingProxyType(
    {4: 2.2, 5: 2.8, 8: 1.0, **dict.fromkeys((*_VIDEO_TRANSFERS, 13), _SRGB_TRANSFER)}
)

_TRANSFER_NAMES = MappingProxyType({16: "HDR (PQ) ", 18: "HDR (HLG) "})

_UNSPECIFIED = 2

_PROFILE = "icc-profile-data"

_GAMMA_UNIT = 100_000

_SRGB_GAMMA = range(44_500, 46_500)
"""Of gAMA: programs write 1/2.2 for sRGB samples, and none decodes these by a power of 2.2."""

_GAMMAS = range(10_000, 1_000_001)

_VALID_GAMMAS = range(16, 625_000_001)
"""libpng ignores others."""

_SAME = 0.002
"""Chromaticities that differ by less count as those of sRGB."""


@dataclass(frozen=True)
class StatedColours:
    """The meaning of a PNG's samples.

    chromaticities: x and y of white, red, green and blue. exponent: decodes samples to light.
    matrix: from light of these colours to light of sRGB, with the same white.
    """

    chromaticities: _Chromaticities
    exponent: float
    matrix: np.ndarray

    def to_srgb(self, image: Any) -> Any:
        """Convert a libvips image of grey or RGB samples, perhaps with alpha, to sRGB.

        Colours outside sRGB are cut off channel by channel, as in browsers. An embedded profile is
        removed, because the numbers count before it.
        """
        grey = image.bands < 3
        peak = 255 if image.format == "uchar" else 65535
        samples, converted = image.extract_band(0, n=1 if grey else 3), image
        is_srgb = grey or bool(np.allclose(self.chromaticities, _SRGB, atol=_SAME, rtol=0))
        if not (is_srgb and self.exponent == _SRGB_TRANSFER):
            table = self._decode(np.arange(peak + 1) / peak)
            light = samples.maplut(libvips().Image.new_from_array(table[None]).cast("float"))
            if not is_srgb:
                light = light.recomb(libvips().Image.new_from_array(self.matrix))
            converted = (_encode(light.clamp(min=0, max=1)) * peak).rint().cast(image.format)
            if image.hasalpha():
                converted = converted.bandjoin(image[image.bands - 1])
        copy = converted.copy(interpretation=image.interpretation)
        if copy.get_typeof(_PROFILE):
            copy.remove(_PROFILE)
        return copy

    def _decode(self, samples: np.ndarray) -> np.ndarray:
        if self.exponent != _SRGB_TRANSFER:
            return samples**self.exponent
        return np.where(samples <= 0.04045, samples / 12.92, ((samples + 0.055) / 1.055) ** 2.4)


def _encode(light: Any) -> Any:
    """Encode light from 0 to 1 by the function of sRGB (IEC 61966-2-1)."""
    high = light.math2_const("pow", [1 / 2.4]) * 1.055 - 0.055
    return (light <= 0.0031308).ifthenelse(light * 12.92, high)


def stated_colours(chunks: PngChunks, path: Path) -> StatedColours | None:
    """Return the colours that chunks state by numbers.

    None: there are no valid ones, or an embedded profile or an sRGB chunk counts before them.
    Raises PictureError for colours that cannot be converted.
    """
    cicp = chunks.chunks.get(b"cICP")
    if cicp is not None and tuple(cicp[:2]) != (_UNSPECIFIED, _UNSPECIFIED):
        return _colours(*_code_points(cicp, path))
    if {b"iCCP", b"sRGB"} & chunks.chunks.keys():
        return None
    exponent = _exponent(chunks.chunks.get(b"gAMA", b""), path)
    chromaticities = _chromaticities(chunks.chunks.get(b"cHRM", b""))
    if exponent is None and chromaticities is None:
        return None
    return _colours(chromaticities or _SRGB, _SRGB_TRANSFER if exponent is None else exponent)


def _colours(chromaticities: _Chromaticities, exponent: float) -> StatedColours:
    matrix = np.linalg.inv(_colorants(_SRGB)) @ _colorants(chromaticities)
    return StatedColours(chromaticities, exponent, matrix)


def _code_points(cicp: bytes, path: Path) -> tuple[_Chromaticities, float]:
    """The chromaticities and the exponent of a cICP chunk. Raises PictureError."""
    if len(cicp) == 4 and cicp[2:] == b"\0\1":
        primaries, transfer = _PRIMARIES.get(cicp[0]), _TRANSFERS.get(cicp[1])
        if primaries is not None and transfer is not None:
            return primaries, transfer
    name = _TRANSFER_NAMES.get(cicp[1], "") if len(cicp) > 1 else ""
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
        return _SRGB_TRANSFER
    if gamma not in _GAMMAS:
        raise PictureError(f"{path}: its gAMA chunk states {gamma}: export it as sRGB")
    return _GAMMA_UNIT / gamma


def _chromaticities(chrm: bytes) -> _Chromaticities | None:
    """The chromaticities of a cHRM chunk; None if the chunk is invalid."""
    if len(chrm) != 32:
        return None
    chromaticities = tuple(value / 100_000 for value in struct.unpack(">8I", chrm))
    try:
        _colorants(chromaticities)
    except ValueError:
        return None
    return chromaticities


_D50 = np.array([0.9642, 1.0, 0.8249])
"""A white that both colours are changed to (ICC.1, 7.2.16)."""

_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
"""From XYZ to the responses of cones, for the change of white (ICC.1, annex E)."""


def _colorants(chromaticities: _Chromaticities) -> np.ndarray:
    """XYZ of red, green and blue in columns, with white changed to D50.

    Raises ValueError if no colours have these chromaticities.
    """
    x, y = np.array(chromaticities).reshape(4, 2).T
    points = np.stack([x, y, 1 - x - y])  # columns: white, red, green, blue
    try:
        white = points[:, 0] / y[0] if y[0] else np.zeros(3)
        amounts = np.linalg.solve(points[:, 1:], white)
    except np.linalg.LinAlgError:
        raise ValueError("the primaries lie on a line") from None
    if not (amounts > 0).all():
        raise ValueError("white lies outside the primaries")
    change = np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ _D50 / (_BRADFORD @ white)) @ _BRADFORD
    colorants: np.ndarray = change @ (points[:, 1:] * amounts)
    return colorants

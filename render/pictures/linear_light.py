"""Light, which is linear, between colours of other spaces and samples of sRGB.

`StatedColours` are colours that a file states by numbers instead of a profile.

Colours meet in XYZ with the white D50, as in ICC profiles. What lies outside sRGB is cut off
channel by channel, as in browsers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from render.pictures.vips import libvips

_SAME = 0.002
"""Chromaticities that differ by less count as those of sRGB."""

Chromaticities = tuple[float, ...]
"""x and y of white, red, green and blue, as in cHRM."""

SRGB = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
"""The chromaticities of sRGB (IEC 61966-2-1)."""

PROFILE = "icc-profile-data"
"""The name of the embedded profile of a libvips image."""

_D65 = (0.3127, 0.3290)

_BT601 = (*_D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07)
"""Of 525 lines; SMPTE 240M has the same."""

_PRIMARIES: Mapping[int, Chromaticities] = MappingProxyType(
    {
        1: SRGB,
        5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),  # BT.601, 625 lines
        6: _BT601,
        7: _BT601,
        9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),  # BT.2020
        12: (*_D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),  # Display P3
    }
)

SRGB_TRANSFER = 0.0
"""In place of an exponent: the piecewise function of sRGB."""

_VIDEO_TRANSFERS = (1, 6, 14, 15)
"""BT.709, BT.601 and BT.2020 share one function."""

_TRANSFERS: Mapping[int, float] = MappingProxyType(
    {4: 2.2, 5: 2.8, 8: 1.0, **dict.fromkeys((*_VIDEO_TRANSFERS, 13), SRGB_TRANSFER)}
)

HDR = MappingProxyType({16: "PQ", 18: "HLG"})
"""Transfer functions of high dynamic range, which have no one meaning on paper."""

D50 = np.array([0.9642, 1.0, 0.8249])
"""A white that all colours are changed to (ICC.1, 7.2.16)."""

_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
"""From XYZ to the responses of cones, for the change of white (ICC.1, annex E)."""


def colorants(chromaticities: Chromaticities) -> np.ndarray:
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
    change = np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ D50 / (_BRADFORD @ white)) @ _BRADFORD
    columns: np.ndarray = change @ (points[:, 1:] * amounts)
    return columns


def decode_srgb(samples: np.ndarray) -> np.ndarray:
    """Decode samples from 0 to 1 to light by the function of sRGB (IEC 61966-2-1)."""
    return np.where(samples <= 0.04045, samples / 12.92, ((samples + 0.055) / 1.055) ** 2.4)


def encode_light(light: Any, image: Any, matrix: np.ndarray | None = None) -> Any:
    """Encode a libvips image of light, in which white is 1, as sRGB like `image`.

    Args:
        light: Grey or three colours, without alpha.
        image: The samples, of uchar or ushort, from which the light was decoded. Its alpha band
            and its metadata are kept.
        matrix: From the colours of `light` to linear sRGB; None if they are linear sRGB.
    """
    if matrix is not None:
        light = light.recomb(libvips().Image.new_from_array(matrix))
    light = light.clamp(min=0, max=1)
    high = light.math2_const("pow", [1 / 2.4]) * 1.055 - 0.055
    encoded = (light <= 0.0031308).ifthenelse(light * 12.92, high)
    samples = (encoded * (255 if image.format == "uchar" else 65535)).rint().cast(image.format)
    if image.hasalpha():
        samples = samples.bandjoin(image[image.bands - 1])
    return samples.copy(interpretation=image.interpretation)


def without_profile(image: Any) -> Any:
    """The image without its embedded profile, which does not describe it any more."""
    copy = image.copy()
    if copy.get_typeof(PROFILE):
        copy.remove(PROFILE)
    return copy


@dataclass(frozen=True)
class StatedColours:
    """The meaning of samples, stated by numbers instead of a profile.

    chromaticities: x and y of white, red, green and blue, of which `colorants` has the colours.
    exponent: decodes samples to light; SRGB_TRANSFER for the function of sRGB.
    """

    chromaticities: Chromaticities
    exponent: float

    def to_srgb(self, image: Any) -> Any:
        """Convert a libvips image of grey or RGB samples, perhaps with alpha, to sRGB.

        Colours outside sRGB are cut off channel by channel, as in browsers. An embedded profile is
        removed, because the numbers count before it.
        """
        grey = image.bands < 3
        peak = 255 if image.format == "uchar" else 65535
        samples, converted = image.extract_band(0, n=1 if grey else 3), image
        is_srgb = grey or bool(np.allclose(self.chromaticities, SRGB, atol=_SAME, rtol=0))
        if not (is_srgb and self.exponent == SRGB_TRANSFER):
            table = self._decode(np.arange(peak + 1) / peak)
            light = samples.maplut(libvips().Image.new_from_array(table[None]).cast("float"))
            converted = encode_light(light, image, None if is_srgb else self._matrix())
        return without_profile(converted)

    def _matrix(self) -> np.ndarray:
        """From light of these colours to light of sRGB, with the same white."""
        matrix: np.ndarray = np.linalg.inv(colorants(SRGB)) @ colorants(self.chromaticities)
        return matrix

    def _decode(self, samples: np.ndarray) -> np.ndarray:
        return samples**self.exponent if self.exponent != SRGB_TRANSFER else decode_srgb(samples)


def coded_colours(primaries: int, transfer: int) -> StatedColours | None:
    """The colours of code points of ITU-T H.273; None if they cannot be converted.

    The transfer functions of video count as that of sRGB, as in browsers.
    """
    chromaticities, exponent = _PRIMARIES.get(primaries), _TRANSFERS.get(transfer)
    if chromaticities is None or exponent is None:
        return None
    return StatedColours(chromaticities, exponent)

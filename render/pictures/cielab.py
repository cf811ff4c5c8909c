"""Converts CIELAB of TIFFs to sRGB.

libvips does not read CIELAB of 8 bits, and loses a bit of lightness in that of 16, so its samples
are decoded as if they were RGB, and mean what TIFF 6.0 (section 23) and Adobe's technical notes
(ICCLAB) say. The white is D50, as in Photoshop and libtiff.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from render.pictures.linear_light import D50, SRGB, colorants, encode_light, without_profile
from render.pictures.vips import libvips

_TO_F = np.array([[1 / 116, 1 / 500, 0], [1 / 116, 0, 0], [1 / 116, 0, -1 / 200]])
"""From L*, a* and b* to f(X/Xn), f(Y/Yn) and f(Z/Zn), without the 16/116 (CIE 15, 8.2.1)."""

_KNEE = 6 / 29
"""Below it, f is linear."""


@dataclass(frozen=True)
class LabSamples:
    """How a page stores CIELAB.

    is_icc: whether a* and b* have an offset of 128, as in ICCLAB, instead of a sign. as_rgb: what
    to read in place of the file's bytes, by their offsets, so that libvips takes it for RGB.
    """

    is_icc: bool
    as_rgb: Mapping[int, bytes] = field(default_factory=dict)

    def to_srgb(self, image: Any) -> Any:
        """Convert the samples (uchar or ushort) of a libvips image to sRGB; alpha is kept."""
        lightness, hues = image[0], image.extract_band(1, n=2)
        is_fine = image.format == "ushort"
        if self.is_icc:
            peak = 0xFF00 if is_fine else 0xFF
            hues = hues / (256 if is_fine else 1) - 128
        else:
            peak = 0xFFFF if is_fine else 0xFF
            hues = hues.copy(format="short" if is_fine else "char") / (256 if is_fine else 1)
        lab = (lightness * (100 / peak)).bandjoin(hues)
        ratios = lab.recomb(libvips().Image.new_from_array(_TO_F)) + 16 / 116
        low = (ratios - 4 / 29) * (3 * _KNEE**2)
        light = (ratios > _KNEE).ifthenelse(ratios * ratios * ratios, low)
        to_srgb = np.linalg.inv(colorants(SRGB)) @ np.diag(D50)
        return without_profile(encode_light(light, image, to_srgb))

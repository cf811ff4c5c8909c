"""Converts samples of 16 bits exactly by profiles that are curves and a matrix (ICC.1, F.3).

Adobe RGB, Display P3, ProPhoto and grey gammas are such profiles. LittleCMS replaces a transform of
16 bits by a table of 33 colours a side, and is off by up to 1.1 of 255 levels (measured; its
transforms of 8 bits are exact). Profiles that hold tables themselves are left to it.
"""

import functools
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from render.pictures.linear_light import encode_light, without_profile
from render.pictures.vips import libvips

_TABLES = {b"A2B0", b"A2B1", b"D2B0", b"D2B1"}
"""Tags that count before curves and matrices."""

_CURVES = {b"RGB ": (b"rTRC", b"gTRC", b"bTRC"), b"GRAY": (b"kTRC",)}

_COLUMNS = (b"rXYZ", b"gXYZ", b"bXYZ")

_MOST_TAGS = 100

_PARAMETERS = (1, 3, 4, 5, 7)
"""Numbers of a parametric curve of each type, from 0 to 4 (ICC.1, 10.18)."""

_LEVELS = np.arange(65536) / 65535

_BLACK = 1e-4
"""Light of the first level. With more, black would need compensation."""


@dataclass(frozen=True)
class MatrixProfile:
    """The light of samples. curves: (65536, 1 or 3), from 0 to 1. colorants: XYZ in columns."""

    curves: np.ndarray
    colorants: np.ndarray | None

    def to_srgb(self, image: Any) -> Any:
        """Convert a libvips image of ushort, grey or RGB, to sRGB without a profile.

        Its alpha is kept.
        """
        bands = self.curves.shape[1]
        table = libvips().Image.new_from_array(self.curves[None].astype(np.float32))
        light = image.extract_band(0, n=bands).maplut(table)
        to_srgb = None if self.colorants is None else _from_xyz() @ self.colorants
        return without_profile(encode_light(light, image, to_srgb)).colourspace("rgb16")


def read_matrix_profile(profile: bytes) -> MatrixProfile | None:
    """Read a profile; None if it is of another kind, or damaged."""
    names = _CURVES.get(profile[16:20])
    if names is None or profile[20:24] != b"XYZ ":
        return None
    try:
        tags = _read_tags(profile)
        if _TABLES & tags.keys():
            return None
        curves = np.stack([_curve(tags[name]) for name in names], axis=1)
        columns = None if len(names) == 1 else [_fixed(tags[name], 8, 3) for name in _COLUMNS]
    except (KeyError, IndexError, ValueError, ZeroDivisionError, struct.error):
        return None
    if not np.isfinite(curves).all() or curves[0].max() > _BLACK:
        return None
    colorants = None if columns is None else np.array(columns).T
    return MatrixProfile(np.clip(curves, 0, 1), colorants)


@functools.cache
def _from_xyz() -> np.ndarray:
    """From XYZ to the light of libvips' sRGB profile, so that its own samples stay as they are."""
    srgb = read_matrix_profile(libvips().Operation.call("profile_load", "srgb"))
    if srgb is None or srgb.colorants is None:
        raise ValueError("libvips' sRGB profile has no matrix")
    inverse: np.ndarray = np.linalg.inv(srgb.colorants)
    return inverse


def _read_tags(profile: bytes) -> Mapping[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = (
        struct.unpack_from(">4sII", profile, 132 + 12 * at) for at in range(min(count, _MOST_TAGS))
    )
    return {name: profile[start : start + length] for name, start, length in entries}


def _fixed(data: bytes, at: int, count: int) -> tuple[float, ...]:
    """Numbers of 15.16 bits."""
    return tuple(value / 65536 for value in struct.unpack_from(f">{count}i", data, at))


def _curve(data: bytes) -> np.ndarray:
    """The light of all levels. Raises what `read_matrix_profile` catches, if it is damaged."""
    kind, number = struct.unpack_from(">4s4xI", data)
    if kind == b"para":
        return _parametric_curve(_fixed(data, 12, _PARAMETERS[number >> 16]))
    if kind != b"curv":
        raise ValueError("no curve")
    if number == 0:
        return _LEVELS
    if number == 1:
        (gamma,) = struct.unpack_from(">H", data, 12)
        power: np.ndarray = _LEVELS ** (gamma / 256)
        return power
    points = np.frombuffer(data, ">u2", number, 12) / 65535
    return np.interp(_LEVELS, np.linspace(0, 1, number), points)


def _parametric_curve(parameters: tuple[float, ...]) -> np.ndarray:
    """The light of all levels by a parametric curve (ICC.1, table 68)."""
    a, b, c, d, e, f = 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
    match parameters:
        case (g, a, b):
            d = -b / a
        case (g, a, b, e):
            d, f = -b / a, e
        case (g, a, b, c, d):
            pass
        case (g, a, b, c, d, e, f):
            pass
        case _:
            g = parameters[0]
    with np.errstate(all="ignore"):
        curved = np.maximum(a * _LEVELS + b, 0) ** g + e
    return np.where(d <= _LEVELS, curved, c * _LEVELS + f)

"""Sample arrays and ICC profiles for pictures, and a reader."""

import struct
from pathlib import Path

import numpy as np

from render.pictures.decode import open_picture


def gradient_samples(height: int, width: int, depth: int = 8) -> np.ndarray:
    """A smooth colour picture (height, width, 3), different in every row and column."""
    y, x = np.mgrid[0:height, 0:width]
    planes: np.ndarray = np.stack([x / width, y / height, (x + y) / (width + height)], axis=-1)
    values: np.ndarray = planes * (2**depth - 1)
    return values.astype(np.uint8 if depth == 8 else np.uint16)


def noise_samples(height: int, width: int, depth: int = 8) -> np.ndarray:
    """A seeded random picture (height, width, 3), which no encoder can shrink."""
    values = np.random.default_rng(7).integers(0, 2**depth, (height, width, 3))
    return values.astype(np.uint8 if depth == 8 else np.uint16)


def read_samples(path: Path, rows: int = 64) -> np.ndarray:
    """Read a whole picture by its bands."""
    return np.concatenate(list(open_picture(path).bands(rows)))


_D50 = (0.9642, 1.0, 0.8249)


_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def rgb_profile(to_xyz: np.ndarray, curve: tuple[float, ...]) -> bytes:
    """A display profile of a matrix from linear RGB to XYZ, and one curve for all channels.

    The curve is (gamma,), or (g, a, b, c, d) of a parametric curve of type 3.
    """
    white = to_xyz.sum(axis=1)
    gain = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white))
    adapted = np.linalg.inv(_BRADFORD) @ gain @ _BRADFORD @ to_xyz
    tags = {b"wtpt": _xyz(_D50)}
    for name, column in zip("rgb", adapted.T, strict=True):
        tags[f"{name}XYZ".encode()] = _xyz(column)
        tags[f"{name}TRC".encode()] = _curve(curve)
    return _profile(b"RGB ", tags)


def _xyz(values: object) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(np.asarray(values))


def _curve(values: tuple[float, ...]) -> bytes:
    kind = 0 if len(values) == 1 else 3
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + _fixed(np.asarray(values))


def _fixed(values: np.ndarray) -> bytes:
    fixed: np.ndarray = np.rint(values * 65536)
    return fixed.astype(">i4").tobytes()


def _text(text: str) -> bytes:
    data = text.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(data), 28) + data


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags = {b"desc": _text("test"), b"cprt": _text("none"), **tags}
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += struct.pack(">4sII", name, offset + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    header = struct.pack(
        ">I4sI4s4s4s", offset + len(body), b"test", 0x04200000, b"mntr", space, b"XYZ "
    )
    header += (
        struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + b"\0" * 28 + _fixed(np.asarray(_D50))
    )
    return header.ljust(128, b"\0") + table + body


GREY_GAMMA = 1.8


GREY = _profile(b"GRAY", {b"wtpt": _xyz(_D50), b"kTRC": _curve((GREY_GAMMA,))})
"""A grey profile of another curve than that of sRGB, once usual on Macs."""

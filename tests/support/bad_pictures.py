"""Small seeded pictures, some of them bad, and the reason why each bad one fails."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from tests.support.malicious_files import oversized_png, png_file

MAX_PIXELS = 20_000
"""For limits.max_pixels: all good pictures are smaller; one bad picture is larger."""

_SIZES = ((64, 64), (64, 96), (80, 72))
_FORMATS = (("png", "png"), ("jpg", "jpeg"), ("webp", "webp"), ("tif", "tiff"))


@dataclass(frozen=True)
class BadPicture:
    """One kind of bad picture: its file's suffix, its bytes, and a part of the row's message.

    Each kind fails with the class `input`.
    """

    suffix: str
    content: Callable[[np.random.Generator], bytes]
    reason: str


@dataclass(frozen=True)
class MixedPictures:
    """Pictures by their keys; for bad ones, a part of the row's message."""

    content: dict[str, bytes]
    reasons: dict[str, str]

    @property
    def good(self) -> set[str]:
        """The keys of the good pictures."""
        return self.content.keys() - self.reasons.keys()

    def write_to(self, folder: Path) -> Path:
        """Write a file for each picture; returns the folder."""
        for key, content in self.content.items():
            path = folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder


def mixed_pictures(count: int, bad: int, seed: int = 0) -> MixedPictures:
    """Make `count` pictures of several sizes, formats and folders.

    `bad` of them, of each kind in turn, stand at random places."""
    draw = np.random.default_rng(seed)
    ways = list(islice(cycle(BAD_PICTURES.items()), bad))
    places = set(draw.choice(count, bad, replace=False).tolist())
    content, reasons = {}, {}
    for number in range(count):
        folder = f"{number % 7}/"
        if number in places:
            name, way = ways.pop()
            key = f"{folder}{number:04}-{name}.{way.suffix}"
            content[key], reasons[key] = way.content(draw), way.reason
        else:
            suffix, kind = _FORMATS[number % len(_FORMATS)]
            key = f"{folder}{number:04}.{suffix}"
            content[key] = picture_bytes(draw, kind, _SIZES[number % len(_SIZES)])
    return MixedPictures(content, reasons)


def picture_bytes(
    draw: np.random.Generator, kind: str = "png", size: tuple[int, int] = _SIZES[0]
) -> bytes:
    """A picture file of smooth noise; `size` is (height, width)."""
    height, width = size
    coarse = draw.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    soft = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    buffer = BytesIO()
    soft.save(buffer, kind)
    return buffer.getvalue()


def add_unreadable_files(folder: Path) -> dict[str, str]:
    """Add files that cannot be read; returns parts of the rows' messages by key."""
    reasons = {}
    (folder / "gone.jpg").symlink_to(folder / "was-never-there.jpg")
    reasons["gone.jpg"] = "No such file"
    os.mkfifo(folder / "pipe.png")
    reasons["pipe.png"] = "is a pipe, not a file"
    nameless = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.png"))
    nameless.write_bytes(picture_bytes(np.random.default_rng(0)))
    reasons["caf\\udce9.png"] = "not UTF-8"
    forbidden = folder / "forbidden.png"
    forbidden.write_bytes(picture_bytes(np.random.default_rng(1)))
    forbidden.chmod(0)
    # The superuser reads it all the same.
    if not os.access(forbidden, os.R_OK):
        reasons["forbidden.png"] = "Permission denied"
    else:
        forbidden.chmod(stat.S_IRUSR | stat.S_IWUSR)
        forbidden.unlink()
    return reasons


def _cut(kind: str) -> Callable[[np.random.Generator], bytes]:
    def cut(draw: np.random.Generator) -> bytes:
        whole = picture_bytes(draw, kind, (96, 96))
        return whole[: len(whole) * 2 // 3]

    return cut


def _tiff(samples: np.ndarray) -> bytes:
    buffer = BytesIO()
    tifffile.imwrite(buffer, samples, photometric="minisblack", planarconfig="contig")
    return buffer.getvalue()


BAD_PICTURES: dict[str, BadPicture] = {
    "cut": BadPicture("jpg", _cut("jpeg"), "truncated or damaged"),
    "cut-too": BadPicture("png", _cut("png"), "truncated or damaged"),
    "text": BadPicture("jpg", lambda _: b"hello, I am a text", "not a picture"),
    "empty": BadPicture("png", lambda _: b"", "is empty"),
    "bomb": BadPicture("png", lambda _: oversized_png(60_000, 60_000), "more than the limit"),
    "large": BadPicture(
        "png", lambda draw: picture_bytes(draw, "png", (160, 128)), "more than the limit"
    ),
    "float": BadPicture("tif", lambda _: _tiff(np.zeros((8, 8), np.float32)), "float samples"),
    "channels": BadPicture("tif", lambda _: _tiff(np.zeros((8, 8, 7), np.uint8)), "channels"),
    "film": BadPicture("gif", lambda draw: picture_bytes(draw, "gif"), "not a picture"),
    "noise": BadPicture(
        "png", lambda draw: png_file(64, 64, draw.bytes(4000)), "truncated or damaged"
    ),
    "hollow": BadPicture("png", lambda _: png_file(64, 64, b""), "truncated or damaged"),
    "magic": BadPicture("webp", lambda _: b"RIFF\0\0\0\0WEBP", "damaged"),
}

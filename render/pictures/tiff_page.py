"""Chooses the picture of a TIFF, and refuses what a decoder would not read, or read wrongly.

Everything is known from the directories, so a plan refuses what a render would.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from render.errors import PictureError
from render.input_file import open_input_file
from render.pictures.tiff_directories import Directory, DirectoryChain, read_directories
from render.pictures.vips import can_decompress

MAX_STRIP_PIXELS = 2**26
"""Most pixels in a strip that must be decoded as a whole, in memory."""


_SUBFILE, _OLD_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION = 254, 255, 256, 257, 258, 259
_PHOTOMETRIC, _CHANNELS, _ROWS, _PLANES, _TILE_WIDTH, _SUB_DIRECTORIES = (
    262,
    277,
    278,
    284,
    322,
    330,
)
_INK_SET, _INKS, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 332, 334, 338, 339

_REDUCED_OR_MASK = 0b101
"""Bits of NewSubfileType: a smaller version of another picture, or a transparency mask."""


_OLD_REDUCED = 2

_SEPARATE = 2

_OLD_JPEG, _JPEG = 6, 7

_COMPRESSIONS = {
    6: "old-style JPEG",
    9: "JBIG",
    10: "JBIG",
    33003: "JPEG 2000",
    33004: "JPEG 2000",
    33005: "JPEG 2000",
    34661: "JBIG",
    34712: "JPEG 2000",
    34887: "LERC",
    34925: "LZMA",
    34926: "ZSTD",
    34927: "WebP",
    32909: "PixarLog",
    34676: "SGI Log",
    34677: "SGI Log",
    34892: "JPEG",
    50000: "ZSTD",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}


_GREY, _RGB, _PALETTE, _CMYK, _YCBCR = (0, 1), 2, 3, 5, 6

_COLOURS = {0: 1, 1: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _YCBCR: 3}
"""Channels of the colour spaces that can be read, by photometric interpretation."""


_OTHER_SPACES = {
    4: "a transparency mask",
    8: "CIELAB",
    9: "ICCLAB",
    10: "ITULAB",
    32844: "LogL (high dynamic range)",
    32845: "LogLuv (high dynamic range)",
    51177: "a depth map",
}


_UNSIGNED, _SIGNED, _FLOAT, _UNDEFINED = 1, 2, 3, 4

_SENSOR_SPACES = frozenset({32803, 34892})
"""Photometric interpretations of raw files: behind colour filters, and linear raw."""


_SENSOR_COMPRESSIONS = frozenset({32767, 32769, 32770, 34713, 65000, 65535})
"""Compressions of raw files, by camera makers."""


_SENSOR_TAGS = frozenset({33421, 33422, 50706})
"""The pattern of colour filters (TIFF/EP), and DNGVersion."""


_CR2_START = re.compile(rb"II\*\0\x10\0\0\0CR\x02", re.DOTALL)
_PHASE_ONE_START = re.compile(rb".{8}(?:IIII.waR|MMMMRaw.)", re.DOTALL)
"""How files of Canon and Phase One begin. Other TIFFs may have any samples from offset 8 on, so
two letters there are no proof."""

_MARK_END = 16


_MAX_SUB_DIRECTORIES = 64


@dataclass(frozen=True)
class TiffPage:
    """The page that is read. Its channels are the colours, and then others.

    number: from 1. full_pages: pages that are no reduced versions or masks. colours: channels of
    colour. channels: all channels. alpha: the index of the channel that is transparency. left_out:
    channels that are neither.
    """

    number: int
    full_pages: int
    colours: int | None = None
    channels: int | None = None
    alpha: int | None = None

    @property
    def left_out(self) -> int:
        """Channels that are neither colour nor transparency."""
        if self.colours is None or self.channels is None:
            return 0
        return self.channels - self.colours - (self.alpha is not None)


def choose_tiff_page(path: Path, page: int | None = None) -> TiffPage:
    """Choose a page of a TIFF: the given one, or the first that is no reduced version or mask.

    Raises PictureError for raw files, and if there is no such page. Raises it also for directories
    that form a loop, and for pages that cannot be read, because of their compression, colour
    space, samples, channels or strips. Raises OSError if the file cannot be read. Damage is left
    to the decoder.
    """
    with open_input_file(path) as file:
        directories = read_directories(file, path)
        if _is_raw(file, directories):
            raise PictureError(raw_message(path))
    chosen = _chosen(path, directories, page)
    full = sum(map(_is_full, directories))
    if chosen >= len(directories):
        return TiffPage(chosen + 1, full)
    directory = directories[chosen]
    _check_strips(path, directory)
    if not directory.is_whole:
        return TiffPage(chosen + 1, full)
    _check_compression(path, directory)
    colours = _check_colours(path, directory)
    _check_samples(path, directory)
    channels = directory.largest(_CHANNELS, 1)
    alpha = _alpha(directory, colours, channels)
    chosen_page = TiffPage(chosen + 1, full, colours, channels, alpha)
    _check_channels(path, directory, chosen_page)
    return chosen_page


def raw_message(path: Path) -> str:
    """The message for a raw file of a camera."""
    return f"{path}: a raw file of a camera: develop it, and export it as TIFF, PNG or JPEG"


def _is_raw(file: BinaryIO, directories: Sequence[Directory]) -> bool:
    """Whether any directory describes a sensor. The first one of a raw file is often a preview."""
    chain = DirectoryChain.of(file)
    file.seek(0)
    start = file.read(_MARK_END)
    if not chain.is_big and (_CR2_START.match(start) or _PHASE_ONE_START.match(start)):
        return True
    inner = [offset for one in directories for offset in one.tags.get(_SUB_DIRECTORIES, ())]
    below = (chain.directory(offset) for offset in inner[:_MAX_SUB_DIRECTORIES])
    return any(_describes_sensor(one) for one in (*directories, *below))


def _describes_sensor(directory: Directory) -> bool:
    return bool(
        _SENSOR_TAGS & directory.tags.keys()
        or _SENSOR_SPACES.intersection(directory.values(_PHOTOMETRIC, 0))
        or _SENSOR_COMPRESSIONS.intersection(directory.values(_COMPRESSION, 1))
    )


def _is_full(directory: Directory) -> bool:
    return directory.is_whole and not (
        directory.number(_SUBFILE, 0) & _REDUCED_OR_MASK
        or directory.number(_OLD_SUBFILE, 0) == _OLD_REDUCED
    )


def _chosen(path: Path, directories: Sequence[Directory], page: int | None) -> int:
    """Return the index of the page to read."""
    if page is not None:
        if page > len(directories):
            raise PictureError(f"{path}: has no page {page}, only {len(directories)}: give another")
        return page - 1
    if not directories or not directories[0].is_whole:
        return 0
    full = next((index for index, one in enumerate(directories) if _is_full(one)), None)
    if full is None and any(_SUB_DIRECTORIES in one.tags for one in directories):
        raise PictureError(
            f"{path}: its pages are reduced versions of a picture inside: export that one"
        )
    return full or 0


def _check_strips(path: Path, directory: Directory) -> None:
    """Check strips that libvips decodes as a whole. Other strips are decoded row by row."""
    is_held = (
        _SEPARATE in directory.values(_PLANES, 1)
        or _OLD_JPEG in directory.values(_COMPRESSION, 1)
        or _YCBCR in directory.values(_PHOTOMETRIC, 1)
    )
    width, height = directory.largest(_WIDTH, 0), directory.largest(_HEIGHT, 0)
    rows = min(height, directory.largest(_ROWS, height))
    if is_held and _TILE_WIDTH not in directory.tags and width * rows > MAX_STRIP_PIXELS:
        raise PictureError(
            f"{path}: {width} x {rows} pixels in one strip can only be decoded in one piece:"
            " save it in smaller strips, or its channels side by side"
        )


def _check_compression(path: Path, directory: Directory) -> None:
    compression, *others = set(directory.values(_COMPRESSION, 1))
    if others:
        raise PictureError(f"{path}: states two compressions: export the picture again")
    if not can_decompress(compression):
        name = _COMPRESSIONS.get(compression, f"an unknown method ({compression})")
        raise PictureError(
            f"{path}: compressed with {name}, which cannot be read here:"
            " save it with LZW or Deflate"
        )


def _check_colours(path: Path, directory: Directory) -> int:
    """Check the colour space. Returns its number of channels."""
    channels = directory.largest(_CHANNELS, 1)
    space = directory.number(_PHOTOMETRIC, 1 if channels < 3 else _RGB)
    if space not in _COLOURS:
        name = _OTHER_SPACES.get(space, f"of an unknown colour space ({space})")
        raise PictureError(f"{path}: is {name}: export it as RGB")
    if space == _YCBCR and directory.number(_COMPRESSION, 1) != _JPEG:
        raise PictureError(f"{path}: is YCbCr without JPEG compression: export it as RGB")
    if space == _CMYK and (directory.number(_INK_SET, 1), directory.number(_INKS, 4)) != (1, 4):
        raise PictureError(f"{path}: holds inks other than CMYK: export it as CMYK or RGB")
    return _COLOURS[space]


def _check_samples(path: Path, directory: Directory) -> None:
    """Check the type of the samples, and how many bits they have."""
    bits = sorted(set(directory.values(_BITS, 1)))
    text = " and ".join(map(str, bits)) + "-bit"
    advice = "export it with 8 or 16 bits, as unsigned whole numbers"
    kinds = set(directory.values(_SAMPLE_FORMAT, _UNSIGNED)) - {_UNSIGNED, _UNDEFINED}
    if kinds:
        name = {_SIGNED: "signed", _FLOAT: "float"}.get(kinds.pop(), "complex")
        raise PictureError(f"{path}: holds {text} {name} samples: {advice}")
    space, compression = directory.number(_PHOTOMETRIC, 1), directory.number(_COMPRESSION, 1)
    allowed = {8} if compression == _JPEG else {8, 16}
    if space == _PALETTE:
        allowed = {1, 2, 4, 8}
    elif space in _GREY and directory.largest(_CHANNELS, 1) == 1 and compression != _JPEG:
        allowed = {1, 2, 4, 8, 16}
    if len(bits) > 1 or bits[0] not in allowed:
        raise PictureError(f"{path}: holds {text} samples: export it with 8 or 16 bits")


def _alpha(directory: Directory, colours: int, channels: int) -> int | None:
    """Return the index of the first channel that ExtraSamples calls transparency."""
    kinds = directory.tags.get(_EXTRA_SAMPLES, ())[: max(0, channels - colours)]
    return next((colours + index for index, kind in enumerate(kinds) if kind in (1, 2)), None)


def _check_channels(path: Path, directory: Directory, page: TiffPage) -> None:
    """Check that the first channels are the picture.

    Grey with several other channels is a multispectral picture, or RGB that is not called so.
    """
    colours, channels = page.colours or 0, page.channels or 0
    space = directory.number(_PHOTOMETRIC, 1)
    most = {_PALETTE: 1, _YCBCR: 3}.get(space, colours + 2 if colours == 1 else channels)
    if not colours <= channels <= most or (colours == 1 and page.left_out > 1):
        raise PictureError(f"{path}: holds {channels} channels: export it as grey, RGB or CMYK")

"""Describes the page of a TIFF that is read, or refuses it.

Refused is what a decoder would not read, or read wrongly.

Everything is known from the directories, so a plan refuses what a render would.
"""

from dataclasses import dataclass
from pathlib import Path

from render.errors import PictureError
from render.input_file import open_input_file
from render.pictures.cielab import LabSamples
from render.pictures.tiff_directories import Directory, DirectoryChain
from render.pictures.tiff_selection import TiffPages
from render.pictures.vips import can_decompress

MAX_STRIP_PIXELS = 2**26
"""Most pixels in a strip that must be decoded as a whole, in memory."""


_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_CHANNELS, _ROWS, _PLANES, _TILE_WIDTH = 277, 278, 284, 322
_INK_SET, _INKS, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 332, 334, 338, 339

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


_GREY, _RGB, _PALETTE, _CMYK, _YCBCR, _CIELAB, _ICCLAB = (0, 1), 2, 3, 5, 6, 8, 9

_COLOURS = {0: 1, 1: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _YCBCR: 3, _CIELAB: 3, _ICCLAB: 3}
"""Channels of the colour spaces that can be read, by photometric interpretation."""


_OTHER_SPACES = {
    4: "a transparency mask",
    10: "ITULAB",
    32844: "LogL (high dynamic range)",
    32845: "LogLuv (high dynamic range)",
    51177: "a depth map",
}


_UNSIGNED, _SIGNED, _FLOAT, _UNDEFINED = 1, 2, 3, 4

_NAMED_DEPTHS = 4
"""Most depths of samples that a message names; a damaged file can state hundreds."""


@dataclass(frozen=True)
class TiffPage:
    """The page that is read. Its channels are the colours, and then others.

    number: from 1. full_pages: pages that are no reduced versions or masks. colours: channels of
    colour. channels: all channels. alpha: the index of the channel that is transparency. left_out:
    channels that are neither. lab: how CIELAB is stored; None for other colours.
    """

    number: int
    full_pages: int
    colours: int | None = None
    channels: int | None = None
    alpha: int | None = None
    lab: LabSamples | None = None

    @property
    def left_out(self) -> int:
        """Channels that are neither colour nor transparency."""
        if self.colours is None or self.channels is None:
            return 0
        return self.channels - self.colours - (self.alpha is not None)


def choose_tiff_page(path: Path, page: int | None = None) -> TiffPage:
    """Choose a page of a TIFF: the given one, or the first that is no preview or mask.

    Raises PictureError for raw files, and if there is no such page. Raises it also for directories
    that form a loop, and for pages that cannot be read, because of their compression, colour
    space, samples, channels or strips. Raises OSError if the file cannot be read. Damage is left
    to the decoder.
    """
    with open_input_file(path) as file:
        chain = DirectoryChain.of(file)
        pages = TiffPages.of(file, path)
    chosen, full = pages.choose(page), pages.full_pages
    if chosen >= len(pages.directories):
        return TiffPage(chosen + 1, full)
    directory = pages.directories[chosen]
    _check_strips(path, directory)
    if not directory.is_whole:
        return TiffPage(chosen + 1, full)
    _check_compression(path, directory)
    colours = _check_colours(path, directory)
    _check_samples(path, directory)
    channels = directory.largest(_CHANNELS, 1)
    alpha = _alpha(directory, colours, channels)
    lab = _lab_samples(chain, directory)
    chosen_page = TiffPage(chosen + 1, full, colours, channels, alpha, lab)
    _check_channels(path, directory, chosen_page)
    return chosen_page


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
    text = " and ".join(map(str, bits[:_NAMED_DEPTHS])) + "-bit"
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


def _lab_samples(chain: DirectoryChain, directory: Directory) -> LabSamples | None:
    space = directory.number(_PHOTOMETRIC, 1)
    if space not in (_CIELAB, _ICCLAB):
        return None
    entry = chain.short_entry(_PHOTOMETRIC, _RGB)
    as_rgb = dict.fromkeys(directory.places[_PHOTOMETRIC], entry)
    return LabSamples(space == _ICCLAB, as_rgb)


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
        held = f"{channels} channels" if channels > 1 else "1 channel"
        raise PictureError(f"{path}: holds {held}: export it as grey, RGB or CMYK")

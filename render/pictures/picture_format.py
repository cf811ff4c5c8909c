"""The format of a picture file by its content, and which of its pictures is read.

Files with several pictures are TIFFs with pages, MPO files (several JPEGs), HEIC, AVIF, and
animations. The first full picture is read, unless the user gives another page.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from render.errors import PictureError
from render.input_file import open_input_file, read_problem
from render.pictures.heif import heif_pictures
from render.pictures.tiff_directories import MPO_ENTRIES, DirectoryChain
from render.pictures.tiff_page import TiffPage, choose_tiff_page
from render.pictures.tiff_selection import raw_message

JPEG, PNG, TIFF, WEBP, HEIF = "jpegload", "pngload", "tiffload", "webpload", "heifload"

FORMATS = "JPEG, PNG, WebP, TIFF, HEIC or AVIF"

_MAGIC: Mapping[bytes, str] = MappingProxyType(
    {
        b"\xff\xd8\xff": JPEG,
        b"\x89PNG\r\n\x1a\n": PNG,
        b"II*\0": TIFF,
        b"MM\0*": TIFF,
        b"II+\0": TIFF,
        b"MM\0+": TIFF,
    }
)

_HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1"}
    | {b"avif", b"avis"}
)

_RAW_MAGIC = (
    b"IIRO",
    b"IIRS",
    b"MMOR",
    b"IIU\0",
    b"FUJIFILMCCD-RAW",
    b"FOVb",
    b"\0MRM",
    b"II\x1a\0\0\0HEAPCCDR",
)
"""Raw files of Olympus, Panasonic, Fujifilm, Sigma, Minolta and Canon (CRW)."""


_OTHER_MAGIC: Mapping[bytes, str] = MappingProxyType(
    {
        b"GIF8": "a GIF",
        b"BM": "a BMP",
        b"8BPS": "a Photoshop file",
        b"\xff\x0a": "a JPEG XL",
        b"\0\0\0\x0cJXL ": "a JPEG XL",
        b"\0\0\0\x0cjP  ": "a JPEG 2000",
        b"\xff\x4f\xff\x51": "a JPEG 2000",
        b"v/1\x01": "an OpenEXR",
        b"#?RADIANCE": "a Radiance HDR",
        b"%PDF": "a PDF",
        b"gimp xcf": "a GIMP file",
    }
)


_HEAD_BYTES = 32

_JPEG_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
"""Markers of frames that are read: baseline, extended and progressive, Huffman or arithmetic."""

_JPEG_TABLES = frozenset({0xC4, 0xC8, 0xCC})
"""Markers between those of frames that begin no frame."""

_ONLY_REDUCED = "the file calls it a reduced version of a picture, and holds no other"

_MAX_BLOCKS = 100_000
"""Most chunks or segments that are looked at."""


@dataclass(frozen=True)
class Selection:
    """The picture of a file that is read, and how.

    loader: the libvips operation, without its ending. page: the libvips number of the page, from 0.
    offset: where a JPEG begins in the file. tiff: the channels of a TIFF. count: the pictures that
    can be chosen. notes: what a user should know about the choice.
    """

    loader: str
    page: int | None = None
    offset: int = 0
    tiff: TiffPage | None = None
    count: int = 1
    notes: tuple[str, ...] = field(default=())


def find_format(path: Path) -> str:
    """Return the libvips loader of a file: JPEG, PNG, TIFF, WEBP or HEIF.

    Raises PictureError if the file is missing, unreadable, empty or of another format.
    """
    try:
        with open_input_file(path) as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise PictureError(f"{path}: {read_problem(error)}") from error
    if not head:
        raise PictureError(f"{path}: the file is empty: copy or export the picture again")
    if head.startswith(_RAW_MAGIC) or head[4:12] == b"ftypcrx ":
        raise PictureError(raw_message(path))
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp" and _HEIF_BRANDS & {head[at : at + 4] for at in (8, 16, 20, 24, 28)}:
        return HEIF
    for magic, loader in _MAGIC.items():
        if head.startswith(magic):
            return loader
    kind = next((name for magic, name in _OTHER_MAGIC.items() if head.startswith(magic)), None)
    if kind is not None:
        raise PictureError(f"{path}: {kind} is not a picture that can be read: export it as PNG")
    raise PictureError(f"{path}: not a picture that can be read: give a {FORMATS}")


def select_picture(path: Path, page: int | None = None) -> Selection:
    """Choose the picture of a file that is read. page: from 1; None for the first full picture.

    Nothing is decoded. Raises PictureError if the file is of another format, is a raw file of a
    camera, has no such page, or has a page that cannot be read.
    """
    loader = find_format(path)
    if loader == TIFF:
        return _select_tiff(path, page)
    if loader == HEIF:
        pictures = heif_pictures(path)
        number = _check_page(path, page, pictures.count) or pictures.primary
        notes = _notes(page, number, pictures.count)
        if pictures.is_sequence:
            notes = ("is a sequence; its still picture is used",)
        return Selection(HEIF, number - 1, count=pictures.count, notes=notes)
    with open_input_file(path) as file:
        if loader == JPEG:
            return _select_jpeg(path, file, page)
        frames = _webp_frames(file) if loader == WEBP else 1
        number = _check_page(path, page, frames) or 1
        notes = _notes(page, number, frames)
        if loader == PNG and _is_animated_png(file):
            notes = ("is animated; its still picture is used",)
        number_in_file = number - 1 if loader == WEBP else None
        return Selection(loader, number_in_file, count=frames, notes=notes)


def _select_tiff(path: Path, page: int | None) -> Selection:
    chosen = choose_tiff_page(path, page)
    notes = _notes(page, chosen.number, chosen.full_pages)
    if page is None and not chosen.full_pages:
        notes = (_ONLY_REDUCED,)
    if chosen.left_out:
        notes += (
            f"the file calls {chosen.left_out} of its {chosen.channels} channels neither colour"
            " nor transparency, so that is left out",
        )
    return Selection(TIFF, chosen.number - 1, tiff=chosen, count=chosen.full_pages, notes=notes)


def _check_page(path: Path, page: int | None, count: int) -> int | None:
    """Return the page that the user gave. Raises PictureError if the file does not have it."""
    if page is not None and page > count:
        pages = "one picture" if count == 1 else f"{count} pictures"
        raise PictureError(f"{path}: has no page {page}, it holds {pages}: give another page")
    return page


def _notes(page: int | None, number: int, count: int) -> tuple[str, ...]:
    if page is not None or count < 2:
        return ()
    return (f"holds {count} pictures, and number {number} is used",)


def _select_jpeg(path: Path, file: BinaryIO, page: int | None) -> Selection:
    """Choose a picture of a JPEG, or of an MPO, which is several JPEGs with an index."""
    entries = _mpo_entries(file)
    full = [index for index, (_, is_thumbnail) in enumerate(entries) if not is_thumbnail]
    number = _check_page(path, page, max(1, len(entries))) or (full[0] + 1 if full else 1)
    offset = entries[number - 1][0] if entries else 0
    _check_jpeg_frame(path, file, offset)
    is_reduced = page is None and entries and not full
    notes = (_ONLY_REDUCED,) if is_reduced else _notes(page, number, len(full))
    return Selection(JPEG, offset=offset, count=len(full), notes=notes)


def _check_jpeg_frame(path: Path, file: BinaryIO, offset: int) -> None:
    """Check the process and the depth that the header of a JPEG states. Raises PictureError."""
    for marker, start, length in _jpeg_segments(file, offset):
        if not 0xC0 <= marker <= 0xCF or marker in _JPEG_TABLES:
            continue
        if marker not in _JPEG_FRAMES:
            raise PictureError(
                f"{path}: a lossless or hierarchical JPEG, which cannot be read here: export it as"
                " PNG, TIFF or JPEG"
            )
        file.seek(start)
        depth = file.read(min(1, length))
        if depth and depth[0] != 8:
            raise PictureError(
                f"{path}: a JPEG with {depth[0]}-bit samples: export it with 8 bits, or as PNG"
            )
        return


def _mpo_entries(file: BinaryIO) -> list[tuple[int, bool]]:
    """Return the offset of each picture of an MPO, and whether it is a thumbnail (CIPA DC-007)."""
    for marker, start, length in _jpeg_segments(file):
        if marker != 0xE2:
            continue
        file.seek(start)
        content = file.read(length)
        if content.startswith(b"MPF\0"):
            return _parse_mpo_index(content[4:], start + 4)
    return []


def _parse_mpo_index(content: bytes, base: int) -> list[tuple[int, bool]]:
    chain = DirectoryChain.of(BytesIO(content))
    offset = next(chain.offsets(), None)
    values = chain.directory(offset).tags.get(MPO_ENTRIES, ()) if offset else ()
    index = bytes(values) if max(values, default=0) < 256 else b""
    order = "<" if chain.order == "little" else ">"
    entries = []
    for attribute, _, place, _ in struct.iter_unpack(
        f"{order}IIII", index[: len(index) // 16 * 16]
    ):
        kind = attribute >> 16 & 0xFF
        entries.append((base + place if place else 0, kind == 1))
    return entries


def _jpeg_segments(file: BinaryIO, offset: int = 0) -> Iterator[tuple[int, int, int]]:
    """Yield the marker, the start and the length of each segment before the pixels."""
    file.seek(offset + 2)
    for _ in range(_MAX_BLOCKS):
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xD9, 0xDA):
            return
        start, length = file.tell(), int.from_bytes(head[2:], "big") - 2
        yield head[1], start, max(0, length)
        file.seek(start + max(0, length))


def stated_size(file: BinaryIO, loader: str) -> tuple[int, int] | None:
    """Read the width and the height that the first bytes of a PNG or WebP state.

    None for other formats, and where those bytes are damaged: libvips says why.

    Sources: PNG specification, 11.2.1 IHDR; RFC 9649 (WebP), sections 2.5 to 2.7, and RFC 6386
    (VP8), section 9.1.
    """
    file.seek(0)
    head = file.read(30).ljust(30, b"\0")
    if loader == PNG:
        width, height = struct.unpack(">II", head[16:24])
        return width, height
    if loader != WEBP:
        return None
    if head[12:16] == b"VP8X":
        width, height = (int.from_bytes(head[at : at + 3], "little") for at in (24, 27))
        return width + 1, height + 1
    if head[12:16] == b"VP8L":
        sides = int.from_bytes(head[21:25], "little")
        return (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1
    if head[12:16] == b"VP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None


def _webp_frames(file: BinaryIO) -> int:
    """Count the frames of a WebP: one, if it is not animated."""
    file.seek(12)
    frames = 0
    for _ in range(_MAX_BLOCKS):
        head = file.read(8)
        if len(head) < 8:
            break
        frames += head[:4] == b"ANMF"
        length = int.from_bytes(head[4:], "little")
        file.seek(length + length % 2, 1)
    return max(1, frames)


def _is_animated_png(file: BinaryIO) -> bool:
    """Whether a PNG has an animation (acTL), which stands before the pixels."""
    file.seek(8)
    for _ in range(_MAX_BLOCKS):
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IDAT":
            return False
        if head[4:] == b"acTL":
            return True
        file.seek(int.from_bytes(head[:4], "big") + 4, 1)
    return False

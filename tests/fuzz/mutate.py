"""Damages files in the ways in which headers go wrong, by chance.

Bytes are flipped, cut off, repeated and replaced by the first and last values of fields; two files
are spliced. `blocks` finds the chunks, segments, boxes or directory entries of a format, so that
these are changed, dropped, repeated and exchanged as well.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from random import Random
from typing import Literal

Span = tuple[int, int]
"""Where a block begins and ends."""

_MOST_BYTES = 1 << 16
"""Longer results are cut off, so that repeated blocks do not pile up."""

_SMALL_VALUES = (0, 1, 2, 3, 7, 8, 16, 255, 256, 32767, 32768, 65535, 65536, 2**24)
_VALUES = (*_SMALL_VALUES, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1)

_ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")


def mutate(content: bytes, other: bytes, draw: Random) -> bytes:
    """Damage a file in one to six ways; `other` is a file of the same format, for splices."""
    for _ in range(draw.choice((1, 1, 1, 2, 2, 3, 4, 6))):
        way = draw.choice(_WAYS)
        if content:
            content = way(content, other, draw)[:_MOST_BYTES]
    if content.startswith(b"\x89PNG") and draw.random() < 0.8:
        content = with_checksums(content)
    return content


def with_checksums(png: bytes) -> bytes:
    """Give the chunks of a PNG right checksums: a decoder looks no further at wrong ones."""
    fixed = bytearray(png)
    for start, end in _png_chunks(png):
        if end <= len(fixed):
            fixed[end - 4 : end] = struct.pack(">I", zlib.crc32(fixed[start + 4 : end - 4]))
    return bytes(fixed)


def blocks(content: bytes) -> list[Span]:
    """The blocks of a file, by its format; of others, pieces of 16 bytes."""
    if content.startswith(b"\x89PNG"):
        found = _png_chunks(content)
    elif content.startswith(b"\xff\xd8"):
        found = _jpeg_segments(content)
    elif content.startswith(b"RIFF"):
        found = _riff_chunks(content, 12)
    elif content[:2] in (b"II", b"MM"):
        found = _tiff_entries(content)
    elif content[4:8] == b"ftyp":
        found = _boxes(content, 0, len(content))
    else:
        found = ((at, at + 16) for at in range(0, min(len(content), 1024), 16))
    return [(start, end) for start, end in found if start < end <= len(content)]


def _png_chunks(content: bytes) -> Iterator[Span]:
    at = 8
    while at + 12 <= len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        yield at, end
        at = end


def _jpeg_segments(content: bytes) -> Iterator[Span]:
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        yield at, end
        at = end


def _riff_chunks(content: bytes, at: int) -> Iterator[Span]:
    while at + 8 <= len(content):
        length = int.from_bytes(content[at + 4 : at + 8], "little")
        yield at, at + 8 + length + length % 2
        if content[at : at + 4] == b"ANMF":
            yield from _riff_chunks(content[: at + 8 + length], at + 24)
        at += 8 + length + length % 2


_INNER_BOXES = {b"meta": 12, b"iprp": 8, b"ipco": 8, b"moov": 8, b"trak": 8, b"mdia": 8}
_INNER_BOXES |= {b"minf": 8, b"stbl": 8, b"iinf": 14, b"dinf": 8}


def _boxes(content: bytes, at: int, end: int) -> Iterator[Span]:
    while at + 8 <= end:
        stop = min(end, at + int.from_bytes(content[at : at + 4], "big"))
        if stop < at + 8:
            return
        yield at, stop
        if head := _INNER_BOXES.get(content[at + 4 : at + 8]):
            yield from _boxes(content, at + head, stop)
        at = stop


def _tiff_entries(content: bytes) -> Iterator[Span]:
    """The entries of the directories of a TIFF."""
    order = "<" if content[:2] == b"II" else ">"
    is_big = content[2:4] in (b"+\0", b"\0+")
    head, count, length, word = (8, "Q", 20, "Q") if is_big else (4, "H", 12, "I")
    place = struct.Struct(order + word)
    seen: set[int] = set()
    at = head
    while at + place.size <= len(content):
        (start,) = place.unpack_from(content, at)
        if start in seen or not start or start + 8 > len(content):
            return
        seen.add(start)
        (number,) = struct.unpack_from(order + count, content, start)
        start += struct.calcsize(order + count)
        for entry in range(start, min(len(content), start + length * min(number, 64)), length):
            yield entry, entry + length
        at = start + length * number


def _flip_bytes(content: bytes, other: bytes, draw: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 4, 16))):
        changed[_place(content, draw)] ^= draw.choice((1, 2, 4, 8, 16, 32, 64, 128, 255))
    return bytes(changed)


def _set_field(content: bytes, other: bytes, draw: Random) -> bytes:
    """Write a first, last or odd value into a field of 1 to 8 bytes."""
    at, width = _place(content, draw), draw.choice((1, 2, 2, 4, 4, 8))
    return _written(content, at, width, draw)


def _set_block_field(content: bytes, other: bytes, draw: Random) -> bytes:
    """The same within the first bytes of a block, which state its kind, length and sizes."""
    found = blocks(content)
    if not found:
        return content
    start, end = draw.choice(found)
    width = draw.choice((1, 2, 4))
    at = start + draw.randrange(0, max(1, min(end - start, 32) - width + 1))
    return _written(content, at, width, draw)


def _nudge_field(content: bytes, other: bytes, draw: Random) -> bytes:
    """Make a number at the beginning of a block a little larger or smaller."""
    found = blocks(content)
    if not found:
        return content
    start, _ = draw.choice(found)
    width, order = draw.choice((1, 2, 4)), draw.choice(_ORDERS)
    at = start + draw.choice((0, 2, 4, 8, 9, 12, 16))
    old = int.from_bytes(content[at : at + width], order)
    new = (old + draw.choice((-8, -2, -1, 1, 2, 8, 64))) % (1 << 8 * width)
    return content[:at] + new.to_bytes(width, order) + content[at + width :]


def _cut(content: bytes, other: bytes, draw: Random) -> bytes:
    return content[: draw.randrange(len(content))]


def _remove(content: bytes, other: bytes, draw: Random) -> bytes:
    start, end = _piece(content, draw)
    return content[:start] + content[end:]


def _repeat(content: bytes, other: bytes, draw: Random) -> bytes:
    start, end = _piece(content, draw)
    return content[:end] + content[start:end] * draw.choice((1, 1, 2, 50)) + content[end:]


def _overwrite(content: bytes, other: bytes, draw: Random) -> bytes:
    """Put a block in place of another, without moving what follows."""
    (start, end), (onto, _) = _piece(content, draw), _piece(content, draw)
    piece = content[start:end]
    return content[:onto] + piece + content[onto + len(piece) :]


def _exchange(content: bytes, other: bytes, draw: Random) -> bytes:
    (a, b), (c, d) = sorted((_piece(content, draw), _piece(content, draw)))
    if b > c:
        return content
    return content[:a] + content[c:d] + content[b:c] + content[a:b] + content[d:]


def _fill(content: bytes, other: bytes, draw: Random) -> bytes:
    start, end = _piece(content, draw)
    filling = draw.choice((b"\0", b"\xff", b"\x80", bytes([draw.randrange(256)])))
    return content[:start] + filling * (end - start) + content[end:]


def _splice(content: bytes, other: bytes, draw: Random) -> bytes:
    return content[: _place(content, draw)] + other[draw.randrange(len(other)) :]


def _insert_from_other(content: bytes, other: bytes, draw: Random) -> bytes:
    start, end = _piece(other, draw)
    at = draw.choice([*(one[0] for one in blocks(content)), _place(content, draw)])
    return content[:at] + other[start:end] + content[at:]


def _overwrite_from_other(content: bytes, other: bytes, draw: Random) -> bytes:
    (start, end), (onto, _) = _piece(other, draw), _piece(content, draw)
    piece = other[start:end]
    return content[:onto] + piece + content[onto + len(piece) :]


_Way = Callable[[bytes, bytes, Random], bytes]

_WAYS: tuple[_Way, ...] = (
    _flip_bytes,
    _flip_bytes,
    _set_field,
    _set_field,
    _set_block_field,
    _set_block_field,
    _set_block_field,
    _nudge_field,
    _nudge_field,
    _cut,
    _remove,
    _repeat,
    _overwrite,
    _exchange,
    _fill,
    _splice,
    _insert_from_other,
    _overwrite_from_other,
)


def _written(content: bytes, at: int, width: int, draw: Random) -> bytes:
    value = draw.choice(_VALUES) if draw.random() < 0.8 else draw.getrandbits(64)
    field = (value % (1 << 8 * width)).to_bytes(width, draw.choice(_ORDERS))
    return content[:at] + field + content[at + width :]


def _place(content: bytes, draw: Random) -> int:
    """An offset; half of them in the first 256 bytes, where headers are."""
    most = len(content) if draw.random() < 0.5 else min(256, len(content))
    return draw.randrange(most)


def _piece(content: bytes, draw: Random) -> Span:
    """A block, two neighbours of it, or a few bytes anywhere."""
    found = blocks(content)
    if found and draw.random() < 0.7:
        return draw.choice(found)
    if len(found) > 1 and draw.random() < 0.3:
        (start, _), (_, end) = draw.choice(list(pairwise(found)))
        return (start, end) if start < end else (end, start)
    start = _place(content, draw)
    return start, min(len(content), start + draw.choice((1, 2, 4, 8, 16, 64)))

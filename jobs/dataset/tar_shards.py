"""WebDataset tar shards of results: their names, their keys, and how they are written.

A sample is a sequence of files with the same name up to the first dot of its last part; see
`tariterators.py` in https://github.com/webdataset/webdataset.
"""

import hashlib
import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from pathlib import Path

from jobs.dataset.inputs.item import Item, ListedImage
from jobs.records.record import invalid_record
from render.pictures.output_format import FORMATS

_UNSAFE = re.compile(r"[^A-Za-z0-9._@+-]")

_SHORTENED = "=-"
"""Separates the start of a long name from its hash. Escapes are `=` and two hex digits, so no
unshortened name contains it."""


_HASH_DIGITS = 32
"""Hex digits, 128 bits: even among 10^15 names a collision is very unlikely."""


_MIN_LENGTH = len(_SHORTENED) + _HASH_DIGITS


def escape_bytes(text: str) -> str:
    """Write every byte of the text's UTF-8 as `=XX`."""
    return "".join(f"={byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


def safe_key(name: str, max_length: int) -> str:
    """Turn any name into the part of a store key after the prefix.

    Different names give different keys.

    The key has at most `max_length` characters: letters, digits, `._@=+-` and the name's slashes.
    Other characters, and `=` itself, become `=XX`. So do the parts `.` and `..`. An empty part
    becomes `=`. A longer key ends in a hash of the whole name. Raises ValueError below 34.
    """
    if max_length < _MIN_LENGTH:
        raise ValueError(f"a key needs at least {_MIN_LENGTH} characters, not {max_length}")
    key = "/".join(map(_safe_part, name.split("/")))
    if len(key) <= max_length:
        return key
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{key[: max_length - _MIN_LENGTH]}{_SHORTENED}{digest[:_HASH_DIGITS]}"


def _safe_part(part: str) -> str:
    if part in {".", ".."}:
        return escape_bytes(part)
    return _UNSAFE.sub(lambda match: escape_bytes(match[0]), part) or "="


_SAME_FORMAT = {"jpeg": ("jpeg", "jpg"), "png": ("png",), "tiff": ("tif", "tiff")}
"""The endings that a dream in some format keeps."""


_RESERVED = re.compile(r"__[^/]*__/")
"""WebDataset skips top folders with names that start and end with two underscores."""


@dataclass(frozen=True)
class TarMember:
    """A file of a sample in a tar.

    name: the sample's key, from `tar_key`, a dot and the suffix, such as `png` or `seg.png`.
        WebDataset reads the suffix in lower case, and calls it a field.
    """

    name: str
    content: Path | bytes


def tar_name(file: int, generation: int) -> str:
    """Return the published name of the tar of an item file, as packed in a generation."""
    return f"shard-{file:06}@{generation}.tar" if generation else f"shard-{file:06}.tar"


def stored_tar_name(file: int, generation: int, lease: int) -> str:
    """Return the name of that tar in the store, as packed by the holder of a lease.

    A late holder may know fewer results. So it must not overwrite the tar of its successor.
    """
    name = tar_name(file, generation)
    return name if lease == 1 else f"{name.removesuffix('.tar')}.lease{lease}.tar"


_STORED_TAR = re.compile(r"(shard-\d{6,}(?:@\d+)?)\.lease\d+\.tar")


def published_tar_name(stored: str) -> str:
    """Return the published name of a tar, by its name in the store."""
    match = _STORED_TAR.fullmatch(stored)
    return f"{match[1]}.tar" if match else stored


def sample_key(item: Item) -> str:
    """Return the key of an item's sample. A sample from a tar keeps the key that it had there."""
    name, input_tar = item.name, item.found.input_tar
    return tar_key(name if input_tar is None else name.removeprefix(f"{input_tar}/"))


def dream_suffix(picture: ListedImage, format_name: str) -> str:
    """Return the suffix of a dream in the sample of its picture, without a dot in front.

    The picture's field keeps its name: `input.jpg` becomes `input.png`. The files beside the
    picture keep theirs, so beside a mask `png` the dream is `dream.png`.

    format_name: a key of FORMATS.
    """
    ending = FORMATS[format_name].suffix.removeprefix(".")
    field, dot, old = (picture.suffix or "").rpartition(".")
    ending = old if old in _SAME_FORMAT.get(format_name, ()) else ending
    taken = {extra.suffix for extra in picture.extras}
    names = (f"{field}{dot}{name}{ending}" for name in _dream_names())
    return next(name for name in names if name not in taken)


def _dream_names() -> Iterator[str]:
    yield from ("", "dream.")
    yield from (f"dream{number}." for number in count(2))


def tar_key(name: str) -> str:
    """Turn a name into a sample key that WebDataset reads back unchanged.

    Different names give different keys, and most names stay as they are. Dots in the last part,
    unprintable characters and `=` become `=XX`, by their UTF-8 bytes. So do the parts `.` and `..`.
    An empty part becomes `=`.
    """
    *folders, last = name.split("/")
    parts = [*map(_tar_part, folders), _tar_part(last).replace(".", escape_bytes("."))]
    key = "/".join(part or "=" for part in parts)
    return f"{escape_bytes('_')}{key[1:]}" if _RESERVED.match(key) else key


def write_tar(members: Iterable[TarMember], path: Path) -> None:
    """Write a tar of the members, in their order. Members of a sample must follow each other.

    Equal members give equal bytes. Raises OSError if a file cannot be read or written, and
    InvalidRecord if two members have the same name; the tar is then incomplete.
    """
    names: set[str] = set()
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            if member.name in names:
                raise invalid_record(path.name, f"would have two members {member.name!r}")
            names.add(member.name)
            # The defaults of TarInfo are constant: no owner, mode 0644, written in 1970.
            header = tarfile.TarInfo(member.name)
            if isinstance(member.content, bytes):
                header.size = len(member.content)
                tar.addfile(header, BytesIO(member.content))
            else:
                with member.content.open("rb") as file:
                    header.size = member.content.stat().st_size
                    tar.addfile(header, file)


def _tar_part(part: str) -> str:
    if part in {".", ".."}:
        return escape_bytes(part)
    return "".join(one if one.isprintable() and one != "=" else escape_bytes(one) for one in part)

"""Results packed into WebDataset's tar shards.

A sample is a run of files that share what stands before the first dot of their last part; see
https://github.com/webdataset/webdataset, `tariterators.py`.
"""

import hashlib
import re
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

_OTHER = re.compile(r"[^A-Za-z0-9._@+-]")

_SHORTENED = "=-"
"""Between the beginning of a long name and its hash. Spelled characters give `=` and two digits
only, so no name that was not shortened holds it."""


_HASH = 32
"""Hex digits, 128 bits: two names in 10^15 would hardly share one."""


_LEAST_ROOM = len(_SHORTENED) + _HASH


def spelled(text: str) -> str:
    """A text as `=XX` for every byte of its UTF-8."""
    return "".join(f"={byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


def safe_key(name: str, room: int) -> str:
    """The rest of a key below some folder: at most `room` characters, letters, digits, `._@=+-`
    and the slashes of the name.

    Other characters, `=` too, are spelled `=XX`; so are the parts `.` and `..`; an empty part is a
    lone `=`. What is too long ends in a hash of the whole. Raises ValueError for less than 34.
    """
    if room < _LEAST_ROOM:
        raise ValueError(f"a key needs room for {_LEAST_ROOM} characters, not {room}")
    key = "/".join(map(_part, name.split("/")))
    if len(key) <= room:
        return key
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{key[: room - _LEAST_ROOM]}{_SHORTENED}{digest[:_HASH]}"


def _part(part: str) -> str:
    if part in {".", ".."}:
        return spelled(part)
    return _OTHER.sub(lambda found: spelled(found[0]), part) or "="


_META = re.compile(r"__[^/]*__/")
"""What WebDataset skips: folders that begin and end so, at the top."""


@dataclass(frozen=True)
class Packed:
    """A file of a sample.

    key: the sample's, as `tar_key` makes it. suffix: what kind of file it is, as `png` or
    `seg.png`; WebDataset reads it in small letters.
    """

    key: str
    suffix: str
    content: Path | bytes

    @property
    def member(self) -> str:
        """Its name in the tar."""
        return f"{self.key}.{self.suffix}"


def tar_key(name: str) -> str:
    """A sample's key that WebDataset reads back whole; no two names have the same.

    Most names stay as they are. Dots in the last part, what is not printable, and `=` are spelled
    `=XX` by their UTF-8 bytes, and so are the parts `.` and `..`; an empty part is a lone `=`.
    """
    *folders, last = name.split("/")
    parts = [*map(_folder, folders), _folder(last).replace(".", spelled("."))]
    key = "/".join(part or "=" for part in parts)
    return f"{spelled('_')}{key[1:]}" if _META.match(key) else key


def pack(members: Iterable[Packed], path: Path) -> None:
    """Write a tar of the members, in their order; a sample's must follow each other.

    The same members give the same bytes. Raises OSError where a file cannot be read or written;
    what lies at the path then is to be thrown away.
    """
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for one in members:
            # Owned by nobody, of mode 0644 and written in 1970 unless it is told otherwise.
            about = tarfile.TarInfo(one.member)
            if isinstance(one.content, bytes):
                about.size = len(one.content)
                tar.addfile(about, BytesIO(one.content))
            else:
                with one.content.open("rb") as file:
                    about.size = one.content.stat().st_size
                    tar.addfile(about, file)


def _folder(part: str) -> str:
    if part in {".", ".."}:
        return spelled(part)
    return "".join(one if one.isprintable() and one != "=" else spelled(one) for one in part)

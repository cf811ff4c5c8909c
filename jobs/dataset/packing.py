"""Results packed into WebDataset's tar shards.

A sample is a run of files that share what stands before the first dot of their last part; see
https://github.com/webdataset/webdataset, `tariterators.py`.
"""

import re
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from jobs.dataset.safe_key import spelled

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

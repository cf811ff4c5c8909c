"""The samples in a tar of WebDataset: files that differ only in what follows the first dot.

The rule is webdataset's own (`base_plus_ext` and `group_by_keys` in its `tariterators.py`).
"""

import os
import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import BinaryIO

from jobs.dataset.inputs.content import open_stream
from jobs.dataset.inputs.files import escape_non_utf8
from jobs.dataset.inputs.item import ByteRange, ListedFile, ListedImage, SampleFile
from jobs.dataset.inputs.patterns import is_picture, is_readable
from jobs.text.errors import RequestError


@dataclass(frozen=True)
class MemberRange:
    """A regular file: its name, and its `length` bytes from `start` of the tar on."""

    name: str
    start: int
    length: int


@dataclass(frozen=True)
class TarDamage:
    """The place after which nothing can be found, and why."""

    reason: str


def scan_tar(file: BinaryIO, address: str) -> Iterator[MemberRange | TarDamage]:
    """The members in their order, without their bytes; of a tar that is damaged, that at last.

    Raises RequestError for a sparse member, whose bytes do not lie together.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for found in _headers(tar):
                if found.issparse():
                    raise RequestError(
                        f"{address}: {found.name} is sparse; make the tar anew, without --sparse"
                    )
                if found.offset_data + found.size > size:
                    yield TarDamage(f"ends at byte {size}, within {found.name}")
                    return
                if found.isreg():
                    yield MemberRange(found.name, found.offset_data, found.size)
            end = tar.offset
    except (tarfile.TarError, ValueError) as error:
        yield TarDamage(f"not a tar, or damaged ({error})")
        return
    file.seek(end)
    # To tarfile, and to many tools, what makes no sense is an end like any other.
    if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        yield TarDamage(f"has no end mark at byte {end}, where its last member ends")


def _headers(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (found := tar.next()) is not None:
        # It keeps all that it has seen.
        tar.members.clear()  # type: ignore[attr-defined]
        yield found


TAR_SUFFIX = ".tar"


_NAME = re.compile(r"(?P<key>(?:.*/)?[^.]+)\.(?P<suffix>[^/]*)", re.DOTALL)

_META = re.compile(r"__[^/]*__($|/)")
"""What webdataset keeps for itself."""


def list_samples(tar: ListedFile) -> Iterator[ListedImage]:
    """Each sample of a tar: its first picture, and the rest as extras.

    What cannot be found in a tar that is damaged is one complaint, whose key is the tar's name.
    Raises RequestError where the tar cannot be opened, or has sparse members, and StoreError.
    """
    name = tar.key[: -len(TAR_SUFFIX)]
    if tar.complaint is not None:
        yield ListedImage(key=name, place=ByteRange(address=tar.address), complaint=tar.complaint)
        return
    with open_stream(tar.address) as file:
        # What belongs to no sample does not end one either.
        parts = filter(_counts, scan_tar(file, tar.address))
        for key, group in groupby(parts, _sample):
            if key is None:
                yield from (_damaged(name, tar, one) for one in group if isinstance(one, TarDamage))
            else:
                yield _found(name, key, tar, group)


def _counts(member: MemberRange | TarDamage) -> bool:
    return isinstance(member, TarDamage) or _sample(member) is not None


def _sample(member: MemberRange | TarDamage) -> str | None:
    """The key of the sample that a member belongs to, if to any."""
    if isinstance(member, TarDamage) or _META.match(member.name):
        return None
    parts = _NAME.fullmatch(member.name)
    return None if parts is None else escape_non_utf8(parts["key"])


def _found(
    shard: str, key: str, tar: ListedFile, group: Iterable[MemberRange | TarDamage]
) -> ListedImage:
    parts = [
        SampleFile(
            suffix=_suffix(member.name),
            place=ByteRange(address=tar.address, start=member.start, length=member.length),
        )
        for member in group
        if isinstance(member, MemberRange)
    ]
    picture = _picture(parts)
    if picture is None:
        complaint = "no picture in this sample"
        return ListedImage(
            key=f"{shard}/{key}",
            shard=shard,
            place=parts[0].place,
            extras=tuple(parts),
            complaint=complaint,
        )
    suffixes = [part.suffix for part in parts]
    twice = next((suffix for suffix in suffixes if suffixes.count(suffix) > 1), None)
    return ListedImage(
        key=f"{shard}/{key}",
        shard=shard,
        place=picture.place,
        extras=tuple(part for part in parts if part is not picture),
        complaint=None if twice is None else f".{twice} is there twice in this sample",
    )


def _picture(parts: list[SampleFile]) -> SampleFile | None:
    """The first that can be read; else the first that people would call a picture."""
    pictures = [part for part in parts if is_picture(f"x.{part.suffix}")]
    readable = (part for part in pictures if is_readable(f"x.{part.suffix}"))
    return next(readable, pictures[0] if pictures else None)


def _suffix(name: str) -> str:
    parts = _NAME.fullmatch(name)
    return "" if parts is None else escape_non_utf8(parts["suffix"]).lower()


def _damaged(name: str, tar: ListedFile, damage: TarDamage) -> ListedImage:
    complaint = f"{tar.address}: {damage.reason}; what follows is lost: copy or make it again"
    return ListedImage(
        key=name, place=ByteRange(address=tar.address), complaint=" ".join(complaint.splitlines())
    )

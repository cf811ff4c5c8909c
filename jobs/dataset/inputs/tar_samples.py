"""The samples of a WebDataset tar: files with the same name up to the first dot.

The rules are those of `base_plus_ext` and `group_by_keys` in webdataset's `tariterators.py`.
"""

import os
import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import BinaryIO

from jobs.dataset.inputs.content import open_stream
from jobs.dataset.inputs.files import (
    escape_non_utf8,
    is_picture,
    is_readable,
)
from jobs.dataset.inputs.item import (
    InputPlace,
    LeftOut,
    ListedFile,
    ListedImage,
    SampleFile,
    is_mac_metadata,
)
from jobs.spec.inputs import name_of
from jobs.text.errors import RequestError

TAR_SUFFIX = ".tar"


_NAME = re.compile(r"(?P<key>(?:.*/)?[^.]+)\.(?P<suffix>[^/]*)", re.DOTALL)

_RESERVED = re.compile(r"__[^/]*__($|/)")
"""Names that webdataset reserves for metadata."""


@dataclass(frozen=True)
class TarMemberRange:
    """A file of a tar: its name, and where its content is in the tar, in bytes.

    is_link: whether it is a link, whose content is in another place.
    """

    name: str
    start: int
    length: int
    is_link: bool = False


@dataclass(frozen=True)
class TarDamage:
    """The damage that ends a scan. reason: a text for people."""

    reason: str


def scan_tar(file: BinaryIO, address: str) -> Iterator[TarMemberRange | TarDamage]:
    """Yield the members of a tar in order, without their content. Damage is the last one.

    address: of the tar, for errors. Raises RequestError for a sparse member, because its content is
    not in one piece.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for header in _headers(tar):
                if header.issparse():
                    raise RequestError(
                        f"{address}: {header.name} is sparse; make the tar again, without --sparse"
                    )
                is_link = header.islnk() or header.issym()
                length = 0 if is_link else header.size
                if header.offset_data + length > size:
                    yield TarDamage(f"ends at byte {size}, within {header.name}")
                    return
                if header.isreg() or is_link:
                    yield TarMemberRange(header.name, header.offset_data, length, is_link)
            end = tar.offset
    except (tarfile.TarError, ValueError) as error:
        yield TarDamage(f"not a tar, or damaged ({error})")
        return
    file.seek(end)
    # tarfile treats an invalid header like the end of the tar.
    if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        yield TarDamage(f"has no end mark at byte {end}, where its last member ends")


def list_samples(tar: ListedFile, left_out: LeftOut | None = None) -> Iterator[ListedImage]:
    """Yield the samples of a tar, each with its first picture, and its other files as extras.

    Members without a sample are counted in `left_out`. Hidden files have no sample: macOS puts one
    with metadata before each file.

    A damaged tar also gives one image with an error; its key is the tar's name.

    Raises RequestError if the tar cannot be opened or has sparse members, and StoreError.
    """
    name = tar.key[: -len(TAR_SUFFIX)]
    if tar.error is not None:
        yield ListedImage(key=name, place=InputPlace(address=tar.address), error=tar.error)
        return
    with open_stream(tar.address) as file:
        members = _with_sample(scan_tar(file, tar.address), left_out or LeftOut())
        for key, group in groupby(members, _sample_key):
            if key is None:
                damages = (one for one in group if isinstance(one, TarDamage))
                yield from (_damaged_tar(name, tar, one) for one in damages)
            else:
                yield _sample(name, key, tar, group)


def _headers(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (header := tar.next()) is not None:
        # tarfile keeps every header, which would take memory.
        tar.members.clear()  # type: ignore[attr-defined]
        yield header


def _with_sample(
    members: Iterable[TarMemberRange | TarDamage], left_out: LeftOut
) -> Iterator[TarMemberRange | TarDamage]:
    """Drop the members without a sample. They do not end the sample around them."""
    for member in members:
        if isinstance(member, TarDamage) or _sample_key(member) is not None:
            yield member
        elif not _RESERVED.match(member.name):
            left_out.add(member.name)


def _sample_key(member: TarMemberRange | TarDamage) -> str | None:
    """The key of a member's sample, or None if it has none."""
    if isinstance(member, TarDamage) or _RESERVED.match(member.name):
        return None
    if name_of(member.name).startswith(".") or is_mac_metadata(member.name):
        return None
    parts = _NAME.fullmatch(member.name)
    return None if parts is None else escape_non_utf8(parts["key"])


def _sample(
    tar_name: str, key: str, tar: ListedFile, group: Iterable[TarMemberRange | TarDamage]
) -> ListedImage:
    members = [member for member in group if isinstance(member, TarMemberRange)]
    files = [
        SampleFile(
            suffix=_suffix(member.name),
            place=InputPlace(address=tar.address, start=member.start, length=member.length),
        )
        for member in members
    ]
    picture = _picture(files)
    if picture is None:
        return ListedImage(
            key=f"{tar_name}/{key}",
            input_tar=tar_name,
            place=files[0].place,
            extras=tuple(files),
            error="no picture in this sample; add one, or leave the sample out",
        )
    return ListedImage(
        key=f"{tar_name}/{key}",
        input_tar=tar_name,
        suffix=picture.suffix,
        place=picture.place,
        extras=tuple(file for file in files if file is not picture),
        error=_fault(members),
    )


def _fault(members: list[TarMemberRange]) -> str | None:
    """Why the files of a sample cannot be dreamed and kept; None if they can."""
    link = next((member for member in members if member.is_link), None)
    if link is not None:
        name = escape_non_utf8(name_of(link.name))
        return f"{name} is a link; make the tar again, with --dereference --hard-dereference"
    suffixes = [_suffix(member.name) for member in members]
    twice = next((suffix for suffix in suffixes if suffixes.count(suffix) > 1), None)
    return None if twice is None else f"two files of this sample end in .{twice}; rename one"


def _picture(files: list[SampleFile]) -> SampleFile | None:
    """The first file in a readable picture format; else the first in another picture format."""
    pictures = [file for file in files if is_picture(f"x.{file.suffix}")]
    readable = (file for file in pictures if is_readable(f"x.{file.suffix}"))
    return next(readable, pictures[0] if pictures else None)


def _suffix(name: str) -> str:
    parts = _NAME.fullmatch(name)
    return "" if parts is None else escape_non_utf8(parts["suffix"]).lower()


def _damaged_tar(name: str, tar: ListedFile, damage: TarDamage) -> ListedImage:
    message = f"{tar.address}: {damage.reason}; the rest is lost; copy or make it again"
    return ListedImage(
        key=name, place=InputPlace(address=tar.address), error=" ".join(message.splitlines())
    )

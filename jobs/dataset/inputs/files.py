"""Patterns for files below a folder or prefix, and listing the files of a folder."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import takewhile
from typing import Self

from jobs.dataset.inputs.item import LeftOut, ListedFile, is_mac_metadata
from jobs.runtime.access import is_folder, path_exists
from jobs.spec.inputs import is_in_bucket, suffix_of
from jobs.text.errors import RequestError

ANY_FOLDERS = "**"


_WILDCARDS = frozenset("*?[")


_MAX_DEPTH = 250
"""Nested folders. Each level keeps one folder open, and adds to the call stack."""


_READABLE = frozenset(
    {".apng", ".jfi", ".jfif", ".jif", ".jpe", ".jpeg", ".jpg", ".mpo", ".pjp", ".pjpeg"}
    | {".avif", ".btf", ".heic", ".heif", ".hif", ".png", ".tf8", ".tif", ".tiff", ".webp"}
)
"""Endings of the formats that are usually read. The content of each file decides."""


_OTHER_FORMATS = frozenset(
    {".avifs", ".bpg", ".gif", ".heics", ".heifs", ".insp"}
    | {".hdp", ".jps", ".jxl", ".jxr", ".svg", ".svgz", ".wdp"}
    | {".bmp", ".cin", ".cur", ".dds", ".dib", ".dpx", ".exr", ".hdr", ".icns", ".ico", ".pcx"}
    | {".pict", ".psb", ".psd", ".qoi", ".sgi", ".tga", ".xbm", ".xcf", ".xpm"}
    | {".j2c", ".j2k", ".jhc", ".jp2", ".jpc", ".jpf", ".jph", ".jpm", ".jpx"}
    | {".pam", ".pbm", ".pfm", ".pgm", ".pnm", ".ppm"}
)

_CAMERA_RAW = frozenset(
    {".3fr", ".ari", ".arw", ".bay", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff"}
    | {".gpr", ".iiq", ".k25", ".kdc", ".mdc", ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf"}
    | {".pef", ".ptx", ".r3d", ".raf", ".raw", ".rw2", ".rwl", ".rwz", ".sr2", ".srf", ".srw"}
    | {".x3f"}
)

_PICTURES = _READABLE | _OTHER_FORMATS | _CAMERA_RAW
"""All endings of pictures. One that cannot be read gets a row in the ledger with the reason."""


_TAGS = re.compile(r"[_:~!@-]")
"""Separates an ending from what websites and editors add: `.jpg_large`, `.jpg:orig`, `.png~`."""


_COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")


def is_readable(name: str) -> bool:
    """Whether a name has the ending, in any case, of a picture format that can be read."""
    return _ending(name) in _READABLE


def is_picture(name: str) -> bool:
    """Whether a name has the ending, in any case, of a picture format, readable or not."""
    return _ending(name) in _PICTURES


def _ending(name: str) -> str:
    return _TAGS.split(suffix_of(name))[0]


def is_compressed_tar(name: str) -> bool:
    """Whether a name is that of a compressed tar, which cannot be read from the middle."""
    return name.lower().endswith(_COMPRESSED)


def has_wildcards(path: str) -> bool:
    """Whether a path is a glob. A path that exists under that very name is not."""
    return _is_glob(path) and (is_in_bucket(path) or not path_exists(path))


def escape_non_utf8(name: str) -> str:
    r"""Replace bytes that are not UTF-8, such as byte 255 by `\udcff`."""
    return name.encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True)
class Pattern:
    """A glob: the parts of paths below `base`, as for fnmatch. `**` matches any folders, or none.

    base: a folder or an `s3://` prefix, without a slash at its end. Wildcards do not match names
    that begin with a dot.
    """

    base: str
    parts: tuple[str, ...]

    @classmethod
    def all_files(cls, base: str) -> Self:
        """The pattern of every file below a folder."""
        return cls(base, (ANY_FOLDERS,))

    @classmethod
    def parse(cls, path: str) -> Self:
        """Parse a glob. Its base ends before the first part with a wildcard."""
        parts = path.split("/")
        literal = list(takewhile(lambda part: not _is_glob(part), parts[:-1]))
        return cls("/".join(literal), tuple(parts[len(literal) :]))

    @property
    def literal_prefix(self) -> str:
        """The characters before the first wildcard: `20` for `20*/a.jpg`."""
        return "".join(takewhile(lambda letter: letter not in _WILDCARDS, self.parts[0]))

    def matches(self, path: str) -> bool:
        """Whether a file's path below the base matches."""
        return _matches(path.split("/"), self.parts)

    def may_contain(self, folder: str) -> bool:
        """Whether a folder below the base may have matching files, at any depth."""
        return _may_contain(folder.split("/"), self.parts)


def list_folder(pattern: Pattern, left_out: LeftOut | None = None) -> Iterator[ListedFile]:
    """Yield the matching files of this machine, in the order of the file system.

    Links to files count as files; links to folders are left out, and counted in `left_out`. A
    subfolder that cannot be listed gives a file with an error, and so does a name that is not
    UTF-8. Memory use does not grow with the number of files.

    Raises RequestError if the pattern's base is not a folder that can be listed.
    """
    root = pattern.base or "/"
    try:
        os.scandir(root).close()
    except OSError as error:
        raise RequestError(
            f"{root}: cannot be listed ({error.strerror}); check the path and its permissions"
        ) from error
    yield from _list_below(root, "", pattern, left_out or LeftOut())


def _list_below(folder: str, key: str, pattern: Pattern, left_out: LeftOut) -> Iterator[ListedFile]:
    if key.count("/") > _MAX_DEPTH:
        yield _listed_file(key, folder, "the folder is nested too deeply; move it up")
        return
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = f"{key}/{entry.name}" if key else entry.name
                yield from _list_entry(entry, name, pattern, left_out)
    except OSError as error:
        reason = f"the folder cannot be listed ({error.strerror}); check its permissions"
        yield _listed_file(key, folder, reason)


def _list_entry(
    entry: "os.DirEntry[str]", key: str, pattern: Pattern, left_out: LeftOut
) -> Iterator[ListedFile]:
    if entry.is_dir(follow_symlinks=False):
        if pattern.may_contain(key):
            yield from _list_below(entry.path, key, pattern, left_out)
    elif pattern.matches(key) and not is_mac_metadata(key):
        if entry.is_symlink() and is_folder(entry.path):
            left_out.add_folder_link()
        else:
            # A broken link is listed: reading it gives an error.
            yield _listed_file(key, entry.path)


def _listed_file(key: str, path: str, error: str | None = None) -> ListedFile:
    if escape_non_utf8(path) != path:
        error = error or "its name is not UTF-8; rename it"
    return ListedFile(escape_non_utf8(key), escape_non_utf8(path), error)


def _is_glob(path: str) -> bool:
    return not _WILDCARDS.isdisjoint(path)


def _matches(path: Sequence[str], parts: Sequence[str]) -> bool:
    if not parts:
        return not path
    if parts[0] == ANY_FOLDERS:
        # A final `**` matches files, which have at least a name.
        if _matches(path, parts[1:] or ("*",)):
            return True
        return bool(path) and _part_matches(path[0], "*") and _matches(path[1:], parts)
    return bool(path) and _part_matches(path[0], parts[0]) and _matches(path[1:], parts[1:])


def _may_contain(path: Sequence[str], parts: Sequence[str]) -> bool:
    if not path:
        return bool(parts)
    if not parts:
        return False
    if parts[0] == ANY_FOLDERS:
        return _may_contain(path, parts[1:]) or (
            _part_matches(path[0], "*") and _may_contain(path[1:], parts)
        )
    return _part_matches(path[0], parts[0]) and _may_contain(path[1:], parts[1:])


def _part_matches(name: str, part: str) -> bool:
    if name.startswith(".") and not part.startswith("."):
        return False
    return fnmatchcase(name, part)

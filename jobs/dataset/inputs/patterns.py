"""Which files below a folder or prefix are meant."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import PurePosixPath
from typing import Self

ANY_FOLDERS = "**"


_WILDCARDS = frozenset("*?[")


def is_glob(path: str) -> bool:
    """Whether a path has wildcards."""
    return not _WILDCARDS.isdisjoint(path)


@dataclass(frozen=True)
class Pattern:
    """Paths below `base`, part by part, in the language of fnmatch; `**` is any folders, or none.

    base: a folder or an `s3://` prefix, without a slash at its end. Names that begin with a dot
    are hidden from wildcards.
    """

    base: str
    parts: tuple[str, ...]

    @classmethod
    def all_files(cls, base: str) -> Self:
        """Every file below a folder."""
        return cls(base, (ANY_FOLDERS,))

    @classmethod
    def parse(cls, path: str) -> Self:
        """What a glob means: its base is what comes before the first part with a wildcard."""
        parts = path.split("/")
        literal = list(takewhile(lambda part: not is_glob(part), parts[:-1]))
        return cls("/".join(literal), tuple(parts[len(literal) :]))

    @property
    def literal_prefix(self) -> str:
        """What every path that fits begins with, as far as it is letters: `20` of `20*/a.jpg`."""
        return "".join(takewhile(lambda letter: letter not in _WILDCARDS, self.parts[0]))

    def matches(self, path: str) -> bool:
        """Whether a file's path below the base is meant."""
        return _fits(path.split("/"), self.parts)

    def may_contain(self, folder: str) -> bool:
        """Whether files that are meant can lie in a folder, or below it."""
        return _may_hold(folder.split("/"), self.parts)


def _fits(path: Sequence[str], parts: Sequence[str]) -> bool:
    if not parts:
        return not path
    if parts[0] == ANY_FOLDERS:
        # At the end it is files that are meant, which lie in a folder.
        if _fits(path, parts[1:] or ("*",)):
            return True
        return bool(path) and _is_shown(path[0], "*") and _fits(path[1:], parts)
    return bool(path) and _is_shown(path[0], parts[0]) and _fits(path[1:], parts[1:])


def _may_hold(path: Sequence[str], parts: Sequence[str]) -> bool:
    if not path:
        return bool(parts)
    if not parts:
        return False
    if parts[0] == ANY_FOLDERS:
        return _may_hold(path, parts[1:]) or (
            _is_shown(path[0], "*") and _may_hold(path[1:], parts)
        )
    return _is_shown(path[0], parts[0]) and _may_hold(path[1:], parts[1:])


def _is_shown(name: str, part: str) -> bool:
    if name.startswith(".") and not part.startswith("."):
        return False
    return fnmatchcase(name, part)


_READABLE = frozenset({".jfif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


_UNREADABLE = frozenset(
    {
        ".avif",
        ".bmp",
        ".cr2",
        ".dng",
        ".exr",
        ".gif",
        ".hdr",
        ".heic",
        ".heif",
        ".ico",
        ".jp2",
        ".jxl",
        ".nef",
        ".ppm",
        ".psd",
        ".svg",
        ".tga",
        ".xcf",
    }
)
"""Pictures for people, which fail with the reason rather than be left out without a word."""


_COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")


def is_readable(name: str) -> bool:
    """Whether a name is that of a picture in one of the formats that are read."""
    return suffix(name) in _READABLE


def is_picture(name: str) -> bool:
    """Whether people would call it a picture by its name, read or not."""
    return suffix(name) in _READABLE | _UNREADABLE


def is_compressed_tar(name: str) -> bool:
    """Whether it is a tar in which no member can be reached without all before it."""
    return name.lower().endswith(_COMPRESSED)


def suffix(name: str) -> str:
    """The last ending, with its dot, in small letters."""
    return PurePosixPath(name).suffix.lower()

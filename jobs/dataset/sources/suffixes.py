"""What the endings of names say."""

from pathlib import PurePosixPath

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

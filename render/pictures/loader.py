"""Which decoder a file gets: by its first bytes, and only one of four.

libvips knows dozens of loaders, some of them (SVG, PDF, ImageMagick) unfit for strangers' files.
Naming the loader leaves no way to them.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from render.errors import PictureError

TIFF = "tiffload_source"

_LOADERS: Mapping[bytes, str] = MappingProxyType(
    {
        b"\xff\xd8\xff": "jpegload_source",
        b"\x89PNG\r\n\x1a\n": "pngload_source",
        b"II*\0": TIFF,
        b"MM\0*": TIFF,
        b"II+\0": TIFF,
        b"MM\0+": TIFF,
    }
)


def loader_of(path: Path) -> str:
    """The libvips operation that reads `path`: JPEG, PNG, WebP or TIFF.

    Raises PictureError if the file is missing, unreadable, empty or something else.
    """
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        reason = error.strerror or "the system gives no reason"
        raise PictureError(
            f"{path}: cannot be read: {reason}: check the path and its permissions"
        ) from error
    if not head:
        raise PictureError(f"{path}: the file is empty: copy or export the picture again")
    if head[:4] == b"RIFF" and head[8:] == b"WEBP":
        return "webpload_source"
    for magic, loader in _LOADERS.items():
        if head.startswith(magic):
            return loader
    raise PictureError(f"{path}: not a picture that can be read: give a JPEG, PNG, WebP or TIFF")

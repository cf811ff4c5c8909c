"""The SHA-256 of an output."""

import hashlib
from pathlib import Path

from render.pictures.deepzoom import tiles_folder


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hex; of a DeepZoom (`path` is its .dzi) that of its list of files.

    That list has one line "CHECKSUM  NAME" for each file, sorted, where names are relative to
    the .dzi's folder: for `sky.dzi`, what
    `find sky.dzi sky_files -type f -exec sha256sum {} + | LC_ALL=C sort | sha256sum` prints.
    Raises OSError if a file is missing.
    """
    if path.suffix != ".dzi":
        return _of_file(path)
    files = [path, *(file for file in tiles_folder(path).rglob("*") if file.is_file())]
    lines = [f"{_of_file(file)}  {file.relative_to(path.parent).as_posix()}\n" for file in files]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def _of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

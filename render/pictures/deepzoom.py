"""A DeepZoom on disk: NAME.dzi, and beside it the folder NAME_files with the tiles."""

import hashlib
import json
import os
from pathlib import Path

from render.pictures.output_format import Labels


def tiles_folder(path: Path) -> Path:
    """The folder of tiles that belongs to the descriptor `path`."""
    return path.with_name(f"{path.stem}_files")


def write_labels(folder: Path, labels: Labels) -> None:
    """Put the labels beside the tiles, as labels.json: neither descriptor nor tiles hold text."""
    record = {"version": 1, "dpi": labels.dpi, "identity": labels.identity}
    text = json.dumps(record, indent=2) + "\n"
    (folder / "labels.json").write_text(text, encoding="ascii")


def publish(made: Path, path: Path) -> None:
    """Move the finished DeepZoom `made` (its .dzi) to `path`, replacing one that is there.

    The tiles move first, so that a descriptor never stands without them. What is replaced ends
    beside `made`. Raises OSError.
    """
    # One flush of the disk: syncing tens of thousands of tiles one by one takes minutes.
    os.sync()
    folder = tiles_folder(path)
    if folder.exists():
        path.unlink(missing_ok=True)
        folder.rename(made.with_name("replaced_files"))
    tiles_folder(made).rename(folder)
    made.replace(path)


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

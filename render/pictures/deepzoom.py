"""The files of a DeepZoom: the descriptor NAME.dzi, and the folder NAME_files with the tiles.

Those of an IIIF are the page NAME.html and the folder NAME_files.
"""

import json
import os
from pathlib import Path, PurePath

from render.pictures.output_format import Labels

LABELS = "labels.json"

_WITH_TILES = frozenset({".dzi", ".html"})


def has_tiles(path: PurePath) -> bool:
    """Whether a folder of tiles belongs to an output, by the suffix of its file."""
    return path.suffix in _WITH_TILES


def tiles_folder(path: Path) -> Path:
    """Return the folder of tiles that belongs to the descriptor `path`."""
    return path.with_name(f"{path.stem}_files")


def output_files(path: Path) -> list[Path]:
    """Return all files of an output: `path`, and those in its folder of tiles."""
    if not has_tiles(path):
        return [path]
    return [path, *sorted(one for one in tiles_folder(path).rglob("*") if one.is_file())]


def labels_file(path: Path) -> Path:
    """Return the file of labels that belongs to the descriptor `path`."""
    return tiles_folder(path) / LABELS


def labels_text(labels: Labels) -> str:
    """Return the content of the file of labels, since a DeepZoom has no place for text."""
    record = {"version": 1, "dpi": labels.dpi, "identity": labels.identity}
    return json.dumps(record, indent=2) + "\n"


def publish_deepzoom(made: Path, path: Path) -> None:
    """Move the finished DeepZoom or IIIF `made` to `path`, and replace an existing one.

    The tiles move first, so that a descriptor always has its tiles. The replaced tiles move to the
    folder of `made`. Raises OSError.
    """
    # One sync of the disk: an fsync of each of tens of thousands of tiles takes minutes.
    os.sync()
    folder = tiles_folder(path)
    if folder.exists():
        path.unlink(missing_ok=True)
        folder.rename(made.with_name("replaced_files"))
    tiles_folder(made).rename(folder)
    made.replace(path)

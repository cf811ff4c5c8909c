"""The files of a DeepZoom: the descriptor NAME.dzi, and the folder NAME_files with the tiles."""

import json
import os
from pathlib import Path

from render.pictures.output_format import Labels


def tiles_folder(path: Path) -> Path:
    """Return the folder of tiles that belongs to the descriptor `path`."""
    return path.with_name(f"{path.stem}_files")


def write_labels(folder: Path, labels: Labels) -> Path:
    """Write the labels beside the tiles, since a DeepZoom has no place for text.

    Returns the path of the file.
    """
    record = {"version": 1, "dpi": labels.dpi, "identity": labels.identity}
    text = json.dumps(record, indent=2) + "\n"
    path = folder / "labels.json"
    path.write_text(text, encoding="ascii")
    return path


def publish_deepzoom(made: Path, path: Path) -> None:
    """Move the finished DeepZoom `made` (its .dzi) to `path`, and replace an existing one.

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

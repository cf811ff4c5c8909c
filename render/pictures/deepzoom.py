"""A DeepZoom on disk: NAME.dzi, and beside it the folder NAME_files with the tiles."""

import json
import os
from pathlib import Path

from render.pictures.labels import Labels


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

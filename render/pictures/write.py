"""A rendered picture becomes a file: streamed, whole or not at all."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from render.errors import OutputError
from render.pictures.deepzoom import publish, tiles_folder, write_labels
from render.pictures.encode import encode, encode_tiles
from render.pictures.output_format import Labels, check_output
from render.pictures.stream import save_stream
from render.pictures.vips import libvips, reason

_Stream: TypeAlias = Callable[[Callable[[Any], None]], None]


def write_picture(
    path: Path,
    format_name: str,
    size: tuple[int, int],
    depth: int,
    bands: Iterable[np.ndarray],
    labels: Labels,
) -> None:
    """Write a picture of size (height, width) and `depth` bits a sample from its bands.

    The bands are (h, width, 3) sRGB arrays of uint8 (depth 8) or uint16 (depth 16), top to
    bottom, of any heights: the file's bytes do not depend on how the picture is cut. Memory is
    bounded by the width, not the height. A DeepZoom is `path` (.dzi) and its folder of tiles.

    Until all is done, `path` is untouched; if anything fails, nothing is left behind.

    Raises OutputError where the format, the place or the disk does not allow it, ValueError if
    the bands do not add up to the picture, and whatever `bands` raises.
    """
    check_output(format_name, *size, depth)

    def stream(save: Callable[[Any], None]) -> None:
        with _encoding(path):
            save_stream(size, depth, bands, save)

    partial = path.with_name(f".{path.name}.partial-{secrets.token_hex(4)}")
    if format_name == "deepzoom":
        _write_tiles(path, partial, stream, labels)
    else:
        _write_file(path, partial, stream, lambda image, to: encode(image, format_name, to, labels))


def _write_file(
    path: Path, partial: Path, stream: _Stream, save_to: Callable[[Any, int], None]
) -> None:
    with _on_disk(path):
        # Read and write: the TIFF encoder goes back to complete what it has written.
        file = partial.open("x+b")
    try:
        with file:
            stream(lambda image: save_to(image, file.fileno()))
            with _on_disk(path):
                os.fsync(file.fileno())
        with _on_disk(path):
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _write_tiles(path: Path, partial: Path, stream: _Stream, labels: Labels) -> None:
    with _on_disk(path):
        partial.mkdir()
    try:
        made = partial / "made.dzi"
        stream(lambda image: encode_tiles(image, made.with_suffix(""), labels))
        with _on_disk(path):
            write_labels(tiles_folder(made), labels)
            publish(made, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _encoding(path: Path) -> Iterator[None]:
    """Tell libvips' failures in one line; let the bands' own exceptions pass."""
    try:
        yield
    except libvips().Error as error:
        raise OutputError(
            f"{path}: writing failed ({reason(error)}): check the free space there and in TMPDIR"
        ) from error


@contextmanager
def _on_disk(path: Path) -> Iterator[None]:
    """Tell the file system's refusals in one line."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written: {error.strerror or error}:"
            " check the folder, its permissions and its free space"
        ) from error

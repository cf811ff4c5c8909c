"""Writes a rendered picture to disk as a stream, and atomically; and its digest."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from render.errors import OutputError
from render.pictures.deepzoom import publish_deepzoom, tiles_folder, write_labels
from render.pictures.encode import encode, encode_deepzoom
from render.pictures.output_format import Labels, check_output
from render.pictures.vips import error_reason, libvips, save_stream

_Stream: TypeAlias = Callable[[Callable[[Any], None]], None]


def write_picture(
    path: Path,
    format_name: str,
    size: tuple[int, int],
    depth: int,
    bands: Iterable[np.ndarray],
    labels: Labels,
) -> None:
    """Write a picture from its bands.

    path: the file to write; for a DeepZoom its .dzi, beside which the folder of tiles is written.
    size: (height, width) in pixels. depth: bits per sample, 8 or 16.
    bands: sRGB arrays (h, width, 3) of uint8 (depth 8) or uint16 (depth 16), top to bottom. The
        file's bytes do not depend on their heights.

    Memory depends on the width only. `path` changes only when everything is written, and a failure
    leaves no files.

    Raises OutputError if the format cannot hold the picture or the disk refuses it, ValueError if
    the bands do not match the size, and whatever `bands` raises.
    """
    check_output(format_name, *size, depth)

    def stream(save: Callable[[Any], None]) -> None:
        with _encoder_errors(path):
            save_stream(size, depth, bands, save)

    partial = path.with_name(f".{path.name}.partial-{secrets.token_hex(4)}")
    if format_name == "deepzoom":
        _write_deepzoom(path, partial, stream, labels)
    else:
        _write_file(path, partial, stream, lambda image, to: encode(image, format_name, to, labels))


def _write_file(
    path: Path, partial: Path, stream: _Stream, save_to: Callable[[Any, int], None]
) -> None:
    with _disk_errors(path):
        # Opened for reading too, because the TIFF encoder reads what it has written.
        file = partial.open("x+b")
    try:
        with file:
            stream(lambda image: save_to(image, file.fileno()))
            with _disk_errors(path):
                os.fsync(file.fileno())
        with _disk_errors(path):
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _write_deepzoom(path: Path, partial: Path, stream: _Stream, labels: Labels) -> None:
    with _disk_errors(path):
        partial.mkdir()
    try:
        made = partial / "made.dzi"
        stream(lambda image: encode_deepzoom(image, made.with_suffix(""), labels))
        with _disk_errors(path):
            write_labels(tiles_folder(made), labels)
            publish_deepzoom(made, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _encoder_errors(path: Path) -> Iterator[None]:
    """Raise libvips errors as OutputError. Other exceptions, such as those of the bands, pass."""
    try:
        yield
    except libvips().Error as error:
        raise OutputError(
            f"{path}: writing failed ({error_reason(error)}):"
            " check the free space there and in TMPDIR"
        ) from error


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    """Raise errors of the file system as OutputError."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written: {error.strerror or error}:"
            " check the folder, its permissions and its free space"
        ) from error


def output_digest(path: Path, tiles: Path | None = None) -> str:
    """Return the digest of an output, `sha256:HEX`.

    For a DeepZoom it is that of the list of its files. The list has a line "CHECKSUM  NAME" for
    each file, sorted, with names relative to the folder of the .dzi. For `sky.dzi`, HEX is what
    this command prints:
    `find sky.dzi sky_files -type f -exec sha256sum {} + | LC_ALL=C sort | sha256sum`.

    tiles: the folder of the tiles, if it is not yet beside the .dzi. Raises OSError if a file is
    missing.
    """
    if path.suffix != ".dzi":
        return f"sha256:{_hex_digest(path)}"
    folder = tiles or tiles_folder(path)
    files = [(path, path.name)] + [
        (file, file.relative_to(folder.parent).as_posix())
        for file in folder.rglob("*")
        if file.is_file()
    ]
    lines = [f"{_hex_digest(file)}  {name}\n" for file, name in files]
    listed = "".join(sorted(lines))
    return f"sha256:{hashlib.sha256(listed.encode()).hexdigest()}"


def _hex_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

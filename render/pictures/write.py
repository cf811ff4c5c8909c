"""Writes a rendered picture to disk as a stream, and atomically; and its digest."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import FileIO
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from render.pictures.bands import BandStream, Encoders, encoders
from render.pictures.deepzoom import publish_deepzoom, tiles_folder, write_labels
from render.pictures.deepzoom_encode import descriptor, write_tiles
from render.pictures.jpeg_encode import jpeg_parts
from render.pictures.output_errors import disk_errors, encoder_errors, writing_errors
from render.pictures.output_format import Labels, check_output
from render.pictures.png_encode import png_parts
from render.pictures.tiff_encode import Patch, tiff_parts

_FileParts: TypeAlias = Callable[[BandStream, Labels, Encoders], Iterator[bytes | Patch]]
"""Yields the parts of a file in order; a Patch replaces bytes that were yielded before."""

_FILE_PARTS: Mapping[str, _FileParts] = MappingProxyType(
    {"png": png_parts, "jpeg": jpeg_parts, "tiff": tiff_parts}
)
"""The encoders of the formats that are one file. None needs the whole picture in memory: no
interlacing, and no progressive JPEG."""


def write_picture(
    path: Path,
    format_name: str,
    size: tuple[int, int],
    depth: int,
    bands: Iterable[np.ndarray],
    labels: Labels,
    threads: int = 1,
) -> str:
    """Write a picture from its bands, and return its `output_digest`.

    path: the file to write; for a DeepZoom its .dzi, beside which the folder of tiles is written.
    size: (height, width) in pixels. depth: bits per sample, 8 or 16.
    bands: sRGB arrays (h, width, 3) of uint8 (depth 8) or uint16 (depth 16), top to bottom. They
        are read in the caller's thread. The file's bytes do not depend on their heights.
    threads: that encode, besides the caller's. The file's bytes do not depend on it.

    Memory depends on the width and the threads only. `path` changes only when everything is
    written, and a failure leaves no files.

    Raises OutputError if the format cannot hold the picture or the disk refuses it, ValueError if
    the bands do not match the size, and whatever `bands` raises.
    """
    check_output(format_name, *size, depth)
    picture = BandStream(*size, depth, bands)
    partial = path.with_name(f".{path.name}.partial-{secrets.token_hex(4)}")
    with encoder_errors(path), encoders(threads) as pool:
        if format_name == "deepzoom":
            return _write_deepzoom(path, partial, picture, labels, pool)
        return _write_file(path, partial, _FILE_PARTS[format_name](picture, labels, pool))


def _write_file(path: Path, partial: Path, parts: Iterator[bytes | Patch]) -> str:
    with disk_errors(path):
        file = partial.open("xb", buffering=0)
    try:
        with file:
            digest = _write_parts(path, file, parts)
            with disk_errors(path):
                os.fsync(file.fileno())
        with disk_errors(path):
            digest = digest or _hex_digest(partial)
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return f"sha256:{digest}"


def _write_parts(path: Path, file: FileIO, parts: Iterator[bytes | Patch]) -> str:
    """Write the parts. Returns their SHA-256, or nothing if a patch changed digested bytes."""
    digest, is_patched = hashlib.sha256(), False
    for part in parts:
        with writing_errors(path):
            if isinstance(part, Patch):
                is_patched = True
                file.seek(part.offset)
                _write_all(file, part.content)
            else:
                _write_all(file, part)
                digest.update(part)
    return "" if is_patched else digest.hexdigest()


def _write_all(file: FileIO, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def _write_deepzoom(
    path: Path, partial: Path, picture: BandStream, labels: Labels, pool: Encoders
) -> str:
    made = partial / "made.dzi"
    tiles = tiles_folder(made)
    with disk_errors(path):
        partial.mkdir()
    try:
        sums = {
            _name(path, tiles, file.path): file.sha256
            for file in write_tiles(path, picture, tiles, pool)
        }
        with disk_errors(path):
            made.write_text(descriptor(picture.height, picture.width), encoding="ascii")
            sums[path.name] = _hex_digest(made)
            written = write_labels(tiles, labels)
            sums[_name(path, tiles, written)] = _hex_digest(written)
            publish_deepzoom(made, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return _list_digest(sums)


def _name(path: Path, tiles: Path, file: Path) -> str:
    """The name of a file in the folder `tiles`, as it will be beside the descriptor `path`."""
    return f"{tiles_folder(path).name}/{file.relative_to(tiles).as_posix()}"


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
    sums = {path.name: _hex_digest(path)}
    for file in folder.rglob("*"):
        if file.is_file():
            sums[file.relative_to(folder.parent).as_posix()] = _hex_digest(file)
    return _list_digest(sums)


def _list_digest(sums: dict[str, str]) -> str:
    """The digest of the files of a DeepZoom. sums: the checksum of each, by its name."""
    listed = "".join(sorted(f"{checksum}  {name}\n" for name, checksum in sums.items()))
    return f"sha256:{hashlib.sha256(listed.encode()).hexdigest()}"


def _hex_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

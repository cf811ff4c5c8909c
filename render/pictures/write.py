"""Writes a rendered picture to disk as a stream, and atomically; and its digest."""

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import FileIO
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from render.pictures.bands import BandStream, Encoders, encoders
from render.pictures.deepzoom import has_tiles, tiles_folder
from render.pictures.encoding import Encoding
from render.pictures.jpeg_encode import jpeg_parts
from render.pictures.output_errors import disk_errors, encoder_errors, writing_errors
from render.pictures.output_format import Labels, check_output
from render.pictures.png_encode import png_parts
from render.pictures.tiff_encode import Patch, tiff_parts
from render.pictures.whole_encode import WholeEncoder
from render.pictures.zoom import DEEPZOOM, IIIF, Zoom, write_folder, zip_parts

_FileParts: TypeAlias = Callable[[BandStream, Labels, Encoders, Encoding], Iterator[bytes | Patch]]
"""Yields the parts of a file in order; a Patch replaces bytes that were yielded before."""

_FILE_PARTS: Mapping[str, _FileParts] = MappingProxyType(
    {
        "png": png_parts,
        "jpeg": jpeg_parts,
        "tiff": tiff_parts,
        **{name: WholeEncoder(name) for name in ("webp", "avif", "jxl")},
    }
)
"""The encoders of the formats that are one file. PNG, JPEG and TIFF do not need the whole picture
in memory: no interlacing, and no progressive JPEG."""

_FOLDERS: Mapping[str, Zoom] = MappingProxyType({"deepzoom": DEEPZOOM, "iiif": IIIF})

_ZIPS: Mapping[str, Zoom] = MappingProxyType({"deepzoom-zip": DEEPZOOM, "iiif-zip": IIIF})

_DEFAULTS = Encoding()


def write_picture(
    path: Path,
    format_name: str,
    size: tuple[int, int],
    depth: int,
    bands: Iterable[np.ndarray],
    labels: Labels,
    threads: int = 1,
    encoding: Encoding = _DEFAULTS,
) -> str:
    """Write a picture from its bands, and return its `output_digest`.

    path: the file to write; for a DeepZoom its .dzi, for an IIIF its .html, beside which the folder
        of tiles is written.
    size: (height, width) in pixels. depth: bits per sample, 8 or 16.
    bands: arrays (h, width, channels) of uint8 (depth 8) or uint16 (depth 16), top to bottom: sRGB
        with 3 channels, or CMYK with 4 if the encoding has a profile. They are read in the caller's
        thread. The file's bytes do not depend on their heights.
    threads: that encode, besides the caller's. The file's bytes do not depend on it.
    encoding: the settings of the encoder.

    Memory depends on the width and the threads only, but for formats with a limit of their pixels.
    `path` changes only when everything is written, and a failure leaves no files.

    Raises OutputError if the format cannot hold the picture or the disk refuses it, ValueError if
    the bands do not match the size, and whatever `bands` raises.
    """
    check_output(format_name, *size, depth)
    picture = BandStream(*size, depth, bands, encoding.channels)
    partial = _partial_path(path)
    with encoder_errors(path), encoders(threads) as pool:
        if format_name in _FOLDERS:
            zoom = _FOLDERS[format_name]
            return _list_digest(write_folder(path, partial, zoom, picture, labels, encoding, pool))
        if format_name in _ZIPS:
            zoom = _ZIPS[format_name]
            parts: Iterator[bytes | Patch] = zip_parts(
                zoom, path.stem, picture, labels, encoding, pool
            )
        else:
            parts = _FILE_PARTS[format_name](picture, labels, pool, encoding)
        return _write_file(path, partial, parts)


def write_file(path: Path, parts: Iterator[bytes | Patch]) -> str:
    """Write a file from its parts, and return its digest. It appears only when it is complete."""
    return _write_file(path, _partial_path(path), parts)


def _partial_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial-{secrets.token_hex(4)}")


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


def output_digest(path: Path, tiles: Path | None = None) -> str:
    """Return the digest of an output, `sha256:HEX`.

    For a DeepZoom and an IIIF it is that of the list of its files. The list has a line
    "CHECKSUM  NAME" for each file, sorted, with names relative to the folder of `path`. For
    `sky.dzi`, HEX is what this command prints:
    `find sky.dzi sky_files -type f -exec sha256sum {} + | LC_ALL=C sort | sha256sum`.

    tiles: the folder of the tiles, if it is not yet beside `path`. Raises OSError if a file is
    missing.
    """
    if not has_tiles(path):
        return f"sha256:{_hex_digest(path)}"
    folder = tiles or tiles_folder(path)
    sums = {path.name: _hex_digest(path)}
    for file in folder.rglob("*"):
        if file.is_file():
            sums[file.relative_to(folder.parent).as_posix()] = _hex_digest(file)
    return _list_digest(sums)


def _list_digest(sums: dict[str, str]) -> str:
    """The digest of an output of several files. sums: the checksum of each, by its name."""
    listed = "".join(sorted(f"{checksum}  {name}\n" for name, checksum in sums.items()))
    return f"sha256:{hashlib.sha256(listed.encode()).hexdigest()}"


def _hex_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

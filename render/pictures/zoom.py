"""Pictures as small tiles of every size, for viewers: DeepZoom and IIIF, as folders or zips."""

import functools
import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from render.geometry.rect import Size
from render.pictures.bands import BandStream, Encoders
from render.pictures.colour_profile import srgb_profile
from render.pictures.deepzoom import LABELS, labels_text, publish_deepzoom, tiles_folder
from render.pictures.deepzoom_encode import deepzoom_tiles, descriptor, tile_source
from render.pictures.encoding import Encoding
from render.pictures.iiif_encode import WHOLE, iiif_tiles, info, info_file
from render.pictures.jpeg_encode import jpeg_tile
from render.pictures.output_errors import disk_errors, writing_errors
from render.pictures.output_format import Labels
from render.pictures.pyramid import NamedTile
from render.pictures.zip_stream import ZipStream
from render.pictures.zoom_page import page_files, still_page

T = TypeVar("T")

_QUALITY = 90

_LOCAL = "http://localhost:8000/"
"""Where `python -m http.server` serves a folder."""


@dataclass(frozen=True)
class Zoom:
    """A format of tiles.

    tiles: those of a picture, by their names below the folder. source: what OpenSeadragon needs to
    know of a picture of a size, with the address of the folder.
    """

    tiles: Callable[[BandStream], Iterator[NamedTile]]
    source: Callable[[Size, str], dict[str, Any]]

    def descriptors(self, stem: str, size: Size, encoding: Encoding) -> dict[str, bytes]:
        """The files that describe the tiles to other programs, by name. stem: of all names."""
        if self is DEEPZOOM:
            return {f"{stem}.dzi": descriptor(*size).encode("ascii")}
        address = encoding.address or f"{_LOCAL}{stem}_files"
        return {f"{stem}_files/info.json": info_file(size, address)}

    def encode(
        self,
        picture: BandStream,
        encoding: Encoding,
        encoders: Encoders,
        keep: Callable[[str, bytes], T],
    ) -> Iterator[T]:
        """Encode the tiles, and yield what `keep` returns for each, called in any thread."""
        profile = srgb_profile()
        quality = _QUALITY if encoding.quality is None else encoding.quality

        def encode(tile: NamedTile) -> T:
            return keep(tile.name, jpeg_tile(tile.samples, quality, profile))

        return encoders.ordered(functools.partial(encode, tile) for tile in self.tiles(picture))


DEEPZOOM = Zoom(deepzoom_tiles, tile_source)

IIIF = Zoom(iiif_tiles, info)


def zip_parts(
    zoom: Zoom,
    stem: str,
    picture: BandStream,
    labels: Labels,
    encoding: Encoding,
    encoders: Encoders,
) -> Iterator[bytes]:
    """Yield the parts of a zip with all files, in a folder `stem`; its `index.html` is the page."""
    archive, size = ZipStream(), (picture.height, picture.width)
    for name, content in _small_files(zoom, stem, "index.html", size, labels, encoding).items():
        yield archive.add(f"{stem}/{name}", content)
    for name, content in zoom.encode(picture, encoding, encoders, lambda *named: named):
        yield archive.add(f"{stem}/{stem}_files/{name}", content)
    yield archive.end()


def _small_files(
    zoom: Zoom, stem: str, page: str, size: Size, labels: Labels, encoding: Encoding
) -> dict[str, bytes]:
    """All files besides the tiles, by name. page: the name of the page, if there is a viewer."""
    folder = f"{stem}_files"
    files = zoom.descriptors(stem, size, encoding)
    files[f"{folder}/{LABELS}"] = labels_text(labels).encode("ascii")
    if encoding.viewer is not None:
        source = zoom.source(size, "." if page.startswith(f"{folder}/") else folder)
        files |= page_files(encoding.viewer, stem, page, folder, source)
    elif zoom is IIIF:
        files[page] = still_page(stem, f"{folder}/{WHOLE}")
    return files


def write_folder(
    path: Path,
    partial: Path,
    zoom: Zoom,
    picture: BandStream,
    labels: Labels,
    encoding: Encoding,
    encoders: Encoders,
) -> dict[str, str]:
    """Write a folder of tiles, and the output `path` beside it, which appears when all is written.

    partial: a path beside it for what is not finished; it is gone afterwards.

    Returns the checksums of all files, by their names beside `path`. Raises OutputError.
    """
    made, stem = partial / f"made{path.suffix}", path.stem
    folder, size = tiles_folder(path).name, (picture.height, picture.width)

    def write(name: str, content: bytes) -> tuple[str, str]:
        # The file has its final name only at the end, like the folder.
        below = name.removeprefix(f"{folder}/")
        file = made if below == path.name else tiles_folder(made) / below
        with writing_errors(path):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return name, hashlib.sha256(content).hexdigest()

    page = path.name if zoom is IIIF else f"{folder}/index.html"
    with disk_errors(path):
        partial.mkdir()
    try:
        sums = dict(
            zoom.encode(
                picture, encoding, encoders, lambda name, tile: write(f"{folder}/{name}", tile)
            )
        )
        for name, content in _small_files(zoom, stem, page, size, labels, encoding).items():
            sums |= [write(name, content)]
        with disk_errors(path):
            publish_deepzoom(made, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return sums

"""Encodes pictures as PNG, JPEG or TIFF. The same samples give the same bytes.

The bytes depend neither on the heights of the bands, nor on the number of threads, nor on the
processor. No setting needs the whole picture in memory: no interlacing, and no progressive JPEG.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

from render.pictures.bands import BandStream, Encoders
from render.pictures.jpeg_encode import jpeg_parts
from render.pictures.output_format import Labels
from render.pictures.png_encode import png_parts
from render.pictures.tiff_encode import Patch, tiff_parts

FileParts: TypeAlias = Callable[[BandStream, Labels, Encoders], Iterator[bytes | Patch]]
"""Yields the parts of a file in order; a Patch replaces bytes that were yielded before."""

FILE_PARTS: Mapping[str, FileParts] = MappingProxyType(
    {"png": png_parts, "jpeg": jpeg_parts, "tiff": tiff_parts}
)
"""The encoders of the formats that are one file."""

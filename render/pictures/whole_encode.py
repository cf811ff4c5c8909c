"""Encodes formats whose encoders need the whole picture at once: WebP, AVIF and JPEG XL.

`Format.max_pixels` bounds the memory that they take.
"""

import html
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from render.pictures.bands import BandStream, Encoders
from render.pictures.colour_profile import srgb_profile
from render.pictures.encoding import Encoding
from render.pictures.jpeg_encode import exif_block
from render.pictures.output_format import UNSTATED_DPI, Labels
from render.pictures.vips import WHOLE_SAVERS, libvips, one_thread

_QUALITY: Mapping[str, int] = MappingProxyType({"webp": 90, "avif": 80, "jxl": 90})

_ROWS = 64

_EXIF_BYTES = 65_000
"""libexif drops longer blocks. An identity that is too long for Exif becomes a packet of XMP."""

_XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt>
<rdf:li xml:lang="x-default">%s</rdf:li>
</rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"""


class WholeEncoder:
    """The encoder of one format."""

    def __init__(self, format_name: str) -> None:
        self._format = format_name

    def __call__(
        self, picture: BandStream, labels: Labels, _encoders: Encoders, encoding: Encoding
    ) -> Iterator[bytes]:
        """Yield the file."""
        operation, options = WHOLE_SAVERS[self._format]
        quality = _QUALITY[self._format] if encoding.quality is None else encoding.quality
        if self._format == "avif":
            mode = "off" if encoding.chroma == "4:4:4" else "on"
            options = {**options, "subsample_mode": mode}
        image = _labelled(picture, labels)
        with one_thread():
            encoded: bytes = getattr(image, operation)(Q=quality, **options)
        yield encoded


def _labelled(picture: BandStream, labels: Labels) -> Any:
    """The whole picture, with its metadata, as a libvips image."""
    samples = np.empty((picture.height, picture.width, 3), np.uint8)
    top = 0
    for block in picture.blocks(_ROWS):
        samples[top : top + len(block)] = block
        top += len(block)
    vips = libvips()
    image = vips.Image.new_from_memory(samples.data, picture.width, picture.height, 3, "uchar")
    image = image.copy(interpretation="srgb", xres=labels.pixels_per_mm, yres=labels.pixels_per_mm)
    dpi = UNSTATED_DPI if labels.dpi is None else labels.dpi
    identity = labels.identity.encode("ascii")
    exif = exif_block(dpi, identity)
    if len(exif) > _EXIF_BYTES:
        exif = exif_block(dpi, b"")
        image.set_type(
            vips.GValue.blob_type, "xmp-data", _XMP % html.escape(identity.decode()).encode()
        )
    image.set_type(vips.GValue.blob_type, "exif-data", exif)
    image.set_type(vips.GValue.blob_type, "icc-profile-data", srgb_profile())
    return image

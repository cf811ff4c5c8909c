"""One encoder for each format; the same samples give the same bytes.

Settings are stated here and only here. None needs the whole picture: no interlacing, no
progressive or optimised JPEG, whose second pass would hold it.
"""

from pathlib import Path
from typing import Any

from render.pictures.colour_profile import srgb_profile
from render.pictures.deepzoom import tiles_folder
from render.pictures.output_format import Labels
from render.pictures.vips import libvips

_TIFF_TILE = 256
_CLASSIC_TIFF_BYTES = 2**32 - 2**26
"""Offsets of a classic TIFF have 32 bits; some room is left for what is not samples."""


def encode(image: Any, format_name: str, descriptor: int, labels: Labels) -> None:
    """Write the libvips image as png, jpeg or tiff to an open, seekable file."""
    image = _labelled(image, labels)
    target = libvips().Target.new_to_descriptor(descriptor)
    if format_name == "png":
        image.set_type(libvips().GValue.gstr_type, "png-comment-0-Description", labels.identity)
        # On photographs as small as trying every filter, in less time.
        image.pngsave_target(target, compression=6, filter="paeth")
    elif format_name == "jpeg":
        image.set_type(libvips().GValue.gstr_type, "exif-ifd0-ImageDescription", labels.identity)
        image.jpegsave_target(target, Q=95, subsample_mode="off")
    else:
        image.set_type(libvips().GValue.gstr_type, "image-description", labels.identity)
        depth = 8 if image.format == "uchar" else 16
        # Deflate with a predictor and sub-images, not pages, for the smaller sizes: what print
        # software opens, and as one page.
        image.tiffsave_target(
            target,
            compression="deflate",
            predictor="horizontal",
            tile=True,
            tile_width=_TIFF_TILE,
            tile_height=_TIFF_TILE,
            pyramid=True,
            subifd=True,
            bigtiff=needs_bigtiff(image.height, image.width, depth),
            resunit="inch",
        )


def encode_tiles(image: Any, base: Path, labels: Labels) -> None:
    """Write the libvips image as a DeepZoom: `base`.dzi and the folder `base`_files."""
    _labelled(image, labels).dzsave(
        str(base), suffix=".jpg[Q=90]", tile_size=254, overlap=1, keep="icc"
    )
    # libvips adds a list of its own, with the date, which would make every output differ.
    (tiles_folder(base) / "vips-properties.xml").unlink(missing_ok=True)


def needs_bigtiff(height: int, width: int, depth: int) -> bool:
    """Whether a pyramid of that size might not fit a classic TIFF, were it not compressed."""
    padded = (height + _TIFF_TILE) * (width + _TIFF_TILE)
    return padded * 3 * (depth // 8) * 4 // 3 > _CLASSIC_TIFF_BYTES


def _labelled(image: Any, labels: Labels) -> Any:
    """A copy of the image with its resolution and the sRGB profile."""
    copy = image.copy(xres=labels.pixels_per_mm, yres=labels.pixels_per_mm)
    copy.set_type(libvips().GValue.blob_type, "icc-profile-data", srgb_profile())
    return copy

"""Encodes pictures as PNG, JPEG, TIFF or DeepZoom. The same samples give the same bytes.

No setting needs the whole picture in memory: no interlacing, and no progressive or optimised JPEG.
"""

from pathlib import Path
from typing import Any

from render.pictures.colour_profile import srgb_profile
from render.pictures.deepzoom import tiles_folder
from render.pictures.output_format import Labels
from render.pictures.vips import libvips

_TIFF_TILE = 256
_CLASSIC_TIFF_BYTES = 2**32 - 2**26
"""A classic TIFF has 32-bit offsets; some space is reserved for directories."""


def encode(image: Any, format_name: str, descriptor: int, labels: Labels) -> None:
    """Write the libvips image as png, jpeg or tiff to an open, seekable file descriptor."""
    image = _with_metadata(image, labels)
    target = libvips().Target.new_to_descriptor(descriptor)
    if format_name == "png":
        image.set_type(libvips().GValue.gstr_type, "png-comment-0-Description", labels.identity)
        # For photographs this is as small as trying every filter, and faster.
        image.pngsave_target(target, compression=6, filter="paeth")
    elif format_name == "jpeg":
        image.set_type(libvips().GValue.gstr_type, "exif-ifd0-ImageDescription", labels.identity)
        image.jpegsave_target(target, Q=95, subsample_mode="off")
    else:
        image.set_type(libvips().GValue.gstr_type, "image-description", labels.identity)
        depth = 8 if image.format == "uchar" else 16
        # Print software reads deflate with a predictor. Subifds for the smaller sizes keep it a
        # TIFF of one page.
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


def encode_deepzoom(image: Any, base: Path, labels: Labels) -> None:
    """Write the libvips image as a DeepZoom: `base`.dzi and the folder `base`_files."""
    _with_metadata(image, labels).dzsave(
        str(base), suffix=".jpg[Q=90]", tile_size=254, overlap=1, keep="icc"
    )
    # libvips writes a file of properties with the date, so equal outputs would differ.
    (tiles_folder(base) / "vips-properties.xml").unlink(missing_ok=True)


def needs_bigtiff(height: int, width: int, depth: int) -> bool:
    """Whether a pyramid of this size, uncompressed, may be too large for a classic TIFF."""
    padded = (height + _TIFF_TILE) * (width + _TIFF_TILE)
    return padded * 3 * (depth // 8) * 4 // 3 > _CLASSIC_TIFF_BYTES


def _with_metadata(image: Any, labels: Labels) -> Any:
    """Return a copy of the image with its resolution and the sRGB profile."""
    copy = image.copy(xres=labels.pixels_per_mm, yres=labels.pixels_per_mm)
    copy.set_type(libvips().GValue.blob_type, "icc-profile-data", srgb_profile())
    return copy

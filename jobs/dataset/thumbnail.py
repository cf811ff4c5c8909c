"""Thumbnails: a small sRGB picture of any picture file."""

import functools
import struct
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF")
"""The formats that datasets read and write. Files are untrusted, so no other decoder is used."""


_WIDE_MODES = {"I;16", "I;16L", "I;16B", "I;16N", "I", "F"}
"""Pillow's modes with more than 8 bits a sample. Its own conversion clips them at 255."""


_DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    struct.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What Pillow raises for damaged files. It documents no common class."""


def thumbnail(
    source: Path | bytes, side: int, background: tuple[int, int, int]
) -> Image.Image | None:
    """Decode a picture file, upright, as 8-bit sRGB that fits into a square of `side` pixels.

    Small pictures are enlarged. Transparent pixels get the colour `background`. A JPEG is decoded
    only as far as needed. Returns None for a damaged file, another format, or more pixels than
    Pillow's Image.MAX_IMAGE_PIXELS.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            content = BytesIO(source) if isinstance(source, bytes) else source
            with Image.open(content, formats=_known_formats()) as image:
                return _shrink(image, side, background)
    except _DECODE_ERRORS:
        return None


@functools.cache
def _known_formats() -> tuple[str, ...]:
    """The formats that Pillow reads here, after pillow-heif has added its own."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    Image.init()
    return tuple(one for one in _FORMATS if one in Image.OPEN)


def _shrink(image: Image.Image, side: int, background: tuple[int, int, int]) -> Image.Image:
    # Palette indices and single bits cannot be averaged.
    is_indexed = image.mode in {"P", "PA", "1"}
    small = image.convert("RGBA") if is_indexed else image
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    small = ImageOps.exif_transpose(small)
    colour = _to_srgb(_to_8_bits(small), small.info.get("icc_profile"))
    opaque = Image.new("RGBA", colour.size, background)
    opaque.alpha_composite(colour)
    return ImageOps.contain(opaque.convert("RGB"), (side, side), Image.Resampling.BICUBIC)


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Scale wide samples to 8 bits: 16-bit ones by their full range, others by their own range."""
    if image.mode not in _WIDE_MODES:
        return image
    samples = np.asarray(image, np.float64)
    lowest, highest = (0.0, 65535.0) if "16" in image.mode else (samples.min(), samples.max())
    levels = (samples - lowest) / max(highest - lowest, 1e-9) * 255
    return Image.fromarray(np.rint(np.nan_to_num(levels)).astype(np.uint8))


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert to RGBA in sRGB. A profile that does not fit the samples is ignored."""
    if profile is None or image.mode not in {"L", "RGB", "CMYK"}:
        return image.convert("RGBA")
    try:
        source = ImageCms.getOpenProfile(BytesIO(profile))
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(
            image,
            source,
            srgb,
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError):
        return image.convert("RGBA")
    return (converted or image).convert("RGBA")

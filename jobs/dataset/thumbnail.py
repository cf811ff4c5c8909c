"""A small picture of whatever lies in a file, to be looked at."""

import struct
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF")
"""What is dreamed and written; no decoder of anything else sees a stranger's bytes."""


_NUMBERS = {"I;16", "I;16L", "I;16B", "I;16N", "I", "F"}
"""Pillow's modes of samples that are no bytes, of which it clips all above 255."""


_FAULTS = (
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
"""What Pillow raises of damaged files; it promises no one class of errors."""


def thumbnail(source: Path | bytes, side: int, ground: tuple[int, int, int]) -> Image.Image | None:
    """A picture file, upright, as sRGB of 8 bits that fits into a square of `side` pixels.

    Small pictures are enlarged. What is transparent shows the colour `ground`. Of a JPEG only as
    much is decoded as is needed. None for what is damaged, no JPEG, PNG, WebP or TIFF, or larger
    than Pillow's Image.MAX_IMAGE_PIXELS.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            content = BytesIO(source) if isinstance(source, bytes) else source
            with Image.open(content, formats=_FORMATS) as image:
                return _small(image, side, ground)
    except _FAULTS:
        return None


def _small(image: Image.Image, side: int, ground: tuple[int, int, int]) -> Image.Image:
    # Colours of a palette cannot be averaged, nor black and white ones.
    is_indexed = image.mode in {"P", "PA", "1"}
    small = image.convert("RGBA") if is_indexed else image
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    small = ImageOps.exif_transpose(small)
    colour = _coloured(_bytes(small), small.info.get("icc_profile"))
    opaque = Image.new("RGBA", colour.size, ground)
    opaque.alpha_composite(colour)
    return ImageOps.contain(opaque.convert("RGB"), (side, side), Image.Resampling.BICUBIC)


def _bytes(image: Image.Image) -> Image.Image:
    """Samples of 16 bits as bytes; of others the least is black and the greatest white."""
    if image.mode not in _NUMBERS:
        return image
    samples = np.asarray(image, np.float64)
    least, greatest = (0.0, 65535.0) if "16" in image.mode else (samples.min(), samples.max())
    levels = (samples - least) / max(greatest - least, 1e-9) * 255
    return Image.fromarray(np.rint(np.nan_to_num(levels)).astype(np.uint8))


def _coloured(image: Image.Image, profile: bytes | None) -> Image.Image:
    """As RGBA in sRGB; a profile that does not fit the samples does not count."""
    if profile is None or image.mode not in {"L", "RGB", "CMYK"}:
        return image.convert("RGBA")
    try:
        found = ImageCms.getOpenProfile(BytesIO(profile))
        srgb = ImageCms.createProfile("sRGB")
        turned = ImageCms.profileToProfile(
            image,
            found,
            srgb,
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError):
        return image.convert("RGBA")
    return (turned or image).convert("RGBA")

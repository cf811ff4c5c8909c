"""Converts the colours of input pictures to sRGB with 8 or 16 bits per sample."""

from typing import Any

from render.pictures.linear_light import PROFILE, StatedColours
from render.pictures.matrix_profile import read_matrix_profile
from render.pictures.vips import libvips

_CHANNELS_OF_SPACE = {b"GRAY": 1, b"RGB ": 3, b"CMYK": 4}


_ADOBE_RGB = StatedColours((0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06), 563 / 256)
"""Adobe RGB (1998), 4.3.1."""

_INTEROPERABILITY = "exif-ifd4-InteroperabilityIndex"


def camera_colours(image: Any) -> StatedColours | None:
    """Adobe RGB, if a camera says so in EXIF and embeds no profile (DCF 2.0, option file)."""
    if image.get_typeof(PROFILE) or not image.get_typeof(_INTEROPERABILITY):
        return None
    is_rgb = image.bands - int(image.hasalpha()) == 3 and image.interpretation != "cmyk"
    return _ADOBE_RGB if is_rgb and image.get(_INTEROPERABILITY)[:3] == "R03" else None


def srgb_profile() -> bytes:
    """Return libvips' sRGB profile (IEC 61966-2-1), which every output embeds."""
    profile: bytes = libvips().Operation.call("profile_load", "srgb")
    return profile


def to_srgb(image: Any, depth: int, background: float = 1.0) -> Any:
    """Convert a libvips image to three opaque sRGB bands of `depth` bits (8 or 16).

    An embedded profile applies if it fits the samples. Without one, CMYK uses libvips' own
    profile, and grey and RGB count as sRGB. The intent is relative colorimetric with black point
    compensation, Adobe's default: colours inside sRGB are exact, and the black of print profiles
    stays black.

    Transparency is composited in sRGB, as in browsers, on grey from 0 (black) to 1 (white). White
    is the default, because posters are on paper.
    """
    converted = _in_srgb(image, depth)
    if not converted.hasalpha():
        return converted
    white = 2**depth - 1
    return converted.flatten(background=[white * background] * 3, max_alpha=white)


def _in_srgb(image: Any, depth: int) -> Any:
    """Convert the image to sRGB and keep its alpha band if it has one."""
    is_cmyk = image.interpretation == "cmyk"
    if depth == 16 and _needs_profile(image):
        profile = read_matrix_profile(image.get(PROFILE))
        if profile is not None:
            return profile.to_srgb(image)
    if is_cmyk or _needs_profile(image):
        return image.icc_transform(
            "srgb",
            embedded=_profile_fits(image),
            input_profile="cmyk" if is_cmyk else "srgb",
            intent="relative",
            black_point_compensation=True,
            depth=depth,
        )
    return image.colourspace("srgb" if depth == 8 else "rgb16")


def _needs_profile(image: Any) -> bool:
    """Whether the embedded profile fits and is not the one that this package writes."""
    if not _profile_fits(image):
        return False
    profile: bytes = image.get(PROFILE)
    return profile != srgb_profile()


def _profile_fits(image: Any) -> bool:
    """Whether the embedded profile has the image's number of channels (ICC.1, 7.2.6)."""
    if not image.get_typeof(PROFILE):
        return False
    channels = image.bands - int(image.hasalpha())
    return _CHANNELS_OF_SPACE.get(image.get(PROFILE)[16:20]) == int(channels)

"""Converts the colours of input pictures to sRGB with 8 or 16 bits per sample."""

from typing import Any

from render.pictures.vips import libvips

_CHANNELS_OF_SPACE = {b"GRAY": 1, b"RGB ": 3, b"CMYK": 4}

_PROFILE = "icc-profile-data"


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
    profile: bytes = image.get(_PROFILE)
    return profile != srgb_profile()


def _profile_fits(image: Any) -> bool:
    """Whether the embedded profile has the image's number of channels (ICC.1, 7.2.6)."""
    if not image.get_typeof(_PROFILE):
        return False
    channels = image.bands - int(image.hasalpha())
    return _CHANNELS_OF_SPACE.get(image.get(_PROFILE)[16:20]) == int(channels)

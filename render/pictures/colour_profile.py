"""Colour on the way in: whatever a file holds becomes sRGB, 8 or 16 bits a sample."""

from typing import Any

from render.pictures.vips import libvips

_CHANNELS_OF_SPACE = {b"GRAY": 1, b"RGB ": 3, b"CMYK": 4}

_PROFILE = "icc-profile-data"


def srgb_profile() -> bytes:
    """The sRGB profile (IEC 61966-2-1) that libvips carries and that every output embeds."""
    profile: bytes = libvips().Operation.call("profile_load", "srgb")
    return profile


def to_srgb(image: Any, depth: int) -> Any:
    """A libvips image of three sRGB bands of `depth` bits (8 or 16), opaque.

    Embedded profiles count when they fit the samples; CMYK without one is read by libvips' own
    profile, grey and RGB without one as sRGB. The intent is relative colorimetric with black
    point compensation, as Adobe's default: exact for colours that sRGB has, and the blacks of
    print profiles stay black.

    Transparency is composited on white, in sRGB as browsers do: drawings with transparent
    ground are made to be seen on paper, and a poster is paper.
    """
    colour = _coloured(image, depth)
    if not colour.hasalpha():
        return colour
    white = 2**depth - 1
    return colour.flatten(background=[white] * 3, max_alpha=white)


def _coloured(image: Any, depth: int) -> Any:
    """The image in sRGB, with its alpha band if it has one."""
    is_cmyk = image.interpretation == "cmyk"
    if is_cmyk or _needs_profile(image):
        return image.icc_transform(
            "srgb",
            embedded=_fits(image),
            input_profile="cmyk" if is_cmyk else "srgb",
            intent="relative",
            black_point_compensation=True,
            depth=depth,
        )
    return image.colourspace("srgb" if depth == 8 else "rgb16")


def _needs_profile(image: Any) -> bool:
    """Whether the embedded profile fits, and is not the sRGB that this package writes."""
    if not _fits(image):
        return False
    profile: bytes = image.get(_PROFILE)
    return profile != srgb_profile()


def _fits(image: Any) -> bool:
    """Whether an embedded profile is for as many channels as the image has (ICC.1, 7.2.6)."""
    if not image.get_typeof(_PROFILE):
        return False
    channels = image.bands - int(image.hasalpha())
    return _CHANNELS_OF_SPACE.get(image.get(_PROFILE)[16:20]) == int(channels)

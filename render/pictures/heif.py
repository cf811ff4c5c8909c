"""HEIC and AVIF files: their pictures, their colours, and the pixels of HEIC.

libvips reads AVIF, and the headers of both. The build of libvips from the package index has no
decoder for the patented HEVC, so libheif's own build in pillow-heif decodes HEIC.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from render.errors import PictureError
from render.input_file import open_input_file
from render.pictures.vips import libvips

_MAX_FILE_BYTES = 2**30
"""Limit of a file. libheif holds it as a whole in memory."""


_ERRORS = (OSError, RuntimeError, ValueError, SyntaxError, EOFError)
"""What libheif raises for damaged files."""


HEVC, _AV1 = "hevc", "av1"
"""Codecs, as libvips names them."""


_SEQUENCE_BRANDS = (b"avis", b"hevc", b"hevx", b"msf1")

_HIGH_RANGE = {16: "PQ", 18: "HLG"}
"""Transfer functions of high dynamic range, by their numbers in ITU-T H.273."""


_SRGB_PRIMARIES = frozenset({1, 2, 5, 6, 7})
"""BT.709, unspecified, and BT.601, which differs from them by less than the eye sees."""


_DISPLAY_P3 = 12


@dataclass(frozen=True)
class HeifPictures:
    """The pictures of a file. primary: the number of the main one, from 1."""

    count: int
    primary: int
    is_sequence: bool


def heif_pictures(path: Path) -> HeifPictures:
    """Read which pictures a HEIC or AVIF file has.

    Raises PictureError if its header is damaged, or if its colours cannot be shown in sRGB.
    """
    with open_input_file(path) as file:
        is_sequence = file.read(12)[8:] in _SEQUENCE_BRANDS
        heif = _open(path, file)
        primary = heif[heif.primary_index]
        _check_colours(path, primary.info)
        return HeifPictures(len(heif), heif.primary_index + 1, is_sequence)


def decode_heic(path: Path, page: int) -> Any:
    """Decode a picture of a HEIC file as a libvips image, in memory. page: from 0.

    Raises PictureError if it is damaged.
    """
    with open_input_file(path) as file:
        heif = _open(path, file)
        picture = heif[page]
        try:
            samples = np.ascontiguousarray(np.asarray(picture))
        except _ERRORS as error:
            raise PictureError(
                f"{path}: truncated or damaged ({_reason(error)}): copy or export the picture again"
            ) from error
    return _as_vips(samples, is_premultiplied=picture.premultiplied_alpha)


def complete_heif(image: Any, path: Path, page: int) -> Any:
    """Give a libvips image of a HEIF file what libvips leaves out: its profile, and full white.

    Raises PictureError if it is compressed with another codec than HEVC or AV1.
    """
    codec = image.get("heif-compression") if image.get_typeof("heif-compression") else HEVC
    if codec not in (HEVC, _AV1):
        raise PictureError(
            f"{path}: compressed with {codec}, which cannot be read here: export it as PNG or JPEG"
        )
    with open_input_file(path) as file:
        info = _open(path, file)[page].info
    profile, nclx = info.get("icc_profile"), info.get("nclx_profile")
    if profile:
        image = _with_profile(image, profile)
    elif nclx and nclx["color_primaries"] == _DISPLAY_P3:
        image = _with_profile(image, libvips().Operation.call("profile_load", "p3"))
    bits = info.get("bit_depth", 8)
    if image.format == "ushort" and 8 < bits < 16:
        # Decoders shift samples to 16 bits, so white is a little less than 65535.
        top = (2**bits - 1) << (16 - bits)
        image = (image * (65535 / top)).rint().cast("ushort").copy(interpretation="rgb16")
    return image


def _as_vips(samples: np.ndarray, *, is_premultiplied: bool) -> Any:
    height, width = samples.shape[:2]
    bands = 1 if samples.ndim == 2 else samples.shape[2]
    kind = "uchar" if samples.dtype == np.uint8 else "ushort"
    image = libvips().Image.new_from_memory(samples.data, width, height, bands, kind)
    spaces = ("b-w", "srgb") if kind == "uchar" else ("grey16", "rgb16")
    image = image.copy(interpretation=spaces[bands > 2])
    if is_premultiplied:
        white = 255 if kind == "uchar" else 65535
        image = image.unpremultiply(max_alpha=white).rint().cast(kind)
    return image


def _with_profile(image: Any, profile: bytes) -> Any:
    image = image.copy()
    image.set_type(libvips().GValue.blob_type, "icc-profile-data", profile)
    return image


def _check_colours(path: Path, info: Any) -> None:
    nclx = info.get("nclx_profile")
    if not nclx:
        return
    if curve := _HIGH_RANGE.get(nclx["transfer_characteristics"]):
        raise PictureError(
            f"{path}: has a high dynamic range ({curve}): export it in sRGB, without HDR"
        )
    primaries = nclx["color_primaries"]
    if not info.get("icc_profile") and primaries not in _SRGB_PRIMARIES | {_DISPLAY_P3}:
        raise PictureError(
            f"{path}: has colours of another space ({primaries} in H.273): export it in sRGB"
        )


def _open(path: Path, file: BinaryIO) -> Any:
    """Read the headers of all pictures. Raises PictureError if there are none."""
    import pillow_heif

    if os.fstat(file.fileno()).st_size > _MAX_FILE_BYTES:
        raise PictureError(f"{path}: is a HEIC or AVIF of more than 1 GiB: save it as TIFF or PNG")
    try:
        heif = pillow_heif.open_heif(file, convert_hdr_to_8bit=False)
    except _ERRORS as error:
        raise _unreadable_header(path, _reason(error)) from error
    if not len(heif):
        raise _unreadable_header(path, "no picture in it")
    return heif


def _unreadable_header(path: Path, reason: str) -> PictureError:
    return PictureError(
        f"{path}: damaged, its header cannot be read ({reason}): copy or export the picture again"
    )


def _reason(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else "no reason given"

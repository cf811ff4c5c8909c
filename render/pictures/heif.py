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
from render.pictures.linear_light import HDR, StatedColours, coded_colours
from render.pictures.vips import libvips

_MAX_FILE_BYTES = 2**30
"""Limit of a file. libheif holds it as a whole in memory."""


_ERRORS = (OSError, RuntimeError, ValueError, SyntaxError, EOFError)
"""What libheif raises for damaged files."""


HEVC, _AV1 = "hevc", "av1"
"""Codecs, as libvips names them."""


_SEQUENCE_BRANDS = (b"avis", b"hevc", b"hevx", b"msf1")

_UNSPECIFIED, _SRGB_CODE = 2, 13
"""Primaries and transfer functions that nobody states count as those of sRGB."""


@dataclass(frozen=True)
class HeifPictures:
    """The pictures of a file. primary: the number of the main one, from 1."""

    count: int
    primary: int
    is_sequence: bool


def heif_pictures(path: Path) -> HeifPictures:
    """Read which pictures a HEIC or AVIF file has.

    Raises PictureError if its header is damaged.
    """
    with open_input_file(path) as file:
        is_sequence = file.read(12)[8:] in _SEQUENCE_BRANDS
        heif = _open(path, file)
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
    return _as_vips(samples)


def complete_heif(image: Any, path: Path, page: int) -> Any:
    """Give a libvips image of a HEIF file what libvips leaves out.

    That is its profile, or sRGB if its colours are stated by numbers; full white; and colours that
    are not multiplied by transparency.

    Raises PictureError if it is compressed with another codec than HEVC or AV1, or if its colours
    cannot be shown in sRGB.
    """
    codec = image.get("heif-compression") if image.get_typeof("heif-compression") else HEVC
    if codec not in (HEVC, _AV1):
        raise PictureError(
            f"{path}: compressed with {codec}, which cannot be read here: export it as PNG or JPEG"
        )
    with open_input_file(path) as file:
        picture = _open(path, file)[page]
    info = picture.info
    colours = _stated_colours(path, info)
    bits = info.get("bit_depth", 8)
    if image.format == "ushort" and 8 < bits < 16:
        # Decoders shift samples to 16 bits, so white is a little less than 65535.
        top = (2**bits - 1) << (16 - bits)
        image = (image * (65535 / top)).rint().cast("ushort").copy(interpretation="rgb16")
    if picture.premultiplied_alpha and image.hasalpha():
        white = 255 if image.format == "uchar" else 65535
        image = image.unpremultiply(max_alpha=white).rint().cast(image.format)
    if profile := info.get("icc_profile"):
        return _with_profile(image, profile)
    return image if colours is None else colours.to_srgb(image)


def _as_vips(samples: np.ndarray) -> Any:
    height, width = samples.shape[:2]
    bands = 1 if samples.ndim == 2 else samples.shape[2]
    kind = "uchar" if samples.dtype == np.uint8 else "ushort"
    image = libvips().Image.new_from_memory(samples.data, width, height, bands, kind)
    spaces = ("b-w", "srgb") if kind == "uchar" else ("grey16", "rgb16")
    return image.copy(interpretation=spaces[bands > 2])


def _with_profile(image: Any, profile: bytes) -> Any:
    image = image.copy()
    image.set_type(libvips().GValue.blob_type, "icc-profile-data", profile)
    return image


def _stated_colours(path: Path, info: Any) -> StatedColours | None:
    """The colours that a picture states by numbers, if any. They count only without a profile.

    Raises PictureError for colours that cannot be shown in sRGB.
    """
    nclx = info.get("nclx_profile")
    if not nclx:
        return None
    primaries, transfer = nclx["color_primaries"], nclx["transfer_characteristics"]
    if transfer in HDR:
        raise PictureError(
            f"{path}: has a high dynamic range ({HDR[transfer]}): export it in sRGB, without HDR"
        )
    if info.get("icc_profile"):
        return None
    colours = coded_colours(
        1 if primaries == _UNSPECIFIED else primaries,
        _SRGB_CODE if transfer == _UNSPECIFIED else transfer,
    )
    if colours is None:
        raise PictureError(
            f"{path}: has colours of another space ({primaries} and {transfer} in H.273): "
            "export it in sRGB"
        )
    return colours


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

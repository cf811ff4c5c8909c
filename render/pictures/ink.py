"""Colours for a press: sRGB samples as CMYK by an ICC profile, and as the press would show them.

LittleCMS computes, through libvips. A transform treats each pixel for itself, so bands and threads
change nothing.
"""

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from render.errors import OutputError
from render.input_file import open_input_file, read_problem
from render.pictures.bands import encoders
from render.pictures.encoding import BUILTIN_PROFILE, Intent
from render.pictures.vips import error_reason, libvips

MAX_PROFILE_BYTES = 32 << 20

GAMUT_TOLERANCE = 5.0
"""The distance (CIE76) up to which a printed colour counts as the one that was meant. LittleCMS
uses the same in its own check (`ERR_THRESHOLD` in `cmsgmt.c`)."""

_LEAST_BYTES = 132
"""A header and the number of tags (ICC.1, 7.2 and 7.3)."""


@dataclass(frozen=True)
class Press:
    """A press by its ICC profile, and how colours come to it.

    profile: the path of a CMYK profile, or None for BUILTIN_PROFILE. black_point_compensation:
    maps the black of sRGB to the darkest ink, so that shadows keep their steps.
    """

    profile: Path | None
    intent: Intent = "relative"
    black_point_compensation: bool = True

    @property
    def _name(self) -> str:
        return BUILTIN_PROFILE if self.profile is None else str(self.profile)

    def content(self) -> bytes:
        """The bytes of the profile, to embed."""
        content: bytes = libvips().Operation.call("profile_load", self._name)
        return content

    def inks(self, samples: np.ndarray) -> np.ndarray:
        """Convert sRGB samples (h, w, 3) of uint8 or uint16 to CMYK (h, w, 4) of the same type.

        The largest value is full ink.
        """
        return _array(self._inked(samples, self.intent, self.black_point_compensation))

    def shown(self, samples: np.ndarray) -> np.ndarray:
        """Convert sRGB samples (h, w, 3) to those that show on a screen what will be printed.

        White is the paper's, as in `to_srgb`: relative colorimetric, with black point compensation.
        """
        inked = self._inked(samples, self.intent, self.black_point_compensation)
        return _array(
            inked.icc_transform(
                "srgb",
                input_profile=self._name,
                intent="relative",
                black_point_compensation=True,
                depth=samples.itemsize * 8,
            )
        )

    def missed(self, samples: np.ndarray) -> int:
        """The number of pixels of sRGB samples (h, w, 3) whose colours the press cannot print.

        A colour is missed if the one that the press prints for it (relative colorimetric, without
        black point compensation) is further than GAMUT_TOLERANCE from it in CIELAB.
        """
        wanted = _image(samples).icc_import(input_profile="srgb", intent="relative", pcs="lab")
        inked = self._inked(samples, "relative", False)
        got = inked.icc_import(input_profile=self._name, intent="relative", pcs="lab")
        distances = _array(wanted.dE76(got))
        return int(np.count_nonzero(distances > GAMUT_TOLERANCE))

    def _inked(self, samples: np.ndarray, intent: Intent, black_point: bool) -> Any:
        return _image(samples).icc_transform(
            self._name,
            input_profile="srgb",
            intent=intent,
            black_point_compensation=black_point,
            depth=samples.itemsize * 8,
        )


@dataclass
class Gamut:
    """How many of the pixels of a picture a press cannot print."""

    missed: int = 0
    pixels: int = 0

    @property
    def share_missed(self) -> float:
        """Their share, from 0 to 1."""
        return self.missed / self.pixels


def ink_bands(press: Press, bands: Iterable[np.ndarray], threads: int = 1) -> Iterator[np.ndarray]:
    """Convert the bands of a picture to CMYK, as `Press.inks`."""
    yield from _converted(press.inks, bands, threads)


def proof_bands(
    press: Press, bands: Iterable[np.ndarray], gamut: Gamut, threads: int = 1
) -> Iterator[np.ndarray]:
    """Convert the bands of a picture as `Press.shown`, and count its pixels into `gamut`."""

    def convert(band: np.ndarray) -> tuple[np.ndarray, int]:
        return press.shown(band), press.missed(band)

    for shown, missed in _converted(convert, bands, threads):
        gamut.missed += missed
        gamut.pixels += shown.shape[0] * shown.shape[1]
        yield shown


def _converted(
    convert: Callable[[np.ndarray], Any], bands: Iterable[np.ndarray], threads: int
) -> Iterator[Any]:
    with encoders(threads) as pool:
        yield from pool.ordered(functools.partial(convert, band) for band in bands)


def check_profile(path: Path) -> None:
    """Check that a file is the profile of a CMYK press, which LittleCMS can use.

    Raises OutputError.
    """
    try:
        with open_input_file(path) as file:
            content = file.read(MAX_PROFILE_BYTES + 1)
    except OSError as error:
        raise OutputError(f"{path}: {read_problem(error)}") from error
    if len(content) > MAX_PROFILE_BYTES:
        raise OutputError(f"{path}: a profile has at most {MAX_PROFILE_BYTES >> 20} MiB")
    if len(content) < _LEAST_BYTES or content[36:40] != b"acsp":
        raise OutputError(f"{path}: is not an ICC profile; ask the print shop for its .icc file")
    space, kind = content[16:20], content[12:16]
    if space != b"CMYK" or kind != b"prtr":
        found = f"{space.decode('ascii', 'replace').strip()} ({kind.decode('ascii', 'replace')})"
        raise OutputError(
            f"{path}: is a profile for {found}, not for CMYK (prtr); ask the print shop for the "
            "profile of its press"
        )
    try:
        Press(path).missed(np.zeros((1, 1, 3), np.uint8))
        Press(path).shown(np.zeros((1, 1, 3), np.uint8))
    except libvips().Error as error:
        raise OutputError(f"{path}: is damaged ({error_reason(error)}); get it again") from error


def _image(samples: np.ndarray) -> Any:
    height, width, channels = samples.shape
    kind, space = ("uchar", "srgb") if samples.dtype == np.uint8 else ("ushort", "rgb16")
    image = libvips().Image.new_from_memory(
        np.ascontiguousarray(samples).data, width, height, channels, kind
    )
    # The caller has threads of its own.
    image.set_type(libvips().GValue.gint_type, "concurrency", 1)
    return image.copy(interpretation=space)


def _array(image: Any) -> np.ndarray:
    array: np.ndarray = image.numpy()
    return array

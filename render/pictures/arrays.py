"""Whole pictures as numpy arrays: files, PIL images and arrays in, arrays out."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from render.errors import PictureError
from render.pictures.colour import MEAN, STD, to_samples
from render.pictures.decode import open_picture

if TYPE_CHECKING:
    from PIL.Image import Image

    PictureLike = np.ndarray | Image | str | os.PathLike[str]

_BAND_ROWS = 64

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ArrayPicture:
    """A picture in memory.

    samples: (height, width, 3) of uint8 or uint16, sRGB. dtype: what results are to have.
    """

    samples: np.ndarray
    dtype: np.dtype[Any]

    def result(self, canvas: torch.Tensor) -> np.ndarray:
        """A canvas (h, w, 3) as an array of the picture's dtype; floats are not quantised."""
        if self.dtype.kind == "u":
            return to_samples(canvas, 8 * self.dtype.itemsize)
        rgb: np.ndarray = canvas.to("cpu", torch.float64).numpy() * STD + MEAN
        floats: np.ndarray = np.clip(rgb, 0.0, 1.0).astype(self.dtype)
        return floats


def load_picture(picture: "PictureLike") -> ArrayPicture:
    """Load an array (H, W, 3) of uint8, uint16 or floats from 0 to 1, a PIL image, or a path.

    Floats are rounded to 16 bits. Raises PictureError for anything else.
    """
    if isinstance(picture, str | os.PathLike):
        opened = open_picture(Path(picture))
        for note in opened.notes:
            _log.warning("%s: %s", opened.path, note)
        samples = np.concatenate(list(opened.bands(_BAND_ROWS)))
        return ArrayPicture(samples, samples.dtype)
    if isinstance(picture, np.ndarray):
        return _from_array(picture)
    if hasattr(picture, "convert"):
        return _from_array(np.asarray(picture.convert("RGB")))
    raise PictureError(
        f"picture: {type(picture).__name__} is not a picture; "
        "give an array (H, W, 3), a PIL image, or a path"
    )


def _from_array(array: np.ndarray) -> ArrayPicture:
    if array.ndim != 3 or array.shape[2] != 3 or not array.size:
        raise PictureError(f"picture: the shape must be (H, W, 3), not {array.shape}")
    if array.dtype in (np.uint8, np.uint16):
        return ArrayPicture(array, array.dtype)
    if array.dtype.kind != "f":
        raise PictureError(f"picture: the dtype must be uint8, uint16 or float, not {array.dtype}")
    if not (array.min() >= 0 and array.max() <= 1):
        raise PictureError("picture: floats must be from 0 to 1; divide by 255, or use uint8")
    samples = np.rint(array.astype(np.float64) * 65535).astype(np.uint16)
    return ArrayPicture(samples, array.dtype)

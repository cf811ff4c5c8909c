"""Reads the pictures of motifs as small squares, keeps them on disk, and holds a tenth out."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from render.errors import PictureError, TrainingError
from render.pictures.decode import Picture, open_picture
from render.pictures.output_errors import disk_errors
from render.training.finetune.image_folder import MIN_PICTURES, Motif
from render.training.finetune.settings import Stage, Watch

SIDE = 96
"""Side of a stored picture in pixels."""

_HELD_OUT = 10
"""One picture in so many is held out."""

_MAX_PIXELS = 2**28
_BAND_ROWS = 64
_DECODERS = 4

Squares = NDArray[np.uint8]
"""Pictures, (N, SIDE, SIDE, 3)."""


class LeftOut(NamedTuple):
    """A file that is not trained on, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class MotifPictures:
    """The pictures of one motif.

    squares: all of them; they stay on disk. chosen: the numbers of those to train on. held_out:
    the numbers of those to judge by.
    """

    name: str
    squares: Squares
    chosen: NDArray[np.int64]
    held_out: NDArray[np.int64]


@dataclass(frozen=True)
class PicturePool:
    """The pictures of all motifs, and the files that are none."""

    motifs: tuple[MotifPictures, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def count(self) -> int:
        """All pictures that could be read."""
        return sum(len(one.squares) for one in self.motifs)


def read_pool(motifs: Sequence[Motif], folder: Path, seed: int, watch: Watch) -> PicturePool:
    """Read all pictures. What an earlier call has left in `folder` is not read again.

    folder: keeps the squares; it must be one for these files only.
    seed: decides which pictures are held out.

    Raises TrainingError if a motif has too few pictures that can be read, and OutputError if the
    disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    total, done = sum(len(one.files) for one in motifs), 0
    found: list[MotifPictures] = []
    left_out: list[LeftOut] = []

    def watch_files(more: int) -> None:
        watch(Stage("read", done + more, total))

    for number, motif in enumerate(motifs):
        path = folder / f"motif-{number:04d}.npy"
        if not path.exists():
            _store(path, *_read_squares(motif, watch_files))
        done += len(motif.files)
        watch_files(0)
        squares = np.load(path, mmap_mode="r")
        unread = [LeftOut(*one) for one in json.loads(path.with_suffix(".json").read_text())]
        _check_enough(motif, len(squares), unread)
        found.append(MotifPictures(motif.name, squares, *_split(len(squares), (seed, number))))
        left_out += unread
    return PicturePool(tuple(found), tuple(left_out))


def _split(count: int, seed: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers of pictures to train on, and of those held out."""
    order = np.random.default_rng(seed).permutation(count)
    held_out = max(1, round(count / _HELD_OUT))
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def _store(path: Path, squares: Squares, left_out: Sequence[LeftOut]) -> None:
    """Write the pictures of a motif; the array comes last, and means that all is there."""
    partial = path.with_suffix(".part")
    with disk_errors(path):
        path.with_suffix(".json").write_text(json.dumps(left_out))
        with partial.open("wb") as file:
            np.save(file, squares)
        partial.replace(path)


def _check_enough(motif: Motif, count: int, unread: Sequence[LeftOut]) -> None:
    if count < MIN_PICTURES:
        raise TrainingError(
            f"{motif.files[0].parent}: only {count} of {len(motif.files)} pictures can be read, "
            f"and a motif needs {MIN_PICTURES}; the first that cannot: {unread[0].reason}"
        )


def _read_squares(
    motif: Motif, watch: Callable[[int], None]
) -> tuple[Squares, tuple[LeftOut, ...]]:
    """Read the pictures of a motif in threads. The result is in the order of the files."""
    squares, left_out = [], []
    with ThreadPoolExecutor(_DECODERS) as threads:
        for number, read in enumerate(threads.map(_read_or_say_why, motif.files)):
            if isinstance(read, LeftOut):
                left_out.append(read)
            else:
                squares.append(read)
            watch(number + 1)
    stacked = np.stack(squares) if squares else np.empty((0, SIDE, SIDE, 3), np.uint8)
    return stacked, tuple(left_out)


def _read_or_say_why(path: Path) -> Squares | LeftOut:
    try:
        return read_square(path)
    except PictureError as error:
        return LeftOut(str(path), str(error))


def read_square(path: Path) -> Squares:
    """Read the square in the middle of a picture: (SIDE, SIDE, 3) of sRGB.

    Reads a few rows at once, so any picture takes little memory. Raises PictureError.
    """
    picture = open_picture(path, _MAX_PIXELS)
    side = min(picture.height, picture.width)
    whole = Image.fromarray(_middle_square(picture, side, max(1, side // (2 * SIDE))))
    return np.asarray(whole.resize((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0))


def _middle_square(picture: Picture, side: int, factor: int) -> Squares:
    """The middle square of a picture, with `factor` x `factor` pixels averaged into one."""
    top, left, count = (picture.height - side) // 2, (picture.width - side) // 2, side // factor
    result = np.empty((count, count, 3), np.uint8)
    bands = picture.bands(max(1, _BAND_ROWS // factor) * factor)
    rows: NDArray[np.uint8] = np.empty((0, count * factor, 3), np.uint8)
    done, first = 0, 0
    for band in bands:
        cut = band[max(0, top - first) :, left : left + count * factor]
        first += len(band)
        rows = np.concatenate([rows, _to_8_bits(cut)])
        whole = min(len(rows) // factor, count - done)
        blocks = rows[: whole * factor].reshape(whole, factor, count, factor, 3)
        result[done : done + whole] = np.rint(blocks.mean((1, 3), dtype=np.float32))
        rows, done = rows[whole * factor :], done + whole
        if done == count:
            break
    return result


def _to_8_bits(samples: np.ndarray) -> NDArray[np.uint8]:
    return samples if samples.dtype == np.uint8 else (samples >> 8).astype(np.uint8)

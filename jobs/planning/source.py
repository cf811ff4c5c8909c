"""The input of a poster, opened, and what a plan records of a picture."""

from dataclasses import dataclass
from pathlib import Path

from jobs.planning.identity import file_digest
from jobs.spec.poster import PosterSpec
from jobs.spec.size import PixelSize
from render.pictures.decode import open_picture
from render.pictures.generated import Noise, PlainColour
from render.pictures.ingest import PictureSource


@dataclass(frozen=True)
class PictureInfo:
    """An input, mask or guide: its size in pixels, bits a sample, and digest.

    digest: None for noise and plain colours.
    """

    height: int
    width: int
    depth: int
    digest: str | None


def picture_info(path: Path, max_pixels: int) -> PictureInfo:
    """Describe a picture file. Raises PictureError if it is unreadable or too large."""
    picture = open_picture(path, max_pixels)
    return PictureInfo(picture.height, picture.width, picture.depth, file_digest(path))


def open_input(spec: PosterSpec) -> tuple[PictureSource, PixelSize]:
    """Open a poster's input, and work out the poster's size from it.

    Raises PictureError if the input is unreadable or exceeds the spec's limits.
    """
    if spec.input.path is not None:
        picture: PictureSource = open_picture(spec.input.path, spec.limits.max_pixels)
        return picture, spec.size.resolve(picture.height, picture.width)
    size = spec.size.resolve(1, 1)
    if spec.input.noise is not None:
        return Noise(size.height, size.width, spec.input.noise.seed), size
    if spec.input.colour is None:
        raise ValueError("an input is a path, noise or a colour")
    colour = spec.input.colour
    return PlainColour(size.height, size.width, (colour.red, colour.green, colour.blue)), size

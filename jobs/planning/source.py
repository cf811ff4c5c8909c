"""What a poster starts from, opened: its size and depth, and its samples."""

from dataclasses import dataclass
from pathlib import Path

from jobs.planning.identity import file_digest
from jobs.spec.poster import Spec
from jobs.spec.size import Extent
from render.pictures.generated import Noise, Plain
from render.pictures.ingest import Pictured
from render.pictures.source import open_picture


@dataclass(frozen=True)
class Source:
    """The input as it was found: height, width, bits a sample, digest if it is a file."""

    height: int
    width: int
    depth: int
    digest: str | None


def sourced(path: Path, max_pixels: int) -> Source:
    """A picture file as it was found. PictureError where it cannot be read, or is too large."""
    picture = open_picture(path, max_pixels)
    return Source(picture.height, picture.width, picture.depth, file_digest(path))


def opened(spec: Spec) -> tuple[Pictured, Extent]:
    """The input, and the size of the output that the spec asks for with it.

    PictureError where the input cannot be read or is larger than the spec's limits.
    """
    if spec.input.path is not None:
        picture: Pictured = open_picture(spec.input.path, spec.limits.max_pixels)
        return picture, spec.size.resolve(picture.height, picture.width)
    extent = spec.size.resolve(1, 1)
    if spec.input.noise is not None:
        return Noise(extent.height, extent.width, spec.input.noise.seed), extent
    if spec.input.colour is None:
        raise ValueError("an input is a path, noise or a colour")
    colour = spec.input.colour
    return Plain(extent.height, extent.width, (colour.red, colour.green, colour.blue)), extent

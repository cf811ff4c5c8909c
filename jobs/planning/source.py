"""The input of a poster, opened and described, and the size of the poster."""

import logging
from dataclasses import dataclass
from pathlib import Path

from jobs.planning.identity import file_digest
from jobs.planning.print_files import print_files
from jobs.spec.dataset import DatasetSpec
from jobs.spec.length import PixelSize
from jobs.spec.poster import PosterSpec
from jobs.spec.size import is_squashed
from jobs.text.errors import RequestError
from render.dream.octaves import picture_shape
from render.geometry.rect import Size
from render.pictures.decode import Picture, open_picture
from render.pictures.frame import CENTRE, FramedPicture, crop_frame, pad_frame
from render.pictures.generated import Noise, PlainColour, noise_size
from render.pictures.ingest import PictureSource
from render.pictures.ink import check_profile
from render.pictures.output_format import Labels, check_output

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PictureInfo:
    """An input, mask or guide: its size in pixels, bits a sample, and digest.

    digest: None for noise and plain colours. notes: what a user should know, such as that the file
    has other pages; they are also logged as warnings.
    """

    height: int
    width: int
    depth: int
    digest: str | None
    notes: tuple[str, ...] = ()


def picture_info(path: Path, max_pixels: int) -> PictureInfo:
    """Describe a picture file. Raises PictureError if it is unreadable or too large."""
    picture = open_picture(path, max_pixels)
    digest = file_digest(path)
    return PictureInfo(picture.height, picture.width, picture.depth, digest, _noted(picture))


def profile_digests(spec: PosterSpec) -> dict[Path, str]:
    """The digests of the profiles of presses, by path. Raises OutputError if one is not usable."""
    paths = [one.profile_path for one in spec.outputs if one.profile_path is not None]
    for path in set(paths):
        check_profile(path)
    return {path: file_digest(path) for path in set(paths)}


def open_input(spec: PosterSpec) -> tuple[PictureSource, PixelSize]:
    """Open a poster's input, and work out the poster's size from it.

    Raises PictureError if the input is unreadable or exceeds the spec's limits.
    """
    source = spec.input
    if source.path is not None:
        picture = open_picture(source.path, spec.limits.max_pixels, source.page)
        size = spec.size.resolve(picture.height, picture.width)
        return framed(picture, spec, spec.size.shape(picture.height, picture.width)), size
    # There is no input, so the size gives both sides, and the result does not depend on (1, 1).
    size = spec.size.resolve(1, 1)
    if spec.input.noise is not None:
        return Noise(*noise_size(spec.size.shape(1, 1)), spec.input.noise.seed), size
    if spec.input.colour is None:
        raise ValueError("an input is a path, noise or a colour")
    colour = spec.input.colour
    return PlainColour(1, 1, (colour.red, colour.green, colour.blue)), size


def describe_input(spec: PosterSpec) -> tuple[PictureInfo, PixelSize]:
    """Describe a poster's input, and work out the poster's size. Raises what `open_input` does."""
    picture, size = open_input(spec)
    digest = None if spec.input.path is None else file_digest(spec.input.path)
    notes: tuple[str, ...] = ()
    file = picture.picture if isinstance(picture, FramedPicture) else picture
    if isinstance(file, Picture):
        has_choice = spec.input.page is None and file.selection.count > 1
        notes = _noted(file, "; choose another with input.page" if has_choice else "")
    return PictureInfo(picture.height, picture.width, picture.depth, digest, notes), size


def input_shape(spec: PosterSpec, source: PictureInfo, size: PixelSize) -> Size:
    """The shape of all octaves: the input's, or if that is squashed, the shape of `spec.size`."""
    given, whole = (size.height, size.width), (source.height, source.width)
    if spec.input.path is not None and picture_shape(whole, given) == whole:
        return whole
    return spec.size.shape(*whole)


def framed(picture: PictureSource, spec: PosterSpec | DatasetSpec, shape: Size) -> PictureSource:
    """The picture, cropped or padded to a shape if the spec says so."""
    size = (picture.height, picture.width)
    if spec.fit == "crop":
        return FramedPicture(picture, crop_frame(size, shape, spec.focus or CENTRE))
    return FramedPicture(picture, pad_frame(size, shape)) if spec.fit == "pad" else picture


def _noted(picture: Picture, advice: str = "") -> tuple[str, ...]:
    """Log the notes on a picture in one line, and return it, with the name of its file.

    advice: what the user can do about it.
    """
    if not picture.notes:
        return ()
    note = f"{picture.path.name}: {'; '.join(picture.notes)}{advice}"
    _log.warning("%s", note)
    return (note,)


def check_aspect(spec: PosterSpec, source: PictureInfo, size: PixelSize) -> None:
    """Raise RequestError if the poster would squash its picture, which the spec does not allow."""
    if spec.fit is not None or spec.input.path is None:
        return
    if is_squashed(source.height, source.width, size.height, size.width):
        raise RequestError(
            f"size {spec.size}: would squash {spec.input.path}, {source.width} x {source.height}, "
            f"to {size.width} x {size.height}; write auto for one side, or allow it with "
            "--fit crop, pad or stretch, in a spec fit: crop"
        )


def check_size(spec: PosterSpec, size: PixelSize) -> None:
    """Raise RenderError or RequestError if a poster cannot have this size."""
    pixels = size.height * size.width
    if pixels > spec.limits.max_pixels:
        raise RequestError(
            f"size {spec.size}: {size.width} x {size.height} is {pixels / 1e6:.0f} megapixels, "
            f"and at most {spec.limits.max_pixels / 1e6:.0f} are allowed; "
            "choose a smaller size, or raise limits.max_pixels"
        )
    for output in spec.outputs:
        if output.for_printer:
            print_files(output, spec.name, (size.height, size.width), size.dpi)
        else:
            check_output(output.format, size.height, size.width, output.depth)
    try:
        Labels(size.dpi, identity="")
    except ValueError as error:
        raise RequestError(f"size {spec.size}: {error}; change the part after the @") from error

"""The plan of a redo: the octaves and the region of an older picture that are dreamed again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from jobs.spec.poster import PosterSpec
from jobs.spec.redo import DEFAULT_FEATHER, Redo
from jobs.text.errors import RequestError
from render.dream.region import Region, masked_region
from render.geometry.grid import Grid
from render.geometry.rect import Size

Plan = TypeVar("Plan")


@dataclass(frozen=True)
class RedoPlan(Generic[Plan]):
    """What is dreamed again.

    older: the plan of the older picture. parent: the id of the job that made it. octaves: how many
    there are. first: the first that is dreamed again, counted from 0. region: None for the whole
    picture.
    """

    older: Plan
    parent: str
    octaves: int
    first: int
    region: Region | None

    @property
    def needed(self) -> range:
        """The octaves whose older canvases are needed, counted from 0.

        The one from which the first starts; with a region, also all that it changes.
        """
        end = self.first if self.region is None else self.octaves
        return range(max(0, self.first - 1), end)


def older_spec(spec: PosterSpec) -> PosterSpec:
    """The spec of the picture that a redo changes. Raises ValueError for another spec."""
    if spec.redo is None:
        raise ValueError("only a redo has an older picture")
    before = spec.redo.before
    return spec.model_copy(
        update={
            "network": before.network,
            "objectives": before.objectives,
            "dream": before.dream,
            "redo": before.redo,
        }
    )


def plan_redo(
    redo: Redo, older: Plan, older_sizes: Sequence[Size], sizes: Sequence[Size], max_pixels: int
) -> RedoPlan[Plan]:
    """Work out which octaves, and which part, of an older picture are dreamed again.

    older: the plan of that picture. older_sizes, sizes: of all octaves, which must not differ.

    Raises:
        RequestError: the octaves differ from the older ones, there is no such octave, or the region
            has no pixel.
        PictureError: the mask is unreadable, or black all over.
    """
    if tuple(sizes) != tuple(older_sizes):
        raise RequestError(
            "dream.octaves: a redo has the octaves of its picture; leave octaves, octave_scale and "
            "the size as they were, or render a new picture"
        )
    count, first = len(sizes), redo.from_octave - 1
    if first >= count:
        raise RequestError(
            f"octaves {redo.from_octave}..: the picture has {count} octaves; write 1.. to {count}.."
        )
    region = _region(redo, max_pixels)
    if region is None:
        return RedoPlan(older, redo.parent, count, first, None)
    empty = [octave for octave in range(count) if not region.rect(sizes[octave]).area]
    if count - 1 in empty:
        height, width = sizes[-1]
        raise RequestError(f"region: has no pixel of {width} x {height}; make it larger")
    # A region too small to be seen in small octaves begins in the first one that shows it.
    first = max(first, *(octave + 1 for octave in empty), 0)
    return RedoPlan(older, redo.parent, count, first, region)


def _region(redo: Redo, max_pixels: int) -> Region | None:
    if redo.mask is not None:
        return masked_region(redo.mask, max_pixels)
    if redo.region is None:
        return None
    left, top, width, height = redo.region
    feather = DEFAULT_FEATHER if redo.feather is None else redo.feather
    return Region(left, top, min(1.0, left + width), min(1.0, top + height), feather)


def region_grids(
    grids: Sequence[Grid], plan: RedoPlan[Plan], tile_of: Callable[[Size], int]
) -> tuple[Grid, ...]:
    """The tiles of each octave: those of the region where it changes, cut from its own corner.

    tile_of: the side of a tile for a picture of this size.
    """
    region = plan.region
    if region is None:
        return tuple(grids)
    changed = []
    for octave, grid in enumerate(grids):
        rect = region.rect((grid.height, grid.width))
        if octave >= plan.first:
            tile = tile_of((rect.height, rect.width))
            grid = Grid(grid.height, grid.width, tile, rect)  # noqa: PLW2901
        changed.append(grid)
    return tuple(changed)

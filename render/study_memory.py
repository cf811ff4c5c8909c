"""What studies take in memory, known before any is dreamed; needs no torch."""

from dataclasses import dataclass

from render.cost import Cost
from render.kept import kept_values
from render.rect import Size
from render.study_recipe import StudyRecipe

_CHANNELS = 3

_PIECE = 1 << 20
"""Source pixels that `render.resample` reads at once, at the most."""

_READ_BYTES = 3 * 8 * _CHANNELS
"""What a source pixel takes on its way to the canvas: float64, in three steps."""

_RESAMPLED = 4
"""Copies of a tile that its resampling takes: along each axis, a term, and their sum."""


@dataclass(frozen=True)
class StudyMemory:
    """Bytes at the peak of dreaming one batch of studies.

    `held` are the batch's samples and canvases, and what the studies in work keep for their steps;
    `passing` is what comes and goes, one pass of the network or the reading of a tile, whichever
    takes more, and the network itself. On a GPU both are upper bounds of what either memory, its
    own and its host's, has to hold.
    """

    held: int
    passing: int


def study_memory(recipe: StudyRecipe, source: Size, depth: int, cost: Cost) -> StudyMemory:
    """The memory of a batch of pictures of size `source`, of `depth` bits a sample (8 or 16).

    `cost` is that of the recipe's mix in its precision.
    """
    size = recipe.sizes[-1]
    pixel = _CHANNELS * (8 if recipe.precision == "float64" else 4)
    samples = source[0] * source[1] * _CHANNELS * depth // 8
    canvas = size[0] * size[1] * pixel
    # A study in work has its canvas, the octave's base, and what its steps keep.
    working = recipe.slots * canvas * (2 + kept_values(recipe.mix, recipe.dream, recipe.tile))
    held = recipe.batch * (samples + canvas) + int(working)
    reading = cost.weights + _reading_bytes(recipe, source, pixel)
    return StudyMemory(held, max(_pass_bytes(recipe, cost), reading))


def _pass_bytes(recipe: StudyRecipe, cost: Cost) -> int:
    return cost.bytes(recipe.slots * recipe.lattice.largest(recipe.tile, recipe.sizes[-1]))


def _reading_bytes(recipe: StudyRecipe, source: Size, pixel: int) -> int:
    tile = recipe.grid(-1).core(0).area
    read = min(source[0] * source[1], max(_PIECE, tile))
    return read * _READ_BYTES + _RESAMPLED * tile * pixel

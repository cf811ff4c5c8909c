"""What one picture needs, once its size is known: the recipe of its dream, and its memory."""

from jobs.planning.item_settings import Manner
from jobs.planning.memory import FRUGAL_SHARE, KEPT_SHARE, WORKER_BYTES
from jobs.spec.dataset import DatasetOutput
from render.device import Device
from render.engine.memory import study_memory
from render.engine.setup import StudyRecipe
from render.engine.tiling import WINDOW_BYTES
from render.errors import OutputError, PictureError
from render.fourier.setup import FeatureRecipe, Fourier, feature_memory
from render.geometry.rect import Size
from render.pictures.output_format import check_output

_CHANNELS = 3


_ONE_HEAP_SHARE = 2.0
"""What a worker on a CPU holds for what passes through, where it is kept for speed: its threads
share a heap (see `jobs.dataset.runner`). Measured with pictures of mixed sizes: 1.4 to 1.8."""


def study_recipe(manner: Manner, size: Size, device: Device, batch: int) -> StudyRecipe:
    """The recipe for results of that size.

    batch: how many may share a pass; large pictures share it with fewer, so that a pass takes no
    more than a tile of a poster may. It follows from the size and the plan alone.
    """
    room = WINDOW_BYTES // max(1, round(manner.survey.cost.pixel * manner.window(size)))
    return StudyRecipe(
        mix=manner.mix,
        dream=manner.spec.dream,
        precision=manner.precision,
        device=device,
        sizes=manner.sizes(size),
        tile=manner.tile(size),
        stride=manner.survey.stride,
        field=manner.survey.field,
        batch=max(1, min(batch, room)),
        units=manner.survey.units,
    )


def feature_recipe(manner: Manner, fourier: Fourier, size: Size, device: Device) -> FeatureRecipe:
    """The recipe for a picture of that size, from nothing."""
    return FeatureRecipe(
        mix=manner.mix,
        fourier=fourier,
        precision=manner.precision,
        device=device,
        size=size,
        stride=manner.survey.stride,
        field=manner.survey.field,
    )


def needed_bytes(
    manner: Manner, recipe: StudyRecipe | FeatureRecipe, source: Size, depth: int, at_once: int
) -> int:
    """What a worker holds at its peak with such pictures, `at_once` of them in its hands."""
    if isinstance(recipe, FeatureRecipe):
        found = feature_memory(recipe, manner.survey.cost)
        height, width = recipe.size
    else:
        found = study_memory(recipe, source, depth, manner.survey.cost)
        height, width = recipe.sizes[-1]
    samples = source[0] * source[1] * _CHANNELS * depth // 8
    # Those that wait for their turn are decoded; those that had it are encoded.
    waiting = (at_once - 1) * max(samples, height * width * _CHANNELS * 4)
    share = _share(recipe.device, frugal=manner.spec.is_frugal)
    return WORKER_BYTES + found.held + int(found.passing * share) + waiting


def _share(device: Device, *, frugal: bool) -> float:
    """What a worker holds for what passes through."""
    if device == "cuda":
        return KEPT_SHARE
    return FRUGAL_SHARE if frugal else _ONE_HEAP_SHARE


def check_format(output: DatasetOutput, size: Size) -> None:
    """PictureError where the format cannot hold a result of that size."""
    try:
        check_output(output.format, *size, output.depth)
    except OutputError as error:
        raise PictureError(str(error)) from error


def check_fits(needed: int, limit: int, size: Size) -> None:
    """PictureError where a picture is too large for one worker."""
    if needed > limit:
        raise PictureError(
            f"{size[1]} x {size[0]} pixels need {needed / 2**30:.1f} GiB of one worker, which may "
            f"take {limit / 2**30:.1f} GiB: send it as a poster, resize it, or raise "
            "crew.memory_per_worker"
        )

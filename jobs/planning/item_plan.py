"""The plan of one item, once its size is known: its render setup and its memory."""

from dataclasses import replace

from jobs.planning.item_settings import ItemSettings
from jobs.planning.memory import KEPT_MALLOC_FACTOR, RETURNED_MALLOC_FACTOR, WORKER_BYTES
from jobs.spec.dataset import DatasetOutput, DatasetSpec
from jobs.spec.size import is_squashed
from render.device import Device
from render.engine.memory import WINDOW_BYTES, batch_memory
from render.engine.setup import InMemorySetup
from render.errors import OutputError, PictureError
from render.fourier.setup import FeatureSetup, Fourier, feature_memory
from render.geometry.rect import Size
from render.pictures.output_format import check_output

_CHANNELS = 3


_SHARED_MALLOC_FACTOR = 2.0
"""Bytes that a CPU worker of a dataset holds per byte of passing data, when its memory is not
limited. Its threads share one malloc arena. Measured with mixed sizes: 1.4 to 1.8."""


def in_memory_setup(
    settings: ItemSettings, size: Size, source: Size, device: Device, batch: int
) -> InMemorySetup:
    """The render setup for results of that size, from pictures of size `source`.

    batch: the largest number of pictures in one pass. Large pictures get a smaller batch, so that
    one pass needs no more memory than one tile of a poster. Only the size and the plan decide it.
    """
    setup = InMemorySetup(
        mix=settings.mix,
        dream=settings.spec.dream,
        precision=settings.precision,
        device=device,
        grids=settings.grids(size, source),
        stride=settings.profile.stride,
        field=settings.profile.field,
        units=settings.profile.units,
    )
    window = round(settings.profile.cost.bytes_per_pixel * setup.largest_window)
    fitting = WINDOW_BYTES // max(1, window)
    return replace(setup, batch=max(1, min(batch, fitting)))


def feature_setup(
    settings: ItemSettings, fourier: Fourier, size: Size, device: Device
) -> FeatureSetup:
    """The render setup for a feature visualization of that size, which has no input."""
    return FeatureSetup(
        mix=settings.mix,
        fourier=fourier,
        precision=settings.precision,
        device=device,
        size=size,
        stride=settings.profile.stride,
        field=settings.profile.field,
    )


def item_memory(
    settings: ItemSettings,
    setup: InMemorySetup | FeatureSetup,
    source: Size,
    depth: int,
    at_once: int,
) -> int:
    """Bytes that a worker holds at its peak with pictures of that size.

    source: the size of the input, of `depth` bits a sample. at_once: pictures that the worker
    decodes, dreams or encodes at the same time.
    """
    if isinstance(setup, FeatureSetup):
        memory = feature_memory(setup, settings.profile.cost)
        height, width = setup.size
    else:
        memory = batch_memory(setup, source, depth, settings.profile.cost)
        height, width = setup.sizes[-1]
    samples = source[0] * source[1] * _CHANNELS * depth // 8
    # Each other picture is decoded input before its turn, and a float32 result after it.
    waiting = (at_once - 1) * max(samples, height * width * _CHANNELS * 4)
    factor = _malloc_factor(setup.device, returns_freed_memory=settings.spec.returns_freed_memory)
    return WORKER_BYTES + memory.stored + int(memory.transient * factor) + waiting


def _malloc_factor(device: Device, *, returns_freed_memory: bool) -> float:
    """Bytes that a worker holds per byte of passing data."""
    if device == "cuda":
        return KEPT_MALLOC_FACTOR
    return RETURNED_MALLOC_FACTOR if returns_freed_memory else _SHARED_MALLOC_FACTOR


def check_aspect(spec: DatasetSpec, picture: Size, size: Size) -> None:
    """Raise PictureError if a result would squash its picture, which the spec does not allow."""
    if spec.fit is None and spec.inputs.noise is None and is_squashed(*picture, *size):
        raise PictureError(
            f"resize {spec.resize} would squash {picture[1]} x {picture[0]} pixels; write "
            f"resize: fit {spec.resize}, or write fit: crop, pad or stretch"
        )


def check_format(output: DatasetOutput, size: Size) -> None:
    """Raise PictureError if the format cannot hold a result of that size."""
    try:
        check_output(output.format, *size, output.depth)
    except OutputError as error:
        raise PictureError(str(error)) from error


def check_fits(needed: int, limit: int, size: Size) -> None:
    """Raise PictureError if a picture needs more than `limit` bytes of a worker."""
    if needed > limit:
        raise PictureError(
            f"{size[1]} x {size[0]} pixels need {needed / 2**30:.1f} GiB of one worker, which may "
            f"use {limit / 2**30:.1f} GiB: submit it as a poster, resize it, or raise "
            "crew.memory_per_worker"
        )

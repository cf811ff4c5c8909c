"""The setup of a poster's workers, and the factory that creates them. Loads no torch."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from jobs.planning.poster import PosterPlan
from jobs.planning.source import PictureInfo
from jobs.runtime.context import JobContext
from render.engine.setup import ShardSetup
from render.networks.weight_paths import resolve_weights
from render.pictures.ingest import canvas_layout, input_layout
from render.pictures.tiled_image import TiledImage, TileLayout, TileSet

if TYPE_CHECKING:
    from jobs.poster.worker import Worker


_NOTHING_OLDER: Mapping[int, TiledImage] = {}


def decoded_layout(source: PictureInfo) -> TileLayout:
    """The tile layout of the object that holds a decoded picture."""
    return input_layout(source.height, source.width, source.depth)


def decoded_image(context: JobContext, key: str, source: PictureInfo) -> TiledImage:
    """The decoded picture at a key, which need not exist yet."""
    return TiledImage((TileSet(context.stored_object(key), decoded_layout(source)),))


def base_layouts(plan: PosterPlan) -> dict[int, TileLayout]:
    """The tile layouts of the octaves that are made while the input is decoded, by octave."""
    sizes, dtype = plan.octave_sizes, "float64" if plan.precision == "float64" else "float32"
    return {octave: canvas_layout(*sizes[octave], dtype) for octave in plan.octaves_from_decoding}


def shard_setup(
    plan: PosterPlan, context: JobContext, older: Mapping[int, TiledImage] = _NOTHING_OLDER
) -> ShardSetup:
    """The setup of the shards of a plan. older: the canvases that a redo needs, by octave."""
    keys = context.keys
    return ShardSetup(
        network=plan.spec.network.name,
        weights=plan.weights,
        mix=plan.mix,
        dream=plan.spec.dream,
        precision=plan.precision,
        device=plan.device,
        input=decoded_image(context, keys.input, plan.source),
        bases={
            octave: TiledImage((TileSet(context.stored_object(keys.input_base(octave)), layout),))
            for octave, layout in base_layouts(plan).items()
        },
        grids=plan.grids,
        stride=plan.profile.stride,
        field=plan.profile.field,
        units=plan.profile.units,
        masks={
            path: decoded_image(context, keys.mask(number), plan.attachments[path])
            for number, path in enumerate(plan.masks)
        },
        region=None if plan.redo is None else plan.redo.region,
        older=older,
        beginnings=plan.beginnings,
        spill=plan.memory.spills,
        returns_freed_memory=plan.memory.is_limited,
    )


def create_worker(setup: ShardSetup, context: JobContext, member: int) -> "Worker":
    """Create a worker in its own process, where torch is imported.

    Raises:
        StoreRefused: this machine does not see the job's store, or a blob is missing.
    """
    from jobs.poster.worker import Worker

    context.check_store()
    weights = context.local_file(setup.weights, context.blobs.weights)
    if not weights.exists():
        # Builtin weights have another path on this machine.
        weights = resolve_weights(setup.network, None)
    mix = setup.mix.map_objectives(
        lambda one: replace(one, guide=one.guide and context.attachment(one.guide))
    )
    return Worker(replace(setup, weights=weights, mix=mix), context, member)

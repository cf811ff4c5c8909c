"""The plan of a dataset: everything that follows from its spec before its inputs are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jobs.planning.identity import UNHASHED_FIELDS, Identity, make_identity
from jobs.planning.item_settings import (
    FieldValues,
    ItemSettings,
    apply_settings,
    make_item_settings,
    sweep_variants,
)
from jobs.planning.machine import Machine
from jobs.planning.source import picture_info
from jobs.planning.weights import FindWeights, find_weights
from jobs.spec.attachments import attachment_paths, map_attachments
from jobs.spec.dataset import DatasetSpec
from jobs.text.errors import RequestError
from render.device import Device, ResolvedPrecision, resolve_precision
from render.version import PIXEL_VERSION

_MAX_GPU_BATCH = 8
"""Pictures in a GPU's batch, at most, with `batch: auto`."""


_NO_ITEM_LIMIT = 1 << 30
"""A dataset may have any number of items, so they never limit the number of workers."""


@dataclass(frozen=True)
class Variant:
    """One combination of a sweep: the fields that it sets, and its weights on this machine."""

    settings: FieldValues
    weights: Path
    weights_digest: str


@dataclass(frozen=True)
class DatasetPlan:
    """A dataset's spec, worked out and checked against a machine.

    attachment_digests: of masks and guides, by path. auto_precision: what `precision: auto` means
    here. batch: the largest number of pictures in one pass. memory: bytes that one worker may use.
    """

    spec: DatasetSpec
    identity: Identity
    variants: tuple[Variant, ...]
    attachment_digests: Mapping[Path, str]
    auto_precision: ResolvedPrecision
    batch: int
    workers: int
    gpus_per_worker: int
    memory: int

    @property
    def device(self) -> Device:
        """The device that its workers compute on."""
        return "cuda" if self.gpus_per_worker else "cpu"

    def pixel_settings(self) -> dict[str, Any]:
        """The settings beyond the spec that affect pixels, as plain JSON values.

        precision: what `auto` means. It does not count if the spec names a precision.
        """
        return {"precision": self.auto_precision, "batch": self.batch}

    def item_settings(self, variant: int, settings: FieldValues) -> ItemSettings:
        """The settings of an item: the spec, then its variant, then its own `settings`.

        Raises RenderError or RequestError if they are invalid.
        """
        chosen = self.variants[variant]
        spec = apply_settings(self.spec, {**chosen.settings, **settings})
        has_gpu = self.device == "cuda"
        return make_item_settings(
            spec, self.auto_precision, chosen.weights, self.attachment_digests, has_gpu=has_gpu
        )


def make_dataset_plan(
    spec: DatasetSpec,
    machine: Machine,
    weights: Sequence[Path | None] | None = None,
    find: FindWeights = find_weights,
) -> DatasetPlan:
    """Work out a dataset's spec for a pool of workers on a machine.

    Writes only to the cache of network profiles.

    Args:
        spec: The dataset.
        machine: The machine that offers the workers.
        weights: A weights file for each variant, None for built-in weights. By default the spec
            names them.
        find: Finds and checks weights.

    Raises:
        RenderError, RequestError: The dataset cannot be rendered here; the text is one line.
    """
    gpus = machine.gpus_per_worker(spec.crew)
    auto_precision = resolve_precision("auto", has_gpu=gpus > 0)
    workers = machine.workers(spec.crew, _NO_ITEM_LIMIT)
    cached_find = cache(find)
    paths = map(Path, attachment_paths(spec.document()))
    digests = {path: str(picture_info(path, spec.limits.max_pixels).digest) for path in paths}
    variants = []
    for number, settings in enumerate(sweep_variants(spec.sweep)):
        try:
            variant = apply_settings(spec, settings)
            file = variant.network.weights if weights is None else weights[number]
            path, digest = cached_find(variant.network.model_copy(update={"weights": file}))
            make_item_settings(variant, auto_precision, path, digests, has_gpu=gpus > 0)
        except RequestError as error:
            raise RequestError(f"sweep: {error}" if settings else str(error)) from error
        variants.append(Variant(settings, path, digest))
    gpu_batch = _MAX_GPU_BATCH if spec.batch == "auto" else spec.batch
    return DatasetPlan(
        spec=spec,
        identity=dataset_identity(spec, [one.weights_digest for one in variants], digests),
        variants=tuple(variants),
        attachment_digests=digests,
        auto_precision=auto_precision,
        batch=gpu_batch if gpus else 1,
        workers=workers,
        gpus_per_worker=gpus,
        memory=machine.memory_per_worker(spec.crew, workers),
    )


def dataset_identity(
    spec: DatasetSpec, weights: Sequence[str], digests: Mapping[Path, str]
) -> Identity:
    """The identity of a dataset.

    A poster's identity holds the contents of its input. A dataset's holds only the address of its
    inputs, so a folder that grows is still the same dataset.

    weights: the digest of each variant's weights. digests: those of the attachments, by path.
    """
    given = map_attachments(spec.document(), lambda path: digests[Path(path)])
    document = {
        key: value for key, value in given.items() if key not in {*UNHASHED_FIELDS, "sheet"}
    }
    document["inputs"] = {key: value for key, value in given["inputs"].items() if value is not None}
    document["network"] = {"name": spec.network.name}
    document["sweep"] = {
        name: values for name, values in given["sweep"].items() if name != "network.weights"
    }
    document["weights"] = list(weights)
    document["pixel_version"] = PIXEL_VERSION
    return make_identity(spec.name, document)

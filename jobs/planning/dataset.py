"""The plan of a dataset: what follows from its spec before any picture has been looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jobs.planning.identity import NO_PIXELS, Identity, identified
from jobs.planning.item_settings import Manner, Settings, manner, settled, variants
from jobs.planning.machine import Machine
from jobs.planning.source import sourced
from jobs.planning.weights import Choose, chosen_weights
from jobs.spec.attachments import companions, with_companions
from jobs.spec.dataset import DatasetSpec
from jobs.text.errors import RequestError
from render.device import Device, Resolved, resolved
from render.version import PIXEL_VERSION

_BATCH = 8
"""Pictures that a GPU dreams at once, at most, unless the spec says otherwise."""


_MANY = 1 << 30  # items may be any number, so a crew is never too large for them


@dataclass(frozen=True)
class Variant:
    """One combination of a sweep: the fields that it sets, and its weights on this machine."""

    settings: Settings
    weights: Path
    weights_digest: str


@dataclass(frozen=True)
class DatasetPlan:
    """A dataset's spec worked out, and checked against a machine.

    companions: the digests of masks and guides, by path. precision: what `auto` means. batch:
    pictures that are dreamed at once, at most. memory: bytes that a worker may take.
    """

    spec: DatasetSpec
    identity: Identity
    variants: tuple[Variant, ...]
    companions: Mapping[Path, str]
    precision: Resolved
    batch: int
    workers: int
    gpus_per_worker: int
    memory: int

    @property
    def device(self) -> Device:
        """Where its workers compute."""
        return "cuda" if self.gpus_per_worker else "cpu"

    def pixels(self) -> dict[str, Any]:
        """What of the plan decides pixels and is not in the spec, as plain JSON values."""
        return {"precision": self.precision, "batch": self.batch}

    def manner(self, variant: int, settings: Settings) -> Manner:
        """How an item is dreamed, with the settings of its row.

        RenderError or RequestError where these make no sense.
        """
        chosen = self.variants[variant]
        spec = settled(self.spec, {**chosen.settings, **settings})
        has_gpu = self.device == "cuda"
        return manner(spec, self.precision, chosen.weights, self.companions, has_gpu=has_gpu)


def make_dataset_plan(
    spec: DatasetSpec,
    machine: Machine,
    weights: Sequence[Path | None] | None = None,
    choose: Choose = chosen_weights,
) -> DatasetPlan:
    """Work a dataset's spec out for a pool on a machine.

    weights: a file for each variant, None for what ships, where they are not as the spec says.
    choose: finds and checks them.
    Nothing is written but what was found out about networks. RenderError or RequestError, in one
    line, where it cannot be done.
    """
    gpus = machine.gpus_each(spec.crew)
    precision = resolved("auto", has_gpu=gpus > 0)
    workers = machine.workers(spec.crew, _MANY)
    weighed = cache(choose)
    paths = map(Path, companions(spec.document()))
    digests = {path: str(sourced(path, spec.limits.max_pixels).digest) for path in paths}
    found = []
    for number, settings in enumerate(variants(spec.sweep)):
        try:
            one = settled(spec, settings)
            file = one.network.weights if weights is None else weights[number]
            path, digest = weighed(one.network.model_copy(update={"weights": file}))
            manner(one, precision, path, digests, has_gpu=gpus > 0)
        except RequestError as error:
            raise RequestError(f"sweep: {error}" if settings else str(error)) from error
        found.append(Variant(settings, path, digest))
    wanted = _BATCH if spec.batch == "auto" else spec.batch
    return DatasetPlan(
        spec=spec,
        identity=dataset_identity(spec, [one.weights_digest for one in found], digests),
        variants=tuple(found),
        companions=digests,
        precision=precision,
        batch=wanted if gpus else 1,
        workers=workers,
        gpus_per_worker=gpus,
        memory=machine.memory_each(spec.crew, workers),
    )


def dataset_identity(
    spec: DatasetSpec, weights: Sequence[str], digests: Mapping[Path, str]
) -> Identity:
    """The identity of a dataset whose variants' weights, and whose companions, have these digests.

    Unlike a poster's it holds the address of the inputs, not their contents: a folder may grow, and
    is the same dataset still.
    """
    given = with_companions(spec.document(), lambda path: digests[Path(path)])
    document = {key: value for key, value in given.items() if key not in {*NO_PIXELS, "sheet"}}
    document["inputs"] = {part: said for part, said in given["inputs"].items() if said is not None}
    document["network"] = {"name": spec.network.name}
    document["sweep"] = {
        name: values for name, values in given["sweep"].items() if name != "network.weights"
    }
    document["weights"] = list(weights)
    document["pixel_version"] = PIXEL_VERSION
    return identified(spec.name, document)

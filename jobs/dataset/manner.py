"""How an item is dreamed: its spec with all settings, and what follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.dataset.spec import DatasetSpec
from jobs.document import any_spec_of, assigned
from jobs.errors import RequestError
from jobs.identity import canonical
from render.lattice import Lattice
from render.networks.default_objective import default_objective
from render.objective import Mix
from render.octaves import octave_sizes
from render.precision import Resolved, resolved
from render.rect import Size
from render.survey import Survey, survey
from render.tiling import auto_tile


@dataclass(frozen=True)
class Manner:
    """What all items share that have the same settings."""

    spec: DatasetSpec
    mix: Mix
    precision: Resolved
    survey: Survey
    weights: Path

    @property
    def lattice(self) -> Lattice:
        """The network's sampling grid."""
        return Lattice(self.survey.stride, self.survey.field, self.spec.dream.jitter)

    def tile(self, size: Size) -> int:
        """The side of a tile for a result of that size."""
        chosen = self.spec.tiles.size
        return auto_tile(size, self.lattice, self.survey.cost) if chosen == "auto" else chosen

    def sizes(self, size: Size) -> tuple[Size, ...]:
        """The octaves for a result of that size."""
        return octave_sizes(size, self.spec.dream)

    def window(self, size: Size) -> int:
        """Pixels of the largest window for a result of that size."""
        return self.lattice.largest(self.tile(size), size)

    def label(self, seed: int) -> str:
        """What outputs say of themselves: from that anybody can make them again."""
        spec = self.spec.document()
        parts = ("resize", "network", "dream", "tiles")
        said = {part: spec[part] for part in parts}
        said["network"] = self.spec.network.name
        said["dream"] = {**spec["dream"], "seed": seed}
        return canonical({"spec": {**said, "objectives": [vars(one) for one in self.mix]}})


def settled(spec: DatasetSpec, settings: Mapping[str, Any]) -> DatasetSpec:
    """The spec with fields set by their dotted names, and nothing left to sweep.

    Raises RequestError where that makes no spec.
    """
    document: dict[str, Any] = {**spec.document(), "sweep": {}}
    document["output"] = {**document["output"], "name": None}
    for key, value in settings.items():
        document = assigned(document, key, value)
    found = any_spec_of(document)
    if not isinstance(found, DatasetSpec):
        raise RequestError("kind: is the whole job's")
    return found


def manner(spec: DatasetSpec, auto: Resolved, weights: Path, *, has_gpu: bool) -> Manner:
    """The manner of a settled spec. auto: the precision that `auto` means.

    RenderError where a layer does not exist, or has no exact tiles.
    """
    precision = auto if spec.precision == "auto" else resolved(spec.precision, has_gpu=has_gpu)
    mix = Mix(spec.objectives or (default_objective(spec.network.name),))
    return Manner(spec, mix, precision, survey(spec.network.name, mix, precision), weights)

"""How an item is dreamed: its spec with all settings, and what follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from jobs.planning.identity import canonical
from jobs.planning.weights import chosen_mix
from jobs.spec.attachments import companions as named
from jobs.spec.attachments import described, with_companions
from jobs.spec.dataset import DatasetSpec
from jobs.spec.document import any_spec_of, assigned
from jobs.text.errors import RequestError
from render.device import Resolved, resolved
from render.dream.objective import Mix
from render.dream.octaves import octave_sizes
from render.engine.network_profile import Survey, survey
from render.engine.tiling import auto_tile
from render.geometry.rect import Size
from render.geometry.sampling_grid import Lattice


@dataclass(frozen=True)
class Manner:
    """What all items share that have the same settings."""

    spec: DatasetSpec
    mix: Mix
    precision: Resolved
    survey: Survey
    weights: Path
    companions: Mapping[Path, str]

    @property
    def lattice(self) -> Lattice:
        """The network's sampling grid."""
        dream = self.spec.dream
        return Lattice(self.survey.stride, self.survey.field, dream.jitter, dream.margin)

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
        said = {"resize": spec["resize"], "network": self.spec.network.name}
        if self.spec.fourier is None:
            said |= {"dream": {**spec["dream"], "seed": seed}, "tiles": spec["tiles"]}
        else:
            said |= {"fourier": spec["fourier"], "seed": seed}
        said = with_companions(said, lambda path: self.companions[Path(path)])
        said["objectives"] = [described(one, self.companions) for one in self.mix]
        return canonical({"spec": said})


def settled(spec: DatasetSpec, settings: Mapping[str, Any]) -> DatasetSpec:
    """The spec with fields set by their dotted names, and nothing left to sweep.

    Raises RequestError where that makes no spec.
    """
    # Without the sweep before it is written out: a long one takes long.
    document = spec.model_copy(update={"sweep": {}, "labels": None}).document()
    document["output"] = {**document["output"], "name": None}
    for key, value in settings.items():
        document = assigned(document, key, value)
    found = any_spec_of(document)
    if not isinstance(found, DatasetSpec):
        raise RequestError("kind: is the whole job's")
    return found


def manner(
    spec: DatasetSpec,
    auto: Resolved,
    weights: Path,
    companions: Mapping[Path, str],
    *,
    has_gpu: bool,
) -> Manner:
    """The manner of a settled spec. auto: the precision that `auto` means. companions: the digests
    of the masks and guides that it may name.

    RenderError where a layer does not exist, or has no exact tiles.
    """
    for path in map(Path, named(spec.document())):
        if path not in companions:
            raise RequestError(f"{path}: masks and guides are named by the job, not by its rows")
    precision = auto if spec.precision == "auto" else resolved(spec.precision, has_gpu=has_gpu)
    mix = chosen_mix(spec.network.name, weights, spec.objectives)
    found = survey(spec.network.name, mix, precision)
    return Manner(spec, mix, precision, found, weights, companions)


Settings = dict[str, Any]
"""Values by the dotted names of the spec's fields."""


def variants(sweep: Mapping[str, Sequence[Any]]) -> tuple[Settings, ...]:
    """All combinations, the last field changing fastest; without a sweep the one that sets nothing.

    The number of a variant is its place here.
    """
    names = list(sweep)
    return tuple(dict(zip(names, values, strict=True)) for values in product(*sweep.values()))

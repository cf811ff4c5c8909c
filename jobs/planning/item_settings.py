"""The settings of a dataset's item: its spec with all fields set, and what follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from jobs.planning.identity import canonical_json
from jobs.planning.weights import resolve_objectives
from jobs.spec.attachments import attachment_paths, map_attachments, objective_document
from jobs.spec.dataset import DatasetSpec
from jobs.spec.document import set_field, validate_as
from jobs.text.errors import RequestError
from render.device import ResolvedPrecision, resolve_precision
from render.dream.objective import Mix
from render.dream.octaves import octave_sizes, picture_shape
from render.engine.memory import octave_grids
from render.engine.network_profile import NetworkProfile, profile_network
from render.geometry.grid import Grid
from render.geometry.rect import Size
from render.geometry.sampling_grid import SamplingGrid
from render.networks.classes import architecture_of

FieldValues = dict[str, Any]
"""Values of spec fields by dotted name, such as `dream.steps`."""


@dataclass(frozen=True)
class ItemSettings:
    """How to dream an item. Items with equal field values share one.

    attachment_digests: digests of masks and guides, by path.
    """

    spec: DatasetSpec
    mix: Mix
    precision: ResolvedPrecision
    profile: NetworkProfile
    weights: Path
    attachment_digests: Mapping[Path, str]

    @property
    def sampling_grid(self) -> SamplingGrid:
        """The network's sampling grid."""
        return self.spec.dream.sampling_grid(self.profile.stride, self.profile.field)

    def grids(self, size: Size, source: Size) -> tuple[Grid, ...]:
        """The tiles of each octave, for a result of that size from a picture of size `source`."""
        shape = picture_shape(source, size)
        sizes = octave_sizes(size, self.spec.dream, shape, self.profile.stride)
        tile = self.spec.dream.tile(self.spec.tiles.size)
        return octave_grids(sizes, tile, self.sampling_grid, self.profile.cost)

    def label(self, seed: int) -> str:
        """The settings as JSON, for a result's metadata: enough to render it again."""
        spec = self.spec.document()
        used = {"resize": spec["resize"], "network": self.spec.network.name}
        if self.spec.fit is not None:
            used["fit"] = self.spec.fit
        if self.spec.fourier is None:
            used |= {"dream": {**spec["dream"], "seed": seed}, "tiles": spec["tiles"]}
        else:
            used |= {"fourier": spec["fourier"], "seed": seed}
        used = map_attachments(used, lambda path: self.attachment_digests[Path(path)])
        used["objectives"] = [objective_document(one, self.attachment_digests) for one in self.mix]
        return canonical_json({"spec": used})


def apply_settings(spec: DatasetSpec, settings: Mapping[str, Any]) -> DatasetSpec:
    """A copy of the spec with these fields set and without its sweep.

    settings: values by dotted field name. Raises RequestError if the result is invalid.
    """
    # Drop the sweep before the dump: a long sweep takes long to dump.
    document = spec.model_copy(update={"sweep": {}, "labels": None}).document()
    document["output"] = {**document["output"], "name": None}
    for key, value in settings.items():
        document = set_field(document, key, value)
    return validate_as(DatasetSpec, document)


def make_item_settings(
    spec: DatasetSpec,
    auto: ResolvedPrecision,
    weights: Path,
    attachment_digests: Mapping[Path, str],
    *,
    has_gpu: bool,
) -> ItemSettings:
    """Work out the settings of items from a spec without a sweep.

    Args:
        spec: A spec from `apply_settings`.
        auto: The precision that `auto` means.
        weights: The weights file.
        attachment_digests: Digests of the masks and guides that the spec may name, by path.
        has_gpu: Whether workers have GPUs.

    Raises:
        RenderError: A layer does not exist, or its tiles are not exact.
        RequestError: An attachment is not among `attachment_digests`.
    """
    for path in map(Path, attachment_paths(spec.document())):
        if path not in attachment_digests:
            raise RequestError(f"{path}: only the job's spec may name masks and guides, not a row")
    is_auto = spec.precision == "auto"
    precision = auto if is_auto else resolve_precision(spec.precision, has_gpu=has_gpu)
    mix = resolve_objectives(spec.network.name, weights, spec.objectives)
    profile = profile_network(architecture_of(spec.network.name, weights), mix, precision)
    return ItemSettings(spec, mix, precision, profile, weights, attachment_digests)


def sweep_variants(sweep: Mapping[str, Sequence[Any]]) -> tuple[FieldValues, ...]:
    """All combinations of a sweep's values; one empty combination without a sweep.

    The last field changes fastest. A variant's number is its index here.
    """
    names = list(sweep)
    return tuple(dict(zip(names, values, strict=True)) for values in product(*sweep.values()))

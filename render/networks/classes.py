"""Names of a network's classes. Loads torchvision only when the disk cache has no entry."""

from pathlib import Path
from typing import Any

from render.errors import LayerError, suggest
from render.networks.builtin import builtin_weights, uses_builtin_weights
from render.networks.disk_cache import cached_on_disk
from render.networks.safetensors_header import read_metadata

_MAX_LISTED = 20  # names in a message


def class_names(network: str, weights: Path | None = None) -> tuple[str, ...]:
    """Return the names of a network's classes, in the order of its scores.

    The metadata of the weights file comes first. Without it, the names are those of the built-in
    or torchvision weights. No weights are loaded.
    Raises NetworkError if the network is not known, WeightsError if the file cannot be read.
    """
    stored = () if weights is None else read_metadata(weights).classes
    if stored:
        return stored
    if uses_builtin_weights(network, None):
        return read_metadata(builtin_weights(network)).classes

    def compute() -> dict[str, Any]:
        from torchvision.models import get_model_weights

        from render.networks.catalogue import check_network_name

        check_network_name(network)
        return {"names": get_model_weights(network).DEFAULT.meta["categories"]}

    return tuple(cached_on_disk("classes", {"network": network}, compute)["names"])


def class_index(network: str, weights: Path | None, named: str | int) -> int:
    """Return the index, from 0, of a class given by index or by name, in any case.

    Raises LayerError if there is no such class or if several classes have that name, and the
    errors of `class_names`.
    """
    names = class_names(network, weights)
    if isinstance(named, int):
        if not 0 <= named < len(names):
            raise LayerError(
                f"class {named} of {network}: no such class; "
                f"it has {len(names)}, from 0 to {len(names) - 1}"
            )
        return named
    # Exact case first: in ImageNet a Cardigan is a dog, and a cardigan a garment.
    indices = _indices_of(names, named) or _indices_of(
        [name.lower() for name in names], named.lower()
    )
    if not indices:
        raise LayerError(
            f"class {named} of {network}: no such class; {_suggest(network, named, names)}"
        )
    if len(indices) > 1:
        numbers = " and ".join(map(str, indices))
        raise LayerError(f"class {named} of {network}: means {numbers}; give the number")
    return indices[0]


def _indices_of(names: tuple[str, ...] | list[str], name: str) -> list[int]:
    return [index for index, known in enumerate(names) if known == name]


def _suggest(network: str, named: str, names: tuple[str, ...]) -> str:
    """Similar names, or the command that lists all of them if there are too many to show."""
    near = suggest(named, names)
    listed = near.startswith("nearest") or len(names) <= _MAX_LISTED
    return near if listed else f"`dreamfarm layers {network} --classes` lists those there are"

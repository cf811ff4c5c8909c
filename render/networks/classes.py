"""Names of a network's classes. Loads torchvision only when the disk cache has no entry."""

import shlex
from pathlib import Path
from typing import Any

from render.errors import LayerError, WeightsError, suggest
from render.input_file import read_problem
from render.networks.architecture import Architecture
from render.networks.builtin import (
    NETWORKS_OF_2015,
    ONNX,
    builtin_weights,
    uses_builtin_weights,
)
from render.networks.disk_cache import cached_on_disk
from render.networks.weights_metadata import read_metadata

_AS_TORCHVISION = {"bvlc_googlenet": "googlenet", "caffenet": "googlenet"}
"""Networks of 2015 whose classes are ImageNet's, in torchvision's order."""

_IMAGENET = "googlenet"
"""A network of torchvision with the names of ImageNet's 1000 classes."""

_MAX_LISTED = 20  # names in a message


def architecture_of(network: str, weights: Path) -> Architecture:
    """The architecture that a weights file has: its number of classes, or its own network.

    Raises like `class_names`.
    """
    if network == ONNX:
        return Architecture(network, file=weights)
    return Architecture(network, other_class_count(network, weights))


def class_names(network: str, weights: Path | None = None) -> tuple[str, ...]:
    """Return the names of a network's classes, in the order of its scores.

    The metadata of the weights file comes first. Without it, the names are those of the built-in
    or torchvision weights. Classes without known names have numbers as names.
    Raises NetworkError if the network is not known, WeightsError if the file cannot be read.
    """
    if weights is None:
        return _own_names(network)
    if network == ONNX:
        facts = _onnx_facts(weights)
        count, named = int(facts["count"]), tuple(map(str, facts["names"]))
        if len(named) == count:
            return named
        usual = _own_names(_IMAGENET)
        return usual if count == len(usual) else _numbers(count)
    if stored := read_metadata(weights).classes:
        return stored
    count, own = _class_count(network, weights), _own_names(network)
    return own if count in (0, len(own)) else _numbers(count)


def check_head(network: str, weights: Path) -> None:
    """Raise LayerError if a weights file has no head, so no classes."""
    is_builtin = uses_builtin_weights(network, None) and weights == builtin_weights(network)
    if not is_builtin and not _class_count(network, weights):
        raise LayerError(
            f"classes of {network}: weights {weights} have no head; "
            "name a layer, or channels of one, instead"
        )


def other_class_count(network: str, weights: Path) -> int | None:
    """Return the number of classes of a weights file if it is not the network's usual number.

    None also means a file without a head. Raises like `class_names`.
    """
    if uses_builtin_weights(network, None) and weights == builtin_weights(network):
        return None
    count = _class_count(network, weights)
    return count if count not in (0, len(_own_names(network))) else None


def _numbers(count: int) -> tuple[str, ...]:
    return tuple(map(str, range(count)))


def _onnx_facts(path: Path) -> Any:
    """The number of classes of an ONNX file and the names that it states, cached."""

    def compute() -> dict[str, Any]:
        from render.networks.onnx_network import load_onnx

        network = load_onnx(path)
        return {"count": network.class_count, "names": network.class_names}

    return cached_on_disk("onnx", Architecture(ONNX, file=path).cache_key(), compute)


def _class_count(network: str, weights: Path) -> int:
    """The number of classes of a weights file, cached by its path, size and time; 0 for no head."""
    if network == ONNX:
        return int(_onnx_facts(weights)["count"])

    def compute() -> dict[str, Any]:
        from render.networks.weight_fitting import class_count
        from render.networks.weights import read_weights

        return {"count": class_count(network, read_weights(weights))}

    try:
        found = weights.stat()
    except OSError as error:
        raise WeightsError(f"weights {weights}: {read_problem(error)}") from error
    inputs = [network, str(weights.absolute()), found.st_size, found.st_mtime_ns]
    return int(cached_on_disk("class-count", {"file": inputs}, compute)["count"])


def _own_names(network: str) -> tuple[str, ...]:
    """The names of a network's classes in its usual weights."""
    if uses_builtin_weights(network, None):
        return read_metadata(builtin_weights(network)).classes
    if network in NETWORKS_OF_2015 and network not in _AS_TORCHVISION:
        return _numbers(NETWORKS_OF_2015[network])
    network = _AS_TORCHVISION.get(network, network)

    def compute() -> dict[str, Any]:
        from render.networks.catalogue import check_network_name
        from render.networks.torchvision_import import torchvision

        check_network_name(network)
        return {"names": torchvision.models.get_model_weights(network).DEFAULT.meta["categories"]}

    return tuple(cached_on_disk("classes", {"network": network}, compute)["names"])


def class_index(network: str, weights: Path | None, named: str | int) -> int:
    """Return the index, from 0, of a class given by index or by name, in any case.

    Raises LayerError if there is no such class or if several classes have that name, and the
    errors of `class_names`.
    """
    names = class_names(network, weights)
    if network == ONNX:
        network = str(weights)
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
    if listed:
        return near
    return f"`dreamfarm layers {shlex.quote(network)} --classes` lists those there are"

"""What a network's classes are called. Loads torchvision only to find it out the first time."""

from pathlib import Path
from typing import Any

from render.errors import LayerError, suggestion
from render.networks.builtin import shipped, ships
from render.networks.disk_cache import remembered
from render.networks.safetensors_header import read_metadata

_LISTED_AT_MOST = 20  # names in a message


def class_names(network: str, weights: Path | None = None) -> tuple[str, ...]:
    """The names of a network's classes, in order of its scores.

    A weights file's own where it says them, else those of the weights that come with Dreamfarm or
    that torchvision offers; no weights are loaded. NetworkError where there is no such network,
    WeightsError where the file cannot be read.
    """
    said = () if weights is None else read_metadata(weights).classes
    if said:
        return said
    if ships(network, None):
        return read_metadata(shipped(network)).classes

    def find_out() -> dict[str, Any]:
        from torchvision.models import get_model_weights

        from render.networks.catalogue import check_name

        check_name(network)
        return {"names": get_model_weights(network).DEFAULT.meta["categories"]}

    return tuple(remembered("classes", {"network": network}, find_out)["names"])


def class_number(network: str, weights: Path | None, named: str | int) -> int:
    """The number of a class, from 0, that is named by its number or by its name, in any case.

    LayerError where there is no such class, naming the nearest, or where the name means several;
    NetworkError and WeightsError as `class_names`.
    """
    names = class_names(network, weights)
    if isinstance(named, int):
        if not 0 <= named < len(names):
            raise LayerError(
                f"class {named} of {network}: no such class; "
                f"it has {len(names)}, from 0 to {len(names) - 1}"
            )
        return named
    # Spelled alike but for case, a Cardigan is a dog and a cardigan a garment in ImageNet.
    found = _where(names, named) or _where([name.lower() for name in names], named.lower())
    if not found:
        raise LayerError(
            f"class {named} of {network}: no such class; {_help(network, named, names)}"
        )
    if len(found) > 1:
        numbers = " and ".join(map(str, found))
        raise LayerError(f"class {named} of {network}: means {numbers}; give the number")
    return found[0]


def _where(names: tuple[str, ...] | list[str], name: str) -> list[int]:
    return [number for number, known in enumerate(names) if known == name]


def _help(network: str, named: str, names: tuple[str, ...]) -> str:
    """The nearest names; not a thousand where none is near."""
    near = suggestion(named, names)
    listed = near.startswith("nearest") or len(names) <= _LISTED_AT_MOST
    return near if listed else f"`dreamfarm layers {network} --classes` lists those there are"

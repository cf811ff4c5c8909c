"""An atlas as the dataset that it is: one input, dreamed of one objective after the other."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jobs.spec.atlas import AtlasSpec
from jobs.spec.base import slug
from jobs.spec.output_names import LABEL
from render.engine.network_profile import layers_of
from render.errors import LayerError, suggestion
from render.networks.class_names import class_names, class_number

Plate = tuple[str, dict[str, Any]]
"""One picture of an atlas: its label, and its objective as plain JSON values."""


_SAME = (
    *("name", "network", "tiles", "precision", "output", "batch", "sheet"),
    *("crew", "priority", "limits"),
)


def dataset_document(atlas: AtlasSpec) -> dict[str, Any]:
    """The document of the dataset: the objectives are a sweep, and each has a label.

    RenderError, in one line, where the network, a layer or a class does not exist.
    """
    given = atlas.document()
    plates = list(_plates(atlas))
    document = {
        **{field: given[field] for field in _SAME},
        "kind": "dataset",
        "inputs": given["start"],
        "resize": str(atlas.resize),
        "sweep": {"objectives": [[objective] for _, objective in plates]},
        "labels": [label for label, _ in plates],
    }
    if atlas.is_fourier:
        document["fourier"] = given["fourier"] or {}
    elif given["dream"] is not None:
        document["dream"] = given["dream"]
    if atlas.start.noise is not None and atlas.output.name is None:
        document["output"] = {**given["output"], "name": f"{{{LABEL}}}"}
    return document


def _plates(atlas: AtlasSpec) -> Iterator[Plate]:
    network, of = atlas.network.name, atlas.of
    if of.layer is not None:
        yield from _channels(network, of.layer, of.channels)
    elif of.layers is not None:
        chosen = _layers(network) if of.layers == "all" else of.layers
        yield from ((layer, {"layer": layer}) for layer in chosen)
    elif of.classes is not None:
        named = atlas.network.weights
        weights = named if isinstance(named, Path) else None
        yield from _classes(network, weights, of.classes)


def _channels(network: str, layer: str, chosen: Sequence[int] | None) -> Iterator[Plate]:
    count = _count(network, layer)
    width = max(3, len(str(count - 1)))
    for channel in range(count) if chosen is None else chosen:
        yield f"{layer}-{channel:0{width}}", {"layer": layer, "channels": [channel]}


def _count(network: str, layer: str) -> int:
    """How many channels a layer has: that of its name, or the last one in the block so named."""
    table = layers_of(network)
    inside = [one for one in table if f"{one['name']}.".startswith(f"{layer}.")]
    if not inside:
        parts = [str(one["name"]).split(".") for one in table]
        names = {".".join(one[:end]) for one in parts for end in range(1, len(one) + 1)}
        raise LayerError(
            f"of.layer: {layer} of {network}: no such layer; {suggestion(layer, names)}"
        )
    return int(inside[-1]["channels"])


def _layers(network: str) -> list[str]:
    return [str(one["name"]) for one in layers_of(network) if not one["reason"]]


def _classes(network: str, weights: Path | None, chosen: Sequence[int | str]) -> Iterator[Plate]:
    names = class_names(network, weights)
    numbers = (
        range(len(names))
        if chosen == "all"
        else [class_number(network, weights, one) for one in chosen]
    )
    width = len(str(len(names) - 1))
    for number in numbers:
        word = slug(names[number].replace(" ", "-"))
        yield f"{number:0{width}}-{word}".rstrip("-"), {"classes": [number]}

"""The expansion of an atlas into a dataset with one input and a sweep of objectives."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jobs.spec.atlas import AtlasSpec
from jobs.spec.base import slug
from jobs.spec.output_names import LABEL
from render.engine.network_profile import list_layers
from render.errors import LayerError, suggest
from render.networks.architecture import Architecture
from render.networks.builtin import ONNX
from render.networks.classes import class_index, class_names

LabelledObjective = tuple[str, dict[str, Any]]
"""One picture of an atlas: its label, and its objective as plain values."""


_COPIED_FIELDS = (
    *("name", "network", "tiles", "precision", "output", "batch", "sheet"),
    *("crew", "priority", "limits"),
)


def expand_atlas(atlas: AtlasSpec) -> dict[str, Any]:
    """The document of the dataset of an atlas: a sweep of objectives, each with a label.

    Raises RenderError if the network, a layer or a class does not exist.
    """
    fields = atlas.document()
    labelled = list(_labelled_objectives(atlas))
    document = {
        **{field: fields[field] for field in _COPIED_FIELDS},
        "kind": "dataset",
        "inputs": fields["start"],
        "resize": str(atlas.resize),
        "sweep": {"objectives": [[objective] for _, objective in labelled]},
        "labels": [label for label, _ in labelled],
    }
    document |= {name: fields[name] for name in ("fit", "focus", "notify") if name in fields}
    if atlas.is_fourier:
        document["fourier"] = fields["fourier"] or {}
    elif fields["dream"] is not None:
        document["dream"] = fields["dream"]
    if atlas.start.noise is not None and atlas.output.name is None:
        document["output"] = {**fields["output"], "name": f"{{{LABEL}}}"}
    return document


def _labelled_objectives(atlas: AtlasSpec) -> Iterator[LabelledObjective]:
    network, of, named = atlas.network.name, atlas.of, atlas.network.weights
    file = named if network == ONNX and isinstance(named, Path) else None
    architecture = Architecture(network, file=file)
    if of.layer is not None:
        yield from _channel_objectives(architecture, of.layer, of.channels)
    elif of.layers is not None:
        chosen = _exact_layers(architecture) if of.layers == "all" else of.layers
        yield from ((layer, {"layer": layer}) for layer in chosen)
    elif of.classes is not None:
        weights = named if isinstance(named, Path) else None
        yield from _class_objectives(network, weights, of.classes)


def _channel_objectives(
    network: Architecture, layer: str, chosen: Sequence[int] | None
) -> Iterator[LabelledObjective]:
    count = _channel_count(network, layer)
    width = max(3, len(str(count - 1)))
    for channel in range(count) if chosen is None else chosen:
        yield f"{layer}-{channel:0{width}}", {"layer": layer, "channels": [channel]}


def _channel_count(network: Architecture, layer: str) -> int:
    """The number of channels of a layer, or of the last layer in a block."""
    layers, dot = list_layers(network), "." if network.file is None else "/"
    matching = [info for info in layers if f"{info['name']}{dot}".startswith(f"{layer}{dot}")]
    if not matching:
        split_names = [str(info["name"]).split(dot) for info in layers]
        names = {dot.join(parts[:end]) for parts in split_names for end in range(1, len(parts) + 1)}
        raise LayerError(
            f"of.layer: {layer} of {network.label}: no such layer; {suggest(layer, names)}"
        )
    return int(matching[-1]["channels"])


def _exact_layers(network: Architecture) -> list[str]:
    return [str(info["name"]) for info in list_layers(network) if not info["reason"]]


def _class_objectives(
    network: str, weights: Path | None, chosen: Sequence[int | str]
) -> Iterator[LabelledObjective]:
    names = class_names(network, weights)
    numbers = (
        range(len(names))
        if chosen == "all"
        else [class_index(network, weights, name) for name in chosen]
    )
    width = len(str(len(names) - 1))
    for number in numbers:
        name = slug(names[number].replace(" ", "-"))
        yield f"{number:0{width}}-{name}".rstrip("-"), {"classes": [number]}

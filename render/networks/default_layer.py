"""The layer that a network dreams of when nobody names one."""

from render.survey import layers_of

_CHOSEN = {
    "pareidolia": "mixed5a",
    "squeezenet1_0": "features.9",
    "squeezenet1_1": "features.9",
    "googlenet": "inception4c",
    "vgg16": "features.22",
    "vgg19": "features.25",
    "inception_v3": "Mixed_5d",
}
"""Looked at and found good: middle layers, where there are motifs but not yet whole things."""

_WIDEST = 200  # pixels of receptive field: beyond, halos cost more than they show


def default_layer(network: str) -> str:
    """The chosen layer, or else the deepest with exact tiles and a field of at most 200 pixels.

    NetworkError where there is no such network.
    """
    if network in _CHOSEN:
        return _CHOSEN[network]
    fitting = [
        str(layer["name"])
        for layer in layers_of(network)
        if not layer["reason"] and layer["field"] <= _WIDEST
    ]
    return fitting[-1]

"""What a network dreams of when nobody says."""

from render.objective import Objective
from render.survey import layers_of

# Channel n of pareidolia's class map is its class n: eyes, fish, daisies, roses, lilies,
# sunflowers, birds and tulips go together; faces or mushrooms would take the whole picture.
_MOTIFS = (0, 5, 9, 10, 11, 12, 46, 62)

_CHOSEN = {
    "pareidolia": Objective("classes.relu", _MOTIFS),
    "squeezenet1_0": Objective("features.12"),
    "squeezenet1_1": Objective("features.12"),
    "googlenet": Objective("inception4c"),
    "vgg16": Objective("features.22"),
    "vgg19": Objective("features.25"),
    "inception_v3": Objective("Mixed_5d"),
}
"""Middle layers, where there are motifs but not yet whole things."""

_WIDEST = 200  # pixels of receptive field: beyond, halos cost more than they show


def default_objective(network: str) -> Objective:
    """The chosen one, or else the deepest layer with exact tiles and a field of at most 200 pixels.

    NetworkError where there is no such network.
    """
    if network in _CHOSEN:
        return _CHOSEN[network]
    fitting = [
        str(layer["name"])
        for layer in layers_of(network)
        if not layer["reason"] and layer["field"] <= _WIDEST
    ]
    return Objective(fitting[-1])

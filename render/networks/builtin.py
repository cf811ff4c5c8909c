"""What a step makes the network see more of: values that add and scale.

`Objective("a") * 2 + -1 * Objective("b")` is a `Mix`: more of layer a, twice as much, less of b.
The notation is that of lucid's objectives (tensorflow/lucid, `optvis/objectives.py`).
"""

from pathlib import Path

LOGITS = "logits"
"""The layer of a network's classes: its head, applied at every position (`networks.head`)."""


PRETRAINED = "pretrained"


PAREIDOLIA = "pareidolia"

LENET5 = "lenet5"


OWN = (PAREIDOLIA, LENET5)
"""Our own networks: the weights of each lie beside this module, under its name."""


def ships(network: str, weights: str | Path | None) -> bool:
    """Whether a network's weights are those that come with the project."""
    return network in OWN and weights in (None, PRETRAINED)


def shipped(network: str) -> Path:
    """The weights file of one of our own networks."""
    return Path(__file__).with_name(f"{network}.safetensors")

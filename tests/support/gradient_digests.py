"""Prints digests of a network's gradients, as JSON by precision.

python -m tests.support.gradient_digests NETWORK
"""

import hashlib
import json
import sys

import torch

from render.determinism import make_deterministic, use_threads
from render.dream.gradient import gradients
from render.dream.objective import Objective
from render.engine.setup import MAX_THREADS
from render.geometry.rect import Rect
from render.networks.builtin import LOGITS
from render.networks.exactness import network_exactness
from render.networks.network import prepare_network
from tests.support.seeded_networks import noise_picture, seeded_whole_network

_MIN_SIDE = 107
"""Odd, so that no kernel's blocks fit."""


def main() -> None:
    """Digest the gradients of the deepest exact layer on one window."""
    make_deterministic()
    use_threads(MAX_THREADS)
    name = sys.argv[1]
    exact = network_exactness(name)
    objective = Objective(classes=(0,)) if exact.layer == LOGITS else Objective(exact.layer)
    height, width = (max(_MIN_SIDE, turns * exact.stride + 11) for turns in (3, 4))
    window = noise_picture((height, width), dtype=torch.float32)
    digests = {}
    for dtype in (torch.float32, torch.bfloat16):
        model = seeded_whole_network(name)
        network = prepare_network(model, (objective.target_layer,), dtype)
        (gradient,) = gradients(network, [objective], window, Rect(0, 0, height, width))
        digests[str(dtype)] = hashlib.sha256(gradient.numpy().tobytes()).hexdigest()
    sys.stdout.write(json.dumps(digests))


if __name__ == "__main__":
    main()

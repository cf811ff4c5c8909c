"""Rectifiers that leak while a network is young."""

from collections.abc import Iterator

from torch import nn

from render.networks.pareidolia import Pareidolia
from render.training.train import Progress

SLOPE = 0.1
"""Of the class map's ReLU below 0, at the first batch."""


def leaking(network: Pareidolia, training: Iterator[Progress], until: float) -> Iterator[Progress]:
    """Let the class map's ReLU leak, ever less, up to this share of a training's batches.

    With a hard one from the start, a class whose map is 0 on every picture gets no gradient and
    stays so: of 83 classes 10 did.
    """
    rectifier = network.classes.relu
    network.classes.relu = leak = nn.LeakyReLU(SLOPE)
    for now in training:
        leak.negative_slope = SLOPE * max(0.0, 1 - now.batches / now.of / until)
        yield now
    network.classes.relu = rectifier

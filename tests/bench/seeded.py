"""Networks with seeded weights: benchmarks need no files, and times do not depend on values.

Needs torch and torchvision only, so it works on a machine with nothing else installed.
"""

import torch
import torchvision
from torch import nn

_WITHOUT_HEADS = {"googlenet": {"init_weights": False, "aux_logits": False}}


def seeded(name: str) -> nn.Module:
    """A torchvision network in evaluation mode, Kaiming weights and calibrated batch norm.

    Kaiming initialisation and running statistics of one noise picture keep activations near 1 at
    every depth, as in a trained network, so that rounding errors have their usual size.
    """
    torch.manual_seed(0)
    model: nn.Module = torchvision.models.get_model(
        name, weights=None, **_WITHOUT_HEADS.get(name, {})
    )
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    model.train()
    with torch.no_grad():
        model(torch.randn(2, 3, 224, 224))
    return model.eval()

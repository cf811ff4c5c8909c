"""The networks there are, by name, built without weights."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torchvision
from torch.overrides import TorchFunctionMode

from render.errors import NetworkError, suggestion
from render.networks.builtin import OWN, PAREIDOLIA

_AUXILIARY = ("googlenet", "inception_v3")  # trained with side heads, which dreams never reach
_FACTORIES = (torch.empty, torch.zeros, torch.ones)


class _ParametersOnMeta(TorchFunctionMode):
    """Makes new parameters without memory or values.

    `torch.device("meta")` would also catch the small tensors that builders compute with (RegNet
    reads its block widths back from one).
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        settings = dict(kwargs or {})
        if func in _FACTORIES and settings.get("device") is None:
            settings["device"] = "meta"
        return func(*args, **settings)


def network_names() -> list[str]:
    """Every network by name: our own first, then torchvision's classification networks."""
    return [*OWN, *sorted(torchvision.models.list_models(module=torchvision.models))]


def check_name(name: str) -> None:
    """NetworkError, naming the nearest, where there is no such network."""
    known = network_names()
    if name not in known:
        raise NetworkError(f"network {name}: no such network; {suggestion(name, known)}")


def build(name: str, *, auxiliary: bool = False) -> torch.nn.Module:
    """The network in evaluation mode, its parameters on the meta device: shapes without values.

    `auxiliary` keeps the side heads of GoogLeNet and Inception v3, which their weights files have.
    torchvision's trained weights for these two expect its `transform_input`, so it is on.
    """
    check_name(name)
    with _ParametersOnMeta():
        if name in OWN:
            network = _own(name)
        elif name in _AUXILIARY:
            network = torchvision.models.get_model(
                name,
                weights=None,
                init_weights=False,
                aux_logits=auxiliary,
                transform_input=True,
            )
        else:
            network = torchvision.models.get_model(name, weights=None)
    return network.eval()


def _own(name: str) -> torch.nn.Module:
    if name == PAREIDOLIA:
        from render.networks.pareidolia import pareidolia

        return pareidolia()
    from render.networks.lenet5 import lenet5

    return lenet5()


def has_auxiliary(name: str) -> bool:
    """Whether the network may have side heads."""
    return name in _AUXILIARY

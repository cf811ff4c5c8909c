"""Names of all known networks, and their architectures, built without weights."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from render.errors import NetworkError, suggest
from render.networks.builtin import BUILTIN_NETWORKS, NETWORKS_OF_2015, PAREIDOLIA
from render.networks.torchvision_import import torchvision

_WITH_AUXILIARY_HEADS = (
    "googlenet",
    "inception_v3",
)  # heads used in training only
_FACTORIES = (torch.empty, torch.zeros, torch.ones)


class ParametersOnMeta(TorchFunctionMode):
    """Creates new parameters on the meta device, without memory or values.

    `torch.device("meta")` would also affect the small tensors that builders compute with: RegNet
    reads its block widths from one.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        settings = dict(kwargs or {})
        if getattr(func, "__module__", "") == torch.nn.init.__name__:
            # No values to set, and on meta this would load torch's compiler, which takes a second.
            return settings.get("tensor", *args[:1])
        if func in _FACTORIES and settings.get("device") is None:
            settings["device"] = "meta"
        return func(*args, **settings)


def network_names() -> list[str]:
    """Return all network names: built-in, of 2015, then torchvision's classification networks."""
    others = sorted(torchvision.models.list_models(module=torchvision.models))
    return [*BUILTIN_NETWORKS, *NETWORKS_OF_2015, *others]


def check_network_name(name: str) -> None:
    """Raise NetworkError, with similar names, if the network is not known."""
    known = network_names()
    if name not in known:
        raise NetworkError(f"network {name}: no such network; {suggest(name, known)}")


def build_network(
    name: str, *, auxiliary: bool = False, classes: int | None = None
) -> torch.nn.Module:
    """Build a network in evaluation mode with parameters on the meta device (no values).

    auxiliary: keep the auxiliary heads of GoogLeNet and Inception v3, which are in their weights
    files. torchvision's weights for these two expect `transform_input`, so it is on.
    classes: the number of classes; None means the network's own.
    Raises NetworkError if the network is not known.
    """
    check_network_name(name)
    counted = {} if classes is None else {"num_classes": classes}
    with ParametersOnMeta():
        if name in BUILTIN_NETWORKS:
            network = _build_builtin(name, counted)
        elif name in NETWORKS_OF_2015:
            network = _build_network_of_2015(name, classes or NETWORKS_OF_2015[name])
        elif name in _WITH_AUXILIARY_HEADS:
            network = torchvision.models.get_model(
                name,
                weights=None,
                init_weights=False,
                aux_logits=auxiliary,
                transform_input=True,
                **counted,
            )
        else:
            network = torchvision.models.get_model(name, weights=None, **counted)
    return network.eval()


def _build_builtin(name: str, counted: Mapping[str, int]) -> torch.nn.Module:
    if name == PAREIDOLIA:
        from render.networks.pareidolia import pareidolia

        return pareidolia(**counted)
    from render.networks.lenet5 import lenet5

    return lenet5(**counted)


def _build_network_of_2015(name: str, classes: int) -> torch.nn.Module:
    from render.networks import caffenet, inception_v1

    builders: dict[str, Callable[[int], torch.nn.Module]] = {
        "inception5h": inception_v1.inception5h,
        "caffenet": caffenet.caffenet,
        "caffe_lenet": caffenet.caffe_lenet,
    }
    return builders.get(name, inception_v1.bvlc_googlenet)(classes)


def has_auxiliary_heads(name: str) -> bool:
    """Whether the network can be built with auxiliary heads."""
    return name in _WITH_AUXILIARY_HEADS

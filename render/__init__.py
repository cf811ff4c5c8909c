"""DeepDream in exact tiles: pictures and tensors, on one machine, in one process.

`render.deepdream(picture, network, objectives)` is the whole library in one call; README.md beside
this file has an example. Names load on first use, so `import render` does not load torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from render.dream.config import Dream, Schedule, Smooth
    from render.dream.objective import Mix, Objective
    from render.errors import (
        DeviceError,
        LayerError,
        NetworkError,
        OutputError,
        PictureError,
        RenderError,
        WeightsError,
    )
    from render.library import deepdream, network_layers

__all__ = [
    "DeviceError",
    "Dream",
    "LayerError",
    "Mix",
    "NetworkError",
    "Objective",
    "OutputError",
    "PictureError",
    "RenderError",
    "Schedule",
    "Smooth",
    "WeightsError",
    "deepdream",
    "network_layers",
]

_MODULES = {
    "Dream": "dream.config",
    "Mix": "dream.objective",
    "Objective": "dream.objective",
    "Schedule": "dream.config",
    "Smooth": "dream.config",
    "deepdream": "library",
    "network_layers": "library",
}
"""Where each public name is defined; the other names are errors."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

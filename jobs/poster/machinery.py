"""What a crew computes with: on that, besides the plan, its bytes depend."""

import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from render.device import Device

SOFTWARE = ("dreamfarm", "torch", "torchvision", "numpy", "ray", "pyvips-binary")
"""What bytes depend on."""

FILES = ("numpy", "pyvips-binary")
"""What of it still counts when the canvas is there, and files are made of it."""


@dataclass(frozen=True)
class Machinery:
    """name: the device's model. kind: the GPU's model, or the CPU's instruction set. software:
    versions by package; None for what was not installed as one."""

    name: str
    kind: str
    software: dict[str, str | None]


def machinery(device: Device) -> Machinery:
    """What this process has."""
    from render.device import device_kind, device_name

    return Machinery(device_name(device), device_kind(device), software(SOFTWARE))


def software(packages: Iterable[str]) -> dict[str, str | None]:
    """The versions of Python and of packages, as this process finds them."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found

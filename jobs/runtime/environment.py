"""What a crew computes with: on that, besides the plan, its bytes depend."""

import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from jobs.records.keys import JobKeys
from jobs.records.record import Record
from jobs.store.store import Store
from jobs.text.errors import Unfit
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


class FixedPlan(Record):
    """The plan's pixels, and the device and software on which these bytes depend.

    device: the GPU's model, or the CPU's instruction set. software: versions by package.
    """

    plan: dict[str, Any]
    device: str
    software: dict[str, str | None]


def fix(store: Store, keys: JobKeys, mine: FixedPlan, *, any_device: bool) -> FixedPlan:
    """Fix the plan, or find it fixed.

    Raises Unfit where it is fixed for another kind of device or other software, and the job does
    not allow that.
    """
    if store.put_if_absent(keys.plan, mine.encoded()):
        return mine
    fixed = FixedPlan.read(store, keys.plan)
    if any_device or (fixed.device, fixed.software) == (mine.device, mine.software):
        return fixed
    differences = [
        f"{name} {fixed.software.get(name)}, not {mine.software.get(name)}"
        for name in sorted(fixed.software.keys() | mine.software.keys())
        if fixed.software.get(name) != mine.software.get(name)
    ]
    if fixed.device != mine.device:
        differences.insert(0, f"{fixed.device}, not {mine.device}")
    raise Unfit(
        f"{keys.job}: was begun on {'; '.join(differences)}; other machines would make other "
        "bytes: wait for one of the first kind, or submit it again with crew.any_device: true"
    )

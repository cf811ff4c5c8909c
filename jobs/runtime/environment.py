"""The device and software that determine a job's bytes, and the plan pinned with them."""

import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from jobs.records.keys import JobKeys
from jobs.records.record import Record
from jobs.store.store import Store
from jobs.text.errors import MachineMismatch
from render.device import Device, ResolvedPrecision, resolve_precision

SOFTWARE = (
    "dreamfarm",
    "torch",
    "torchvision",
    "numpy",
    "ray",
    "pyvips-binary",
    "pillow-heif",
    "zlib-ng",
)
"""Packages whose versions must match on all machines that compute the pixels of a job."""


FILE_SOFTWARE = ("numpy", "pyvips-binary", "zlib-ng")
"""Packages that change the files made from a finished canvas."""


@dataclass(frozen=True)
class Environment:
    """The device and the software of a process.

    device_name: the model of the device, for people. device_kind: decides the bytes: the model of
    the GPU, or the instruction set of the CPU. software: versions by package; None if the
    package is not installed. auto_precision: what `precision: auto` means there; None if unknown.
    """

    device_name: str
    device_kind: str
    software: dict[str, str | None]
    auto_precision: ResolvedPrecision | None = None


class OtherPrecision(MachineMismatch):
    """`precision: auto` means something else for the workers than for the process that planned.

    The job is to be planned again. precision: what it means for the workers.
    """

    def __init__(self, job: str, precision: ResolvedPrecision) -> None:
        super().__init__(
            f"{job}: `precision: auto` means {precision} for these workers, and something else for "
            "those before them; start `work` on machines of one kind, or submit with a precision"
        )
        self.precision: ResolvedPrecision = precision


def current_environment(device: Device) -> Environment:
    """The environment of this process."""
    from render.device import device_kind, device_name

    precision = resolve_precision("auto", has_gpu=device == "cuda")
    software = software_versions(SOFTWARE)
    return Environment(device_name(device), device_kind(device), software, precision)


def software_versions(packages: Iterable[str]) -> dict[str, str | None]:
    """The versions of Python and of these packages; None if a package is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


class PinnedPlan(Record):
    """The pixel settings of a plan, and the device and software that began the job.

    device: `Environment.device_kind`; a manifest's `device` is the name. software: versions by
    package.
    """

    plan: dict[str, Any]
    device: str
    software: dict[str, str | None]

    def is_matched_by(self, device: str, software: Mapping[str, str | None]) -> bool:
        """Whether a machine with this device and software makes the same bytes.

        Packages that an earlier version did not pin may have any version.
        """
        return device == self.device and software.items() >= self.software.items()


def pin_plan(store: Store, keys: JobKeys, mine: PinnedPlan, *, any_device: bool) -> PinnedPlan:
    """Store the pinned plan of a job, or return the one that an earlier holder stored.

    any_device: the job allows other devices and software.

    Raises:
        MachineMismatch: the job began on another kind of device or with other software.
    """
    if store.put_if_absent(keys.plan, mine.encode()):
        return mine
    pinned = PinnedPlan.read(store, keys.plan)
    if any_device or pinned.is_matched_by(mine.device, mine.software):
        return pinned
    raise machine_mismatch(keys.job, "this machine", pinned, mine.device, mine.software)


def machine_mismatch(
    job: str, machine: str, pinned: PinnedPlan, device: str, software: Mapping[str, str | None]
) -> MachineMismatch:
    """Make the error for a machine that would compute other bytes than the first one of a job.

    Args:
        job: The job.
        machine: The machine, in words.
        pinned: What the job began with.
        device: The kind of the machine's device.
        software: The machine's versions by package.
    """
    differences = [
        f"{name} {pinned.software[name]}, not {software.get(name)}"
        for name in sorted(pinned.software)
        if pinned.software[name] != software.get(name)
    ]
    if pinned.device != device:
        differences.insert(0, f"{pinned.device}, not {device}")
    return MachineMismatch(
        f"{job}: began on {'; '.join(differences)}; {machine} would make other bytes: "
        "wait for a machine of the first kind, or submit it again with crew.any_device: true"
    )

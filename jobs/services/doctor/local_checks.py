"""What there is to compute with."""

import errno
import platform
import shutil
import socket
import tempfile
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement

from jobs.planning.machine import Machine
from jobs.runtime.environment import software_versions
from jobs.services.doctor.finding import Finding, failed, ok, size, warning

_EACH = 1.5 * 2**30
"""Bytes of memory a core, under which fewer workers than cores do better."""


def devices(machine: Machine, fitted: int) -> list[Finding]:
    """fitted: the NVIDIA GPUs that the driver has, which torch need not be able to use."""
    return [_cores(machine), _gpus(machine, fitted)]


def _cores(machine: Machine) -> Finding:
    found = f"{machine.cores} cores, {size(machine.memory)} of memory"
    if machine.memory < machine.cores * _EACH:
        few = max(1, int(machine.memory / _EACH))
        return warning("cores", found, f"render with --workers {few}: each takes up to 1.5 GiB")
    return ok("cores", found)


def _gpus(machine: Machine, fitted: int) -> Finding:
    if machine.gpus:
        found = f"{machine.gpus} with {size(machine.gpu_memory)} each"
        if machine.gpus < fitted:
            return warning(
                "GPUs", f"{found}, of {fitted}", "CUDA_VISIBLE_DEVICES hides the others: unset it"
            )
        return ok("GPUs", found)
    if fitted:
        return failed(
            "GPUs",
            f"this machine has {fitted}, and torch can use none",
            "unset CUDA_VISIBLE_DEVICES, or bring NVIDIA's driver up to what this torch was built "
            'for: python -c "import torch; torch.cuda.init()" says more',
        )
    return ok("GPUs", "none: dreams on CPUs")


_LEAST = 1 << 30

_ENOUGH = 10 << 30


def disks(places: Iterable[tuple[str, Path]]) -> list[Finding]:
    """A check of each folder, there or not yet, by what it is for."""
    return [_disk(f"disk for {what}", folder) for what, folder in places]


def _disk(check: str, folder: Path) -> Finding:
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    try:
        free = shutil.disk_usage(there).free
        with tempfile.TemporaryFile(dir=there) as trial:
            trial.write(b"\0")
            trial.flush()
    except OSError as error:
        return failed(
            check,
            f"{folder}: nothing can be written there ({error.strerror or error})",
            f"make it writable for this user, or name another place{_other(check)}",
        )
    found = f"{folder}: {size(free)} free"
    if free < _LEAST:
        return failed(check, found, f"free some, or name another place{_other(check)}")
    if free < _ENOUGH:
        return warning(check, found, "large posters need more: `dreamfarm plan` says how much")
    return ok(check, found)


def _other(check: str) -> str:
    return " by TMPDIR" if check.endswith("scratch") else " by XDG_CACHE_HOME"


CLUSTER = (6379, 6380, 6381, 6382, 6383, 8080, 8265, 52365)
"""Where infra/ has Ray listen; on one machine by itself it takes any."""


def loopback() -> Finding:
    """Whether a private Ray could talk to itself."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=5).close()
    except OSError as error:
        return failed(
            "loopback",
            f"127.0.0.1 cannot be reached ({error.strerror or error})",
            "bring the interface lo up, and let no firewall rule cut it off",
        )
    return ok("loopback", "127.0.0.1 answers")


def free_ports(ports: Iterable[int] = CLUSTER) -> Finding:
    """Whether this machine could join a cluster."""
    taken = [port for port in ports if not _is_free(port)]
    if taken:
        return warning(
            "ports",
            f"in use: {', '.join(map(str, taken))}",
            "fine where this machine is part of a cluster already; else end what listens there "
            "before it joins one",
        )
    return ok("ports", "all that Ray takes on a cluster are free")


def _is_free(port: int) -> bool:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("", port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


_OURS = "dreamfarm"

_INSTALL = "pip install --upgrade --constraint constraints.txt ."


def wanted() -> list[str] | None:
    """What the installed project asks for; None where it is not installed as a package."""
    try:
        return list(requires(_OURS) or ())
    except PackageNotFoundError:
        return None


def installed(requirements: Iterable[str]) -> dict[str, str | None]:
    """The version of each package that is asked for here; None where it is not there."""
    asked = [Requirement(text) for text in requirements]
    here = [one.name for one in asked if not one.marker or one.marker.evaluate({"extra": ""})]
    found = software_versions(here)
    del found["python"]
    return found


def versions(requirements: list[str] | None, found: Mapping[str, str | None]) -> Finding:
    """requirements: of the project. found: what is installed of them."""
    if requirements is None:
        return warning(
            "versions",
            f"python {platform.python_version()}; dreamfarm runs from a folder, so nobody knows "
            "what it needs",
            f"install it: {_INSTALL}",
        )
    asked = {one.name: one for one in map(Requirement, requirements)}
    wrong = [
        f"{name} is {'missing' if have is None else have} (wanted: {asked[name].specifier})"
        for name, have in found.items()
        if have is None or not asked[name].specifier.contains(have, prereleases=True)
    ]
    if wrong:
        return failed("versions", "; ".join(wrong), _INSTALL)
    return ok("versions", f"python {platform.python_version()}, {len(found)} packages as wanted")

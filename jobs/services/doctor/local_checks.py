"""Checks of this machine: processors, memory, GPUs, disks, weights, ports, installed packages."""

import errno
import platform
import shutil
import socket
import tempfile
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement

from jobs.planning.identity import file_digest
from jobs.planning.machine import Machine
from jobs.runtime.environment import software_versions
from jobs.services.doctor.finding import Finding, failed, format_gib, ok, warning
from render.networks.published_weights import is_as_named, published_weights

_MEMORY_PER_CORE = 1.5 * 2**30
"""Bytes. With less memory per core, fewer workers than cores work better."""


def check_devices(machine: Machine, installed_gpus: int) -> list[Finding]:
    """Check cores, memory and GPUs.

    installed_gpus: the NVIDIA GPUs that the driver knows, whether or not torch can use them.
    """
    return [_check_cores(machine), _check_gpus(machine, installed_gpus)]


def _check_cores(machine: Machine) -> Finding:
    found = f"{machine.cores} cores, {format_gib(machine.memory)} of memory"
    if machine.memory < machine.cores * _MEMORY_PER_CORE:
        workers = max(1, int(machine.memory / _MEMORY_PER_CORE))
        return warning("cores", found, f"render with --workers {workers}: each takes up to 1.5 GiB")
    return ok("cores", found)


def _check_gpus(machine: Machine, installed_gpus: int) -> Finding:
    if machine.gpus:
        found = f"{machine.gpus} with {format_gib(machine.gpu_memory)} each"
        if machine.gpus < installed_gpus:
            return warning(
                "GPUs",
                f"{found}, of {installed_gpus}",
                "CUDA_VISIBLE_DEVICES hides the others: unset it",
            )
        return ok("GPUs", found)
    if installed_gpus:
        return failed(
            "GPUs",
            f"this machine has {installed_gpus}, but torch can use none",
            "unset CUDA_VISIBLE_DEVICES, or update NVIDIA's driver to what this torch needs: "
            'python -c "import torch; torch.cuda.init()" shows the error',
        )
    return ok("GPUs", "none: renders on CPUs")


_MIN_FREE_DISK = 1 << 30

_AMPLE_DISK = 10 << 30


def check_disks(folders: Iterable[tuple[str, Path]]) -> list[Finding]:
    """Check that each folder is writable and its disk not full.

    folders: pairs of purpose and folder; a folder need not exist yet.
    """
    return [_check_disk(f"disk for {purpose}", folder) for purpose, folder in folders]


def _check_disk(check: str, folder: Path) -> Finding:
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        free = shutil.disk_usage(existing).free
        with tempfile.TemporaryFile(dir=existing) as trial:
            trial.write(b"\0")
            trial.flush()
    except OSError as error:
        return failed(
            check,
            f"{folder}: cannot be written ({error.strerror or error})",
            f"make it writable for this user, or set another folder with {_variable(check)}",
        )
    found = f"{folder}: {format_gib(free)} free"
    if free < _MIN_FREE_DISK:
        return failed(
            check, found, f"free some space, or set another folder with {_variable(check)}"
        )
    if free < _AMPLE_DISK:
        return warning(
            check, found, "large posters need more: `dreamfarm plan PICTURE` says how much"
        )
    return ok(check, found)


def _variable(check: str) -> str:
    """The environment variable that sets the folder."""
    return "TMPDIR" if check.endswith("scratch") else "XDG_CACHE_HOME"


def check_weights(files: Iterable[Path]) -> list[Finding]:
    """Check downloaded weights, by the checksums in their names. None have no finding."""
    names, damaged = [], []
    for path in files:
        digest = file_digest(path)
        if not is_as_named(path, digest):
            damaged.append(str(path))
        else:
            names.append(published_weights(path, digest) or path.name)
    if damaged:
        advice = "delete it, so that it is downloaded again"
        return [failed("weights", f"{one}: is damaged", advice) for one in damaged]
    return [ok("weights", f"downloaded: {', '.join(names)}")] if names else []


CLUSTER_PORTS = (6379, 6380, 6381, 6382, 6383, 8080, 8265, 52365)
"""The ports of Ray on clusters that `infra/` starts. A private Ray takes any free ports."""


def check_loopback() -> Finding:
    """Check whether processes of this machine can connect to each other, as Ray's do."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=5).close()
    except OSError as error:
        return failed(
            "loopback",
            f"127.0.0.1 cannot be reached ({error.strerror or error})",
            "bring the interface lo up, and remove firewall rules that block it",
        )
    return ok("loopback", "127.0.0.1 answers")


def check_ports(ports: Iterable[int] = CLUSTER_PORTS) -> Finding:
    """Check whether the ports are free that this machine needs to join a cluster."""
    taken = [port for port in ports if not _is_free(port)]
    if taken:
        return warning(
            "ports",
            f"in use: {', '.join(map(str, taken))}",
            "fine if this machine is in a cluster already; otherwise end what listens there "
            "before it joins one",
        )
    return ok("ports", "all that Ray needs on a cluster are free")


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


_PACKAGE = "dreamfarm"

_INSTALL = "pip install --upgrade --constraint constraints.txt ."


def project_requirements() -> list[str] | None:
    """The requirements of the installed project; None if it is not installed as a package."""
    try:
        return list(requires(_PACKAGE) or ())
    except PackageNotFoundError:
        return None


def installed_versions(requirements: Iterable[str]) -> dict[str, str | None]:
    """The installed version of each required package; None for a missing one.

    Skips the requirements of extras and of other platforms.
    """
    parsed = [Requirement(text) for text in requirements]
    names = [one.name for one in parsed if not one.marker or one.marker.evaluate({"extra": ""})]
    versions = software_versions(names)
    del versions["python"]
    return versions


def check_versions(requirements: list[str] | None, found: Mapping[str, str | None]) -> Finding:
    """Compare the installed packages with the project's requirements.

    requirements: None if the project is not installed. found: installed versions by package.
    """
    if requirements is None:
        return warning(
            "versions",
            f"python {platform.python_version()}; dreamfarm is not installed as a package, so its "
            "requirements are unknown",
            f"install it: {_INSTALL}",
        )
    parsed = {one.name: one for one in map(Requirement, requirements)}
    wrong = [
        f"{name} is {'missing' if version is None else version} (wanted: {parsed[name].specifier})"
        for name, version in found.items()
        if version is None or not parsed[name].specifier.contains(version, prereleases=True)
    ]
    if wrong:
        return failed("versions", "; ".join(wrong), _INSTALL)
    return ok("versions", f"python {platform.python_version()}, {len(found)} packages as wanted")

"""Checks whether the machines of a Ray cluster can render jobs together."""

import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

from cluster.errors import ClusterUnreachable
from jobs.records.keys import ACTIVE
from jobs.records.record import Record
from jobs.runtime.environment import SOFTWARE, software_versions
from jobs.services.doctor.finding import Finding, failed, format_gib, ok, warning
from jobs.store.address import open_store
from jobs.store.errors import StoreError
from jobs.text.errors import InvalidRecord

_MIN_FREE_DISK = 1 << 30
"""Bytes."""


class NodeReport(Record):
    """What a machine of a cluster says of itself.

    cores, gpus: all that the machine has, in use or not. software: versions by package.
    free_disk: bytes of its scratch disk. sees_store: None if no store was named.
    store_error: why it does not see the store.
    """

    name: str
    cores: int
    gpus: int
    software: dict[str, str | None]
    free_disk: int
    sees_store: bool | None
    store_error: str | None


def report_node(store: str) -> str:
    """Report on this machine, as JSON. Runs on each machine of a cluster.

    store: an address, or an empty string.
    """
    from jobs.planning.machine import this_machine
    from render.device import installed_gpus

    error = _store_error(store) if store else None
    return NodeReport(
        name=platform.node(),
        cores=this_machine().cores,
        # Ray hides GPUs from a task that asks for none, so ask the driver.
        gpus=installed_gpus(),
        software=software_versions(SOFTWARE),
        free_disk=shutil.disk_usage(tempfile.gettempdir()).free,
        sees_store=error is None if store else None,
        store_error=error,
    ).model_dump_json()


def _store_error(store: str) -> str | None:
    try:
        next(iter(open_store(store).list_objects(ACTIVE)), None)
    except StoreError as error:
        return str(error)
    return None


def check_cluster(address: str, store: str | None) -> Iterator[Finding]:
    """Check each machine of the cluster at `address`, HOST:PORT, and its way to a store."""
    from cluster.ray_query import query_nodes

    function = f"{report_node.__module__}:{report_node.__name__}"
    try:
        answers = query_nodes(address, function, store or "")
    except ClusterUnreachable as error:
        yield failed(
            "cluster", str(error), "check that its head runs, and that this machine is in it"
        )
        return
    yield from evaluate_reports(address, answers, software_versions(SOFTWARE))


def evaluate_reports(
    address: str, answers: Mapping[str, Any], here: Mapping[str, str | None]
) -> Iterator[Finding]:
    """Evaluate the answers of a cluster's machines.

    answers: reports, or the texts of errors, by HOST:PORT. here: this machine's software.
    """
    reports: dict[str, NodeReport] = {}
    errors: dict[str, str] = {}
    for node, answer in answers.items():
        try:
            reports[node] = NodeReport.decode(str(answer).encode(), "an answer")
        except InvalidRecord:
            errors[node] = str(answer)
    yield _check_nodes(address, reports, errors)
    yield _check_software(reports, here)
    yield _check_disks(reports)
    if any(report.sees_store is not None for report in reports.values()):
        yield _check_store(reports)


def _check_nodes(
    address: str, reports: Mapping[str, NodeReport], errors: Mapping[str, str]
) -> Finding:
    if errors:
        listed = "; ".join(f"{node}: {error}" for node, error in errors.items())
        return failed(
            "cluster", f"no report from {listed}", "install the same dreamfarm on each machine"
        )
    cores = sum(report.cores for report in reports.values())
    gpus = sum(report.gpus for report in reports.values())
    return ok("cluster", f"{address}: {len(reports)} machines, {cores} cores, {gpus} GPUs")


def _check_software(reports: Mapping[str, NodeReport], here: Mapping[str, str | None]) -> Finding:
    differences = [
        f"{node} ({report.name}) has {name} {report.software.get(name)}, not {version}"
        for node, report in reports.items()
        for name, version in here.items()
        if report.software.get(name) != version
    ]
    if differences:
        return failed(
            "cluster: versions",
            "; ".join(differences),
            "install the same versions on all machines: the rendered bytes depend on them",
        )
    return ok("cluster: versions", "the same on all machines as here")


def _check_disks(reports: Mapping[str, NodeReport]) -> Finding:
    full = [
        f"{node} has {format_gib(report.free_disk)}"
        for node, report in reports.items()
        if report.free_disk < _MIN_FREE_DISK
    ]
    if full:
        return warning(
            "cluster: disks", "; ".join(full), "free some space: workers store canvases there"
        )
    return ok("cluster: disks", "each machine has scratch space")


def _check_store(reports: Mapping[str, NodeReport]) -> Finding:
    blind = [
        f"{node}: {report.store_error}" for node, report in reports.items() if not report.sees_store
    ]
    if blind:
        return failed(
            "cluster: store", "; ".join(blind), "give each machine the store's address and keys"
        )
    return ok("cluster: store", "each machine reaches it")

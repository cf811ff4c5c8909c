"""Whether the machines of a cluster can do the work, together."""

import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

from cluster.errors import ClusterUnreachable
from jobs.records.keys import ACTIVE
from jobs.records.record import Record
from jobs.runtime.environment import SOFTWARE, software_versions
from jobs.services.doctor.finding import Finding, failed, ok, size, warning
from jobs.store.address import open_store
from jobs.store.errors import StoreError
from jobs.text.errors import InvalidRecord


class MachineSurvey(Record):
    """cores, gpus: that it has, lent or not. software: versions by package. free: bytes of its
    scratch disk. sees_store: None where none was named; trouble: why it does not.
    """

    name: str
    cores: int
    gpus: int
    software: dict[str, str | None]
    free: int
    sees_store: bool | None
    trouble: str | None


def survey(store: str) -> str:
    """Survey this machine; store: an address, or nothing."""
    from jobs.planning.machine import this_machine
    from render.device import installed_gpus

    trouble = _trouble(store) if store else None
    return MachineSurvey(
        name=platform.node(),
        cores=this_machine().cores,
        # Ray hides GPUs from who asks for none.
        gpus=installed_gpus(),
        software=software_versions(SOFTWARE),
        free=shutil.disk_usage(tempfile.gettempdir()).free,
        sees_store=trouble is None if store else None,
        trouble=trouble,
    ).model_dump_json()


def _trouble(store: str) -> str | None:
    try:
        next(iter(open_store(store).list_objects(ACTIVE)), None)
    except StoreError as error:
        return str(error)
    return None


_LEAST = 1 << 30


def clusters(address: str, store: str | None) -> Iterator[Finding]:
    """Joins the cluster and asks each of its machines."""
    from cluster.ray_query import query_nodes

    try:
        answers = query_nodes(address, "jobs.services.doctor.cluster_checks:survey", store or "")
    except ClusterUnreachable as error:
        yield failed(
            "cluster", str(error), "see that its head runs, and that this machine is in it"
        )
        return
    yield from judged(address, answers, software_versions(SOFTWARE))


def judged(
    address: str, answers: Mapping[str, Any], here: Mapping[str, str | None]
) -> Iterator[Finding]:
    """What the machines' answers mean; here: this machine's software."""
    surveys: dict[str, MachineSurvey] = {}
    silent: dict[str, str] = {}
    for place, answer in answers.items():
        try:
            surveys[place] = MachineSurvey.decode(str(answer).encode(), "an answer")
        except InvalidRecord:
            silent[place] = str(answer)
    yield _machines(address, surveys, silent)
    yield _software(surveys, here)
    yield _disks(surveys)
    if any(one.sees_store is not None for one in surveys.values()):
        yield _store(surveys)


def _machines(
    address: str, surveys: Mapping[str, MachineSurvey], silent: Mapping[str, str]
) -> Finding:
    if silent:
        told = "; ".join(f"{place}: {answer}" for place, answer in silent.items())
        return failed(
            "cluster", f"no answer from {told}", "install the same dreamfarm on each machine"
        )
    cores = sum(one.cores for one in surveys.values())
    gpus = sum(one.gpus for one in surveys.values())
    return ok("cluster", f"{address}: {len(surveys)} machines, {cores} cores, {gpus} GPUs")


def _software(surveys: Mapping[str, MachineSurvey], here: Mapping[str, str | None]) -> Finding:
    others = [
        f"{place} ({one.name}) has {name} {one.software.get(name)}, not {have}"
        for place, one in surveys.items()
        for name, have in here.items()
        if one.software.get(name) != have
    ]
    if others:
        return failed(
            "cluster: versions", "; ".join(others), "install the same on all: bytes depend on it"
        )
    return ok("cluster: versions", "the same on all machines as here")


def _disks(surveys: Mapping[str, MachineSurvey]) -> Finding:
    full = [f"{place} has {size(one.free)}" for place, one in surveys.items() if one.free < _LEAST]
    if full:
        return warning("cluster: disks", "; ".join(full), "free some: workers keep canvases there")
    return ok("cluster: disks", "room for scratch on each")


def _store(surveys: Mapping[str, MachineSurvey]) -> Finding:
    blind = [f"{place}: {one.trouble}" for place, one in surveys.items() if not one.sees_store]
    if blind:
        return failed(
            "cluster: store", "; ".join(blind), "give each machine the store's address and keys"
        )
    return ok("cluster: store", "each machine reaches it")

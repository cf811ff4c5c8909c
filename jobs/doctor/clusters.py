"""Whether the machines of a cluster can do the work, together."""

from collections.abc import Iterator, Mapping
from typing import Any

from cluster.errors import Unreachable
from jobs.doctor.finding import Finding, failed, ok, size, warning
from jobs.doctor.survey import Survey
from jobs.lifecycle.errors import BadRecord
from jobs.poster.machinery import SOFTWARE, software

_LEAST = 1 << 30


def clusters(address: str, store: str | None) -> Iterator[Finding]:
    """Joins the cluster and asks each of its machines."""
    from cluster.census import census

    try:
        answers = census(address, "jobs.doctor.survey:survey", store or "")
    except Unreachable as error:
        yield failed(
            "cluster", str(error), "see that its head runs, and that this machine is in it"
        )
        return
    yield from judged(address, answers, software(SOFTWARE))


def judged(
    address: str, answers: Mapping[str, Any], here: Mapping[str, str | None]
) -> Iterator[Finding]:
    """What the machines' answers mean; here: this machine's software."""
    surveys: dict[str, Survey] = {}
    silent: dict[str, str] = {}
    for place, answer in answers.items():
        try:
            surveys[place] = Survey.decoded(str(answer).encode(), "an answer")
        except BadRecord:
            silent[place] = str(answer)
    yield _machines(address, surveys, silent)
    yield _software(surveys, here)
    yield _disks(surveys)
    if any(one.sees_store is not None for one in surveys.values()):
        yield _store(surveys)


def _machines(address: str, surveys: Mapping[str, Survey], silent: Mapping[str, str]) -> Finding:
    if silent:
        told = "; ".join(f"{place}: {answer}" for place, answer in silent.items())
        return failed(
            "cluster", f"no answer from {told}", "install the same dreamfarm on each machine"
        )
    cores = sum(one.cores for one in surveys.values())
    gpus = sum(one.gpus for one in surveys.values())
    return ok("cluster", f"{address}: {len(surveys)} machines, {cores} cores, {gpus} GPUs")


def _software(surveys: Mapping[str, Survey], here: Mapping[str, str | None]) -> Finding:
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


def _disks(surveys: Mapping[str, Survey]) -> Finding:
    full = [f"{place} has {size(one.free)}" for place, one in surveys.items() if one.free < _LEAST]
    if full:
        return warning("cluster: disks", "; ".join(full), "free some: workers keep canvases there")
    return ok("cluster: disks", "room for scratch on each")


def _store(surveys: Mapping[str, Survey]) -> Finding:
    blind = [f"{place}: {one.trouble}" for place, one in surveys.items() if not one.sees_store]
    if blind:
        return failed(
            "cluster: store", "; ".join(blind), "give each machine the store's address and keys"
        )
    return ok("cluster: store", "each machine reaches it")

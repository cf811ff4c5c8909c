"""`dreamfarm doctor`: check this machine, a store and a cluster."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.arguments import AsJson
from jobs.cli.format import echo, echo_json

if TYPE_CHECKING:
    from jobs.services.doctor.finding import Finding


def doctor(
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            envvar="DREAMFARM_STORE",
            help="Also check this store. The check writes to it.",
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option("--address", help="Also check each machine of the Ray cluster at HOST:PORT."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check this machine, a store and a cluster. Prints a line for each check, with advice.

    The exit code is 1 if a check failed. With --json, each line is an object.
    """
    from dataclasses import asdict

    has_failed = False
    for finding in _findings(store, address):
        has_failed = has_failed or finding.verdict == "failed"
        if as_json:
            echo_json({"version": 1, **asdict(finding)})
        else:
            echo(_line(finding))
    if has_failed:
        raise typer.Exit(1)


def _findings(store: str | None, address: str | None) -> "Iterator[Finding]":
    import tempfile
    from pathlib import Path

    from jobs.planning.machine import this_machine
    from jobs.runtime.staging import cache_folder
    from jobs.services.doctor.cluster_checks import check_cluster
    from jobs.services.doctor.local_checks import (
        check_devices,
        check_disks,
        check_loopback,
        check_ports,
        check_versions,
        check_weights,
        installed_versions,
        project_requirements,
    )
    from jobs.services.doctor.store_checks import check_store
    from jobs.store.address import open_store
    from render.device import installed_gpus
    from render.networks.published_weights import torch_downloads

    # A malformed address is a wrong request, not a finding.
    opened = None if store is None else open_store(store)
    requirements = project_requirements()
    yield from check_devices(this_machine(), installed_gpus())
    yield check_versions(requirements, installed_versions(requirements or ()))
    yield from check_disks(
        [("scratch", Path(tempfile.gettempdir())), ("the cache", cache_folder())]
    )
    yield from check_weights(torch_downloads())
    yield check_loopback()
    if address is None:
        yield check_ports()
    if opened is not None:
        yield from check_store(opened)
    if address is not None:
        yield from check_cluster(address, store)


def _line(finding: "Finding") -> str:
    line = f"{finding.verdict:<7}  {finding.check}: {' '.join(finding.found.split())}"
    return line if finding.advice is None else f"{line}; {finding.advice}"

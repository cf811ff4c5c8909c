"""`dreamfarm doctor`: what is wrong here, and what to do about it."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.arguments import AsJson

if TYPE_CHECKING:
    from jobs.services.doctor.finding import Finding


def doctor(
    store: Annotated[
        str | None,
        typer.Option(
            "--store", envvar="DREAMFARM_STORE", help="Check this store too: it is written to."
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option("--address", help="Check the Ray cluster at HOST:PORT too, each machine."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check this machine, a store, and a cluster: a line a check, and what to do.

    Exit code 1 where something failed. With --json, an object a line.
    """
    from dataclasses import asdict

    bad = False
    for one in _findings(store, address):
        bad = bad or one.verdict == "failed"
        typer.echo(json.dumps({"version": 1, **asdict(one)}) if as_json else _line(one))
    if bad:
        raise typer.Exit(1)


def _findings(store: str | None, address: str | None) -> "Iterator[Finding]":
    import tempfile
    from pathlib import Path

    from jobs.planning.machine import this_machine
    from jobs.runtime.staging import cache_folder
    from jobs.services.doctor.cluster_checks import clusters
    from jobs.services.doctor.local_checks import (
        devices,
        disks,
        free_ports,
        installed,
        loopback,
        versions,
        wanted,
    )
    from jobs.services.doctor.store_checks import stores
    from jobs.store.address import open_store
    from render.device import gpus_fitted

    # An address that is none is a wrong request, not a finding.
    opened = None if store is None else open_store(store)
    requirements = wanted()
    yield from devices(this_machine(), gpus_fitted())
    yield versions(requirements, installed(requirements or ()))
    yield from disks([("scratch", Path(tempfile.gettempdir())), ("the cache", cache_folder())])
    yield loopback()
    if address is None:
        yield free_ports()
    if opened is not None:
        yield from stores(opened)
    if address is not None:
        yield from clusters(address, store)


def _line(one: "Finding") -> str:
    told = f"{one.verdict:<7}  {one.check}: {' '.join(one.found.split())}"
    return told if one.advice is None else f"{told}; {one.advice}"

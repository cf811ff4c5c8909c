"""`dreamfarm work`: render the store's jobs."""

import os
import signal
import socket
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.arguments import DREAMS, StoreFlag
from jobs.runtime.logs import LogFormat

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_GRACE = 5.0
"""Seconds for a store that does not answer at first; then who starts this should know."""


def work(
    store: StoreFlag = str(DREAMS),
    address: Annotated[
        str | None,
        typer.Option("--address", help="HOST:PORT of a Ray cluster; default: this machine alone."),
    ] = None,
    grows_to: Annotated[
        str | None,
        typer.Option(
            "--grows-to",
            help="What the cluster's autoscaler may bring it to, such as 16x8cpu,1gpu,32GiB.",
        ),
    ] = None,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="Leave when nothing is left to do.")
    ] = False,
    poll: Annotated[
        float | None,
        typer.Option("--poll", help="Seconds between two looks at the store.", min=0.1),
    ] = None,
    lease: Annotated[
        float | None,
        typer.Option("--lease", help="Seconds without a sign after which a holder is dead.", min=3),
    ] = None,
    checkpoint: Annotated[
        float | None,
        typer.Option("--checkpoint", help="Seconds between checkpoints, at the least.", min=0),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            "--allow",
            help="A folder, or s3://BUCKET/PREFIX, that jobs may have read besides the store. "
            "Repeatable.",
        ),
    ] = None,
    max_pixels: Annotated[
        float | None,
        typer.Option("--max-pixels", help="The most that limits.max_pixels may be.", min=1),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            "--metrics",
            metavar="[HOST:]PORT",
            help="Serve Prometheus' metrics, on loopback unless a host is named; default: nowhere.",
        ),
    ] = None,
    log_format: Annotated[
        LogFormat,
        typer.Option("--log-format", help="Lines for people, or a JSON object a line."),
    ] = "text",
    regroup: Annotated[
        float | None,
        typer.Option(
            "--regroup", help="A crew grows when that saves so many times its cost.", min=0
        ),
    ] = None,
) -> None:
    """Render the jobs in a store, by priority and age, until told to stop.

    Any number of these may serve one store. Of what a job names only that is read which was sent
    along with it, or lies in the store, or where --allow says. SIGTERM and Ctrl-C: what is being
    rendered is given back, with what is done, and another goes on with it.
    """
    from prometheus_client import CollectorRegistry

    from jobs.records.keys import ACTIVE
    from jobs.runtime.access import allowed
    from jobs.runtime.logs import log_lines, say_for_programs
    from jobs.runtime.metrics.exporter import Meters
    from jobs.services.scheduler.capacity import cluster_whole, growth, machine_whole
    from jobs.services.scheduler.scheduler import Scheduler, Settings
    from jobs.spec.base import MAX_PIXELS
    from jobs.store.address import open_store
    from jobs.store.conditional_write import check_exclusive
    from jobs.store.retrying import Patient
    from jobs.text.errors import RequestError

    given = {"poll": poll, "lease": lease, "checkpoint": checkpoint, "regroup": regroup}
    settings = Settings(
        until_idle=until_idle,
        ray=address,
        allow=tuple(map(allowed, allow or ())),
        max_pixels=MAX_PIXELS if max_pixels is None else int(max_pixels),
        log=log_format,
        **{name: value for name, value in given.items() if value is not None},
    )
    if grows_to is not None and address is None:
        raise RequestError("--grows-to: only a cluster grows; name it with --address")
    most = None if grows_to is None else growth(grows_to)
    opened = open_store(store)
    # One request tells whether anybody is there; the probe has many.
    next(iter(opened.entries(ACTIVE)), None)
    check_exclusive(Patient(opened, _GRACE))
    ask = machine_whole() if address is None else cluster_whole(address, most)
    ask([])
    registry = CollectorRegistry()
    say = _say
    if log_format == "json":
        log_lines({"scheduler": f"{socket.gethostname()}:{os.getpid()}"})
        say = say_for_programs
    scheduler = Scheduler(opened, ask, settings, say, Meters(registry))
    endings = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.signal(ending, lambda *_: scheduler.stop()) for ending in endings]
    try:
        with _served(metrics, registry) as place:
            told = "" if place is None else f", metrics at {place}"
            say("serving", f"serving {opened.address} (process {os.getpid()}){told}")
            scheduler.run()
    finally:
        for ending, handler in zip(endings, before, strict=True):
            signal.signal(ending, handler)


def _served(
    metrics: str | None, registry: "CollectorRegistry"
) -> AbstractContextManager[str | None]:
    """Within, metrics are served where they are asked for."""
    from jobs.runtime.metrics.exporter import endpoint

    return nullcontext() if metrics is None else endpoint(metrics, registry)


def _say(_event: str, line: str, _job: str | None = None, /) -> None:
    typer.echo(line, err=True)

"""`dreamfarm work`: render the jobs of a store."""

import math
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.cli.arguments import STORE, Create, StoreFlag
from jobs.cli.format import echo
from jobs.runtime.logs import LogFormat

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from jobs.runtime.logs import Notify
    from jobs.services.scheduler.capacity import CapacityQuery
    from jobs.services.scheduler.settings import SchedulerSettings
    from jobs.store.store import Store

_STORE_GRACE = 5.0
"""Seconds for a store that does not answer at start-up. Then the command fails."""

_DAY, _WEEK = 86_400, 604_800
"""In seconds. Leases have the same limit when they are read: `jobs.records.record.MAX_TTL`."""

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

Address = Annotated[
    str | None,
    typer.Option("--address", help="HOST:PORT of a Ray cluster; default: only this machine."),
]
GrowsTo = Annotated[
    str | None,
    typer.Option(
        "--grows-to",
        help="The size that the cluster's autoscaler can reach, such as 16x8cpu,1gpu,32GiB.",
    ),
]
UntilIdle = Annotated[bool, typer.Option("--until-idle", help="Exit when no work is left.")]
Poll = Annotated[
    float | None,
    typer.Option("--poll", help="Seconds between two checks of the store.", min=0.1, max=_DAY),
]
Lease = Annotated[
    float | None,
    typer.Option(
        "--lease", help="Seconds after which a silent holder counts as dead.", min=3, max=_WEEK
    ),
]
Checkpoint = Annotated[
    float | None,
    typer.Option(
        "--checkpoint", help="Shortest time between two checkpoints, seconds.", min=0, max=_WEEK
    ),
]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        help="A folder or s3://BUCKET/PREFIX that jobs may read, besides the store. Repeatable.",
    ),
]
MaxPixels = Annotated[
    float | None,
    typer.Option(
        "--max-pixels", help="Largest limits.max_pixels that a job may set.", min=1, max=1e12
    ),
]
Metrics = Annotated[
    str | None,
    typer.Option(
        "--metrics",
        metavar="[HOST:]PORT",
        help="Serve Prometheus metrics, on loopback unless a host is given; default: off.",
    ),
]
LogFormatFlag = Annotated[
    LogFormat, typer.Option("--log-format", help="Lines for people, or one JSON object a line.")
]
Budget = Annotated[
    list[str] | None,
    typer.Option(
        "--budget",
        metavar="UNIT-per-day=AMOUNT",
        help="What all jobs of the store may spend a day in UTC: usd-per-day=200, hours-per-day=8. "
        "Then jobs wait for the next day.",
    ),
]
Price = Annotated[
    float | None,
    typer.Option(
        "--price",
        help="US dollars for one worker and hour; default: as `plan`. 0: this machine is paid for.",
        min=0,
        max=1e6,
    ),
]
NotifyFlag = Annotated[
    list[str] | None,
    typer.Option(
        "--notify",
        metavar="[NAME=]URL",
        help="Tell this address when a job ends: a webhook, or an address of apprise; with a name, "
        "only for specs with `notify: [NAME]`. Repeatable; @FILE: one a line. Secrets are safer in "
        "a file or in DREAMFARM_NOTIFY.",
    ),
]
Regroup = Annotated[
    float | None,
    typer.Option(
        "--regroup",
        help="Resize a crew only if the time saved is at least this many times the restart cost.",
        min=0,
        max=1e9,
    ),
]


def work(
    store: StoreFlag = STORE,
    create: Create = False,
    address: Address = None,
    grows_to: GrowsTo = None,
    until_idle: UntilIdle = False,
    poll: Poll = None,
    lease: Lease = None,
    checkpoint: Checkpoint = None,
    allow: Allow = None,
    max_pixels: MaxPixels = None,
    metrics: Metrics = None,
    log_format: LogFormatFlag = "text",
    regroup: Regroup = None,
    notify: NotifyFlag = None,
    budget: Budget = None,
    price: Price = None,
) -> None:
    """Render the jobs of a store, by priority and age, until told to stop.

    Several of these can serve one store. Jobs read only uploaded files, store files and --allow
    paths. SIGTERM and Ctrl-C release the running jobs; another `work` resumes them.
    """
    from prometheus_client import CollectorRegistry

    from jobs.notify.address import read_addresses
    from jobs.runtime.metrics.exporter import MetricsExporter
    from jobs.services.scheduler.day_budget import parse_budget
    from jobs.services.scheduler.scheduler import Scheduler
    from jobs.store.address import open_store_to_fill

    numbers = {
        "poll": poll,
        "lease_seconds": lease,
        "checkpoint_seconds": checkpoint,
        "min_gain": regroup,
        "price": price,
    }
    settings = replace(
        _settings(until_idle, address, allow or [], max_pixels, log_format, numbers),
        budget=parse_budget(budget or ()),
        addresses=read_addresses(notify or (), os.environ),
    )
    capacity = _capacity(address, grows_to)
    opened = open_store_to_fill(store, may_create=create or store == STORE)
    _check_store(opened)
    capacity([])  # fails now if the cluster cannot be reached
    registry = CollectorRegistry()
    report = _notifier(log_format)
    scheduler = Scheduler(opened, capacity, settings, report, MetricsExporter(registry))
    with _on_stop_signals(scheduler.stop), _serve_metrics(metrics, registry) as url:
        suffix = "" if url is None else f", metrics at {url}"
        report("serving", f"serving {opened.address} (process {os.getpid()}){suffix}")
        scheduler.run()


def _settings(
    until_idle: bool,
    address: str | None,
    allow: list[str],
    max_pixels: float | None,
    log_format: LogFormat,
    numbers: dict[str, float | None],
) -> "SchedulerSettings":
    """The scheduler's settings. numbers: by field name; None keeps the default."""
    from jobs.runtime.access import parse_allowed
    from jobs.services.scheduler.settings import SchedulerSettings
    from jobs.spec.base import MAX_PIXELS
    from jobs.text.errors import RequestError

    for name, value in numbers.items():
        if value is not None and not math.isfinite(value):
            raise RequestError(f"{name} {value}: must be a finite number")
    settings = SchedulerSettings(
        until_idle=until_idle,
        ray=address,
        allow=tuple(map(parse_allowed, allow)),
        max_pixels=MAX_PIXELS if max_pixels is None else int(max_pixels),
        log=log_format,
    )
    given: dict[str, Any] = {name: value for name, value in numbers.items() if value is not None}
    return replace(settings, **given)


def _capacity(address: str | None, grows_to: str | None) -> "CapacityQuery":
    """The query for the capacity of this machine, or of the cluster at an address."""
    from jobs.services.scheduler.capacity import (
        cluster_capacity_query,
        machine_capacity_query,
        parse_autoscale_limit,
    )
    from jobs.text.errors import RequestError

    if grows_to is not None and address is None:
        raise RequestError("--grows-to: only a cluster grows; name it with --address")
    limit = None if grows_to is None else parse_autoscale_limit(grows_to)
    return machine_capacity_query() if address is None else cluster_capacity_query(address, limit)


def _check_store(store: "Store") -> None:
    """Raise StoreError if the store does not answer, or lacks conditional writes."""
    from jobs.records.keys import ACTIVE
    from jobs.store.conditional_write import check_conditional_writes
    from jobs.store.retrying import RetryingStore

    retrying = RetryingStore(store, _STORE_GRACE)
    # One request shows whether the store answers; the check below makes many.
    next(iter(retrying.list_objects(ACTIVE)), None)
    check_conditional_writes(retrying)


def _notifier(log_format: LogFormat) -> "Notify":
    """The function that prints a message for the operator. For JSON, also set up logging."""
    from jobs.runtime.logs import json_notifier, log_as_json

    if log_format == "text":
        return _print_line
    log_as_json({"scheduler": f"{socket.gethostname()}:{os.getpid()}"})
    return json_notifier


@contextmanager
def _on_stop_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` on SIGTERM, SIGINT and SIGHUP within the context."""
    previous = [signal.signal(number, lambda *_: stop()) for number in _STOP_SIGNALS]
    try:
        yield
    finally:
        for number, handler in zip(_STOP_SIGNALS, previous, strict=True):
            signal.signal(number, handler)


def _serve_metrics(
    metrics: str | None, registry: "CollectorRegistry"
) -> AbstractContextManager[str | None]:
    """Serve metrics within the context, if the operator wants them. Yields their URL, or None."""
    from jobs.runtime.metrics.exporter import metrics_endpoint

    return nullcontext() if metrics is None else metrics_endpoint(metrics, registry)


def _print_line(_event: str, line: str, _job: str | None = None, /) -> None:
    echo(line, err=True)

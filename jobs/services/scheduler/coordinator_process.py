"""The process of a coordinator: its configuration, its start, and the signals it gets."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from jobs.notify.address import VARIABLES
from jobs.notify.notice import Audience
from jobs.records.job import StoredJob
from jobs.records.lease import HeldLease
from jobs.records.record import Amount, Count, Number, Record, Ttl
from jobs.runtime.kind import RunLimits
from jobs.runtime.logs import LogFormat
from jobs.runtime.metrics.snapshot import MetricsSnapshot, SnapshotReader
from jobs.runtime.spending import Pricing
from jobs.services.scheduler.capacity import ResourceShare, share_in_use


class CoordinatorConfig(Record):
    """What a coordinator needs to run one job.

    store: the address. lease_number, token, holder, ttl: of the lease, ttl in seconds.
    ray: HOST:PORT of a cluster; None for a Ray of the coordinator's own.
    cores, gpus, memory: what it may use of this machine or the cluster, memory in bytes.
    checkpoint_seconds: the shortest time between two checkpoints within an octave.
    allow, max_pixels, min_gain: as in `SchedulerSettings`.
    price: US dollars for a worker and hour; None: by the list of `plan`.
    budget: why the job waits once that of the day is spent; None without such a budget.
    is_priced: whether that budget is in US dollars, so that each worker must have a price.
    audience: who gets a word when the job ends.
    log: what it writes to standard error: only trouble as text, or JSON lines.
    metrics_pipe: a file descriptor of the coordinator for its metrics, if the scheduler reads them.
    """

    store: str
    job: str
    lease_number: Number
    token: str
    holder: str
    ttl: Ttl
    ray: str | None
    cores: Count
    gpus: Count
    memory: Count
    checkpoint_seconds: Amount
    allow: tuple[str, ...]
    max_pixels: Count
    min_gain: Amount
    scratch: Annotated[Path, Field(strict=False)]
    log: LogFormat
    price: Amount | None = None
    budget: str | None = None
    is_priced: bool = False
    audience: Audience = Audience()
    metrics_pipe: Count | None = None

    @property
    def pricing(self) -> Pricing:
        """What its workers cost."""
        return Pricing(self.price, self.is_priced)

    @property
    def limits(self) -> RunLimits:
        """What the job may use and do."""
        return RunLimits(
            self.cores,
            self.gpus,
            self.memory,
            self.max_pixels,
            self.checkpoint_seconds,
            self.min_gain,
        )


@dataclass
class CoordinatorProcess:
    """A running coordinator, as its scheduler sees it.

    granted: the share that its job got at the start. share: the part of it that other jobs may not
    use now. job_at_start: the job when it was claimed. metrics: reads the coordinator's metrics.
    """

    process: subprocess.Popen[bytes]
    config: CoordinatorConfig
    lease: HeldLease
    granted: ResourceShare
    job_at_start: StoredJob
    metrics: SnapshotReader | None = None

    def __post_init__(self) -> None:
        self.share = self.granted
        self.is_preempted = False

    @property
    def job(self) -> str:
        """The id of its job."""
        return self.lease.keys.job

    @property
    def priority(self) -> int:
        """The priority that its job had at the start."""
        settings = self.job_at_start.run_settings
        return settings.priority if settings else 0

    def read_metrics(self) -> MetricsSnapshot | None:
        """The newest metrics since the last call, if any."""
        snapshot = self.metrics.newest() if self.metrics else None
        if snapshot is not None and snapshot.use is not None:
            self.share = share_in_use(self.granted, self.config.memory, snapshot.use)
        return snapshot

    def clean_up(self) -> None:
        """Remove the scratch folder of an ended coordinator, and close its metrics pipe."""
        shutil.rmtree(self.config.scratch, ignore_errors=True)
        if self.metrics:
            self.metrics.close()

    def preempt(self) -> None:
        """Make it commit at the next step boundary, and release the job."""
        self.is_preempted = True
        self._signal(signal.SIGUSR1)

    def hold(self) -> None:
        """Make it commit at the next step boundary: the budget of the day is spent."""
        self._signal(signal.SIGUSR2)

    def shut_down(self) -> None:
        """Make it stop at once, and keep what is in the store."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)


StartCoordinator = Callable[
    [CoordinatorConfig, HeldLease, ResourceShare, StoredJob], CoordinatorProcess
]
"""Starts a coordinator for a job, with the lease that the scheduler claimed for it."""


def start_coordinator(
    config: CoordinatorConfig, lease: HeldLease, share: ResourceShare, job: StoredJob
) -> CoordinatorProcess:
    """Start a coordinator with a lease that the scheduler claimed for it."""
    # A crew must not see the GPUs of other jobs.
    gpus = _visible_gpus(share) if config.ray is None and config.gpus else {}
    # A killed process leaves temporary files; `clean_up` removes them with the folder.
    folders = {"TMPDIR": str(config.scratch)}
    # A job's code needs no addresses of the operator, which contain secrets.
    inherited = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    metrics = SnapshotReader()
    with_pipe = config.model_copy(update={"metrics_pipe": metrics.child_end})
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs.services.scheduler.coordinator"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**inherited, **gpus, **folders},
        # The scheduler handles Ctrl-C, and then signals its coordinators.
        start_new_session=True,
        pass_fds=(metrics.child_end,),
    )
    if process.stdin is not None:
        # The scheduler reaps a coordinator that died before it read its configuration.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(with_pipe.encode())
            process.stdin.close()
    metrics.close_child_end()
    return CoordinatorProcess(process, config, lease, share, job, metrics)


def _visible_gpus(share: ResourceShare) -> dict[str, str]:
    """The variable that makes only the share's GPUs visible, under this process's names."""
    known = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = known.split(",") if known else None
    mine = [names[gpu] if names else str(gpu) for gpu in share.gpus]
    return {"CUDA_VISIBLE_DEVICES": ",".join(mine)}

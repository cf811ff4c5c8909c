"""A coordinator's process, as the scheduler that started it sees it."""

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

from jobs.records.job import Job
from jobs.records.lease import Held
from jobs.records.record import Record
from jobs.runtime.logs import LogFormat
from jobs.runtime.metrics.counters import Readings
from jobs.runtime.metrics.pipe import Ear
from jobs.services.scheduler.capacity import Share, kept


class Errand(Record):
    """A job whose lease was claimed, and what may be used for it.

    store: its address. number, token, holder, ttl: the lease's. ray: HOST:PORT of a cluster; None
    for a Ray of its own. cores, gpus, memory: of this machine (bytes), or of the cluster.
    checkpoint_seconds: between two checkpoints within an octave, at the least. allow, max_pixels:
    what its spec may have read, as in `Settings`. mouth: a descriptor of that process, for its
    readings; None where nobody listens. log: what it writes to standard error: nothing but trouble,
    or lines for programs. regroup: how many times its cost another crew must save.
    """

    store: str
    job: str
    number: Annotated[int, Field(ge=1)]
    token: str
    holder: str
    ttl: Annotated[float, Field(gt=0)]
    ray: str | None
    cores: Annotated[int, Field(ge=1)]
    gpus: Annotated[int, Field(ge=0)]
    memory: Annotated[int, Field(ge=1)]
    checkpoint_seconds: Annotated[float, Field(ge=0)]
    allow: tuple[str, ...]
    max_pixels: Annotated[int, Field(ge=1)]
    regroup: Annotated[float, Field(ge=0)]
    scratch: Annotated[Path, Field(strict=False)]
    log: LogFormat
    mouth: Annotated[int, Field(ge=0)] | None = None


@dataclass
class Child:
    """One job that is being rendered for this scheduler.

    given, memory: what it may use, in bytes the latter; share: what of that others may not. ear:
    hears what it reads on its meters.
    """

    process: subprocess.Popen[bytes]
    held: Held
    given: Share
    memory: int
    known: Job
    scratch: Path
    yields: bool = False
    ear: Ear | None = None

    def __post_init__(self) -> None:
        self.share = self.given

    @property
    def job(self) -> str:
        """Its job's id."""
        return self.held.keys.job

    @property
    def priority(self) -> int:
        """Of its job, when it was started."""
        return self.known.terms.priority if self.known.terms else 0

    def heard(self) -> Readings | None:
        """The newest readings since the last look; None where there are none."""
        readings = self.ear.newest() if self.ear else None
        if readings is not None and readings.use is not None:
            self.share = kept(self.given, self.memory, readings.use)
        return readings

    def bury(self) -> None:
        """It has ended: give back what it had of this process and this machine."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        if self.ear:
            self.ear.close()

    def step_aside(self) -> None:
        """Have it commit at the next step boundary, and let the job go."""
        self.yields = True
        self._signal(signal.SIGUSR1)

    def drain(self) -> None:
        """Have it leave at once, with what it has."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)


Launch = Callable[[Errand, Held, Share, Job], Child]
"""Starts a coordinator with a lease that was claimed for it, for a job as it was then."""


def start(errand: Errand, held: Held, share: Share, job: Job) -> Child:
    """Start a coordinator with a lease that was claimed for it."""
    # Where a crew was planned for GPUs that others have, it must not find them.
    cards = _cards(share) if errand.ray is None and errand.gpus else {}
    # What a process leaves behind that is killed lies there too, and goes with it.
    places = {"TMPDIR": str(errand.scratch)}
    ear = Ear()
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs.services.scheduler.coordinator"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **cards, **places},
        # A terminal's Ctrl-C is for the scheduler, which tells its children what to do.
        start_new_session=True,
        pass_fds=(ear.mouth,),
    )
    if process.stdin is not None:
        # A coordinator that died before it read will be reaped like any other.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(errand.model_copy(update={"mouth": ear.mouth}).encoded())
            process.stdin.close()
    ear.started()
    return Child(process, held, share, errand.memory, job, errand.scratch, ear=ear)


def _cards(share: Share) -> dict[str, str]:
    """The share's GPUs by the names that this process knows them by."""
    known = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = known.split(",") if known else None
    mine = [names[gpu] if names else str(gpu) for gpu in share.gpus]
    return {"CUDA_VISIBLE_DEVICES": ",".join(mine)}

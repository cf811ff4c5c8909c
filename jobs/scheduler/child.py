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

from jobs.lifecycle.job import Job
from jobs.lifecycle.lease import Held
from jobs.scheduler.capacity import Share, kept
from jobs.scheduler.errand import Errand
from jobs.watching.readings import Readings
from jobs.watching.wire import Ear


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
        [sys.executable, "-m", "jobs.scheduler.coordinator"],
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

"""The lifecycle that all kinds of jobs share while they run, from the lease to the manifest."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from jobs.records.lease import HeldLease
from jobs.records.record import read_json_object
from jobs.runtime.context import JobContext
from jobs.runtime.control import Control, Stopped
from jobs.runtime.environment import Environment, PinnedPlan, pin_plan
from jobs.runtime.failures import RetryDecision, failure_class, retry_decision, worker_at_fault
from jobs.runtime.logs import LOG, log_fields
from jobs.runtime.manifest import encode_manifest
from jobs.runtime.reporter import Reporter


@dataclass(frozen=True)
class RunContext:
    """One holder's run of one job.

    context: where it works. lease: its right to work. control: what users and signals ask of it.
    reporter: where it reports. document: the spec as the user submitted it.
    """

    context: JobContext
    lease: HeldLease
    control: Control
    reporter: Reporter
    document: dict[str, Any]

    def stop_if_asked(self) -> None:
        """Raise Stopped where somebody has asked this run to stop."""
        if self.control.requested:
            raise self.control.stopped()

    def pin(self, plan: dict[str, Any], used: Environment, *, any_device: bool) -> None:
        """Pin the plan and the environment of the job, or find them pinned.

        Raises MachineMismatch where the job began on another kind of device or with other software.
        """
        mine = PinnedPlan(plan=plan, device=used.kind, software=used.software)
        pin_plan(self.context.store, self.context.keys, mine, any_device=any_device)

    def publish(self, key: str, manifest: dict[str, Any]) -> dict[str, Any]:
        """Write the manifest. If another holder was first, return its manifest, which counts.

        Raises LeaseLost.
        """
        self.lease.check()
        if self.context.store.put_if_absent(key, encode_manifest(manifest)):
            self.reporter.note("succeeded")
        return read_json_object(self.context.store, key) or manifest

    def note_loss(self, error: Exception, workers: str, **details: str) -> None:
        """Log that the workers (a `crew` or a `pool`) are lost, and count it."""
        at_fault = worker_at_fault(error)
        said = f"%s: the {workers} ends (%s)"
        LOG.warning(said, type(error).__name__, error, extra=log_fields(**at_fault))
        self.reporter.note(f"{workers} lost", reason=str(error), **details, **at_fault)
        self.reporter.counters.add_retry(failure_class(error))


class JobRunner(ABC):
    """Runs one job: attempts it, recovers from losses, publishes the manifest.

    A kind of job says what an attempt is, how far its work is, and how to begin again.
    """

    workers: ClassVar[str]
    """What the job runs on, in logs and events: `crew` or `pool`."""

    def __init__(self, run: RunContext) -> None:
        self._run = run
        self._clock, self._started = PhaseClock(), datetime.now(UTC)

    def run(self) -> dict[str, Any]:
        """Do what is left to do; return the manifest, which is then in the store.

        New workers replace lost ones. Raises Stopped where the holder was asked to leave,
        LeaseLost, and whatever makes the job fail or go back to the queue.
        """
        self._clock, self._started = PhaseClock(), datetime.now(UTC)
        self._take_over()
        losses = 0
        while True:
            before = self._work_done()
            try:
                return self._run.publish(*self._attempt())
            except Stopped as stopped:
                if stopped.want != "regroup":
                    raise
                losses = 0
            except Exception as error:  # noqa: BLE001 - classified here; raised unless it can pass
                losses = 1 if self._work_done() > before else losses + 1
                self._recover(error, losses)

    def _recover(self, error: Exception, losses: int) -> None:
        """Prepare another attempt, or raise the error."""
        decision = retry_decision(error, losses, is_frugal=self._is_frugal())
        if decision not in ("again", "frugally"):
            raise error
        if self._run.control.requested:
            raise self._run.control.stopped() from error
        self._run.note_loss(error, self.workers, **self._loss_details(decision))
        self._run.lease.check()
        self._begin_again(decision)

    def _loss_details(self, decision: RetryDecision) -> dict[str, str]:
        """What the event of a loss says besides its reason."""
        del decision
        return {}

    @abstractmethod
    def _take_over(self) -> None:
        """Find what earlier holders have finished."""

    @abstractmethod
    def _attempt(self) -> tuple[str, dict[str, Any]]:
        """Do all that is left; return the manifest's key and the manifest."""

    @abstractmethod
    def _work_done(self) -> float:
        """A number that grows with the work of this run."""

    @abstractmethod
    def _is_frugal(self) -> bool:
        """Whether nothing is left to try against a lack of memory."""

    @abstractmethod
    def _begin_again(self, decision: RetryDecision) -> None:
        """Make ready for another attempt after a loss."""


class PhaseClock:
    """Wall-clock seconds by phase. Each phase lasts until the next one begins."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._began = now, now()
        self._phase, self._since = "start", self._began
        self._spent: dict[str, float] = {}

    def begin(self, phase: str) -> None:
        """End the current phase, and begin this one."""
        self._close()
        self._phase = phase

    def seconds(self) -> dict[str, float]:
        """Seconds by phase so far, and their `total`."""
        self._close()
        return {**self._spent, "total": self._now() - self._began}

    def _close(self) -> None:
        now = self._now()
        self._spent[self._phase] = self._spent.get(self._phase, 0.0) + now - self._since
        self._since = now

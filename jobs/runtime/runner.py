"""The lifecycle that all kinds of jobs share while they run, from the lease to the manifest."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from jobs.records.lease import HeldLease
from jobs.records.manifest import encode_manifest
from jobs.records.record import read_json_object
from jobs.records.stored_spec import RunSettings
from jobs.runtime.context import JobContext
from jobs.runtime.control import Control, Stopped
from jobs.runtime.environment import Environment, OtherPrecision, PinnedPlan, pin_plan
from jobs.runtime.failures import RetryDecision, failure_class, retry_decision, worker_at_fault
from jobs.runtime.logs import LOG, log_fields
from jobs.runtime.metrics.progress import Progress
from jobs.runtime.reporter import Reporter
from jobs.runtime.spending import WorkerShape
from jobs.spec.base import Limits
from jobs.text.errors import InvalidRecord
from render.device import ResolvedPrecision


@dataclass(frozen=True)
class RunContext:
    """One holder's run of one job.

    job_context: the store and the scratch folder. lease: the holder's lease. control: requests to
    stop. reporter: writes status and events. document: the spec as the user submitted it.
    """

    job_context: JobContext
    lease: HeldLease
    control: Control
    reporter: Reporter
    document: dict[str, Any]

    def stop_if_requested(self) -> None:
        """Raise Stopped if a stop was requested."""
        if self.control.requested:
            raise self.control.acknowledge()

    @contextmanager
    def paying(self, workers: int, shape: WorkerShape, limits: Limits) -> Iterator[None]:
        """Count what a crew or pool costs, from the request for it until the block ends.

        Raises Stopped before that if a limit of the job is reached.
        """
        with self.reporter.spending.workers(workers, shape, limits):
            self.heed_limits()
            self.stop_if_requested()
            yield

    def report_progress(self, progress: Progress) -> None:
        """Report the progress, and request a stop if more work would pass a limit of the job."""
        self.reporter.set_progress(progress)
        if progress.fraction < 1:
            self.heed_limits()

    def heed_limits(self) -> None:
        """Request a stop if a limit of the job is reached, and nobody has raised it. StoreError."""
        spending, context = self.reporter.spending, self.job_context
        if spending.reached() is None or self.control.requested:
            return
        # Junk there raises no limit.
        with suppress(InvalidRecord):
            settings = RunSettings.read_or_none(context.store, context.keys.run_settings)
            spending.limits = spending.limits if settings is None else settings.limits
        if spending.reached() is not None:
            self.control.request("limit")

    def check_auto_precision(self, planned: ResolvedPrecision, environment: Environment) -> None:
        """Check that the first crew computes in the precision that `auto` means for it.

        planned: what it means for this process, which may have another kind of CPU. Raises
        OtherPrecision. Later crews use the precision of the first.
        """
        context, found = self.job_context, environment.auto_precision
        if found is None or found == planned:
            return
        if PinnedPlan.read_or_none(context.store, context.keys.plan) is None:
            raise OtherPrecision(context.job, found)

    def pin(self, plan: dict[str, Any], environment: Environment, *, any_device: bool) -> None:
        """Pin the plan and the environment of the job, or check those that are pinned.

        plan: the pixel settings. any_device: the job allows other devices and software.

        Raises:
            MachineMismatch: the job began on another kind of device or with other software.
        """
        mine = PinnedPlan(plan=plan, device=environment.device_kind, software=environment.software)
        pin_plan(self.job_context.store, self.job_context.keys, mine, any_device=any_device)

    def publish(self, key: str, manifest: dict[str, Any]) -> dict[str, Any]:
        """Write the manifest to the store. If another holder was first, return its manifest.

        Raises LeaseLost.
        """
        self.lease.check()
        if self.job_context.store.put_if_absent(key, encode_manifest(manifest)):
            self.reporter.add_event("succeeded")
        return read_json_object(self.job_context.store, key) or manifest

    def report_loss(self, error: Exception, group_name: str, **details: str) -> None:
        """Report that the workers (a `crew` or a `pool`) are lost, and count it."""
        at_fault = worker_at_fault(error)
        LOG.warning(
            "%s: the %s ends (%s)",
            type(error).__name__,
            group_name,
            error,
            extra=log_fields(**at_fault),
        )
        self.reporter.add_event(f"{group_name} lost", reason=str(error), **details, **at_fault)
        self.reporter.counters.add_retry(failure_class(error))


class JobRunner(ABC):
    """Runs one job: attempts it, recovers from losses, publishes the manifest.

    A subclass for each kind of job defines an attempt, the work done, and the next attempt.
    """

    group_name: ClassVar[str]
    """The name of the group of workers in logs and events: `crew` or `pool`."""

    def __init__(self, run_context: RunContext) -> None:
        self._run_context = run_context
        self._clock, self._started = PhaseClock(), datetime.now(UTC)

    def run(self) -> dict[str, Any]:
        """Do the remaining work. Returns the manifest, which is then in the store.

        New workers replace lost ones.

        Raises:
            Stopped: a stop was requested.
            LeaseLost: another holder has the job.
            Exception: the job has failed, or goes back to the queue; see `retry_decision`.
        """
        self._clock, self._started = PhaseClock(), datetime.now(UTC)
        self._take_over()
        losses, furthest = 0, 0.0
        while True:
            try:
                return self._run_context.publish(*self._attempt())
            except Stopped as stopped:
                if stopped.request != "regroup":
                    raise
            except Exception as error:  # noqa: BLE001 - raised unless another attempt may succeed
                # Work that an earlier crew had done, and that was lost, is no progress.
                done = self._work_done()
                losses = 1 if done > furthest else losses + 1
                furthest = max(done, furthest)
                self._recover(error, losses)

    def _recover(self, error: Exception, losses: int) -> None:
        """Prepare another attempt, or raise the error."""
        if self._repair(error):
            self._run_context.stop_if_requested()
            return
        decision = retry_decision(error, losses, is_frugal=self._is_frugal())
        if decision not in ("again", "frugally"):
            raise error
        if self._run_context.control.requested:
            raise self._run_context.control.acknowledge() from error
        self._run_context.report_loss(error, self.group_name, **self._loss_details(decision))
        self._run_context.lease.check()
        self._prepare_retry(decision)

    def _repair(self, error: Exception) -> bool:
        """Remove the cause of an error and report it, if that is possible. Says whether it was.

        Raises LeaseLost, StoreError.
        """
        del error
        return False

    def _loss_details(self, decision: RetryDecision) -> dict[str, str]:
        """Fields of the event of a loss, besides its reason."""
        del decision
        return {}

    @abstractmethod
    def _take_over(self) -> None:
        """Find the finished work of earlier holders."""

    @abstractmethod
    def _attempt(self) -> tuple[str, dict[str, Any]]:
        """Do the remaining work. Returns the manifest's key and the manifest."""

    @abstractmethod
    def _work_done(self) -> float:
        """How much of the job is done, at least 0. It falls if work since a checkpoint is lost."""

    @abstractmethod
    def _is_frugal(self) -> bool:
        """Whether the workers already use as little memory as they can."""

    @abstractmethod
    def _prepare_retry(self, decision: RetryDecision) -> None:
        """Prepare another attempt after a loss."""


class PhaseClock:
    """Wall-clock seconds of a whole run by phase, for the manifest.

    The phases are `start`, `decode`, `dream` and `encode`. Each lasts until the next one begins.
    """

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

"""The coordinator: a process that runs one job for as long as it holds the job's lease.

It is a process of its own because a job can kill it: a decoder crashes, memory runs out, or Ray
ends the driver of a dead cluster. The scheduler survives that.
"""

import functools
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from jobs.notify.notice import Notices
from jobs.records.job import StoredJob, load_job
from jobs.records.keys import JobKeys
from jobs.records.lease import HeldLease, restore_lease
from jobs.records.state import ENDED
from jobs.runtime.access import AccessPolicy
from jobs.runtime.context import JobContext, Opener, retrying_store
from jobs.runtime.control import Control, Stopped
from jobs.runtime.lease_renewer import EXIT_STOPPED, LeaseRenewer
from jobs.runtime.logs import LOG, log_as_json, log_fields
from jobs.runtime.metrics.counters import Counters
from jobs.runtime.metrics.snapshot import SnapshotWriter
from jobs.runtime.reporter import Reporter
from jobs.runtime.scratch import ScratchLock
from jobs.runtime.spending import Spending, earlier_holders
from jobs.services.scheduler.coordinator_process import CoordinatorConfig
from jobs.store.errors import ObjectError
from jobs.store.store import Store
from jobs.text.errors import LeaseLost

if TYPE_CHECKING:
    from jobs.runtime.backend import Backend


DONE, UNFIT = 0, 76
"""Exit codes, besides EXIT_STOPPED. DONE: the job has ended, is paused, or stepped aside for
another; no backoff. UNFIT: the job needs another machine."""


OpenBackend = Callable[[], AbstractContextManager["Backend"]]


def main() -> None:
    """Run the job of the configuration on standard input."""
    config = CoordinatorConfig.decode(sys.stdin.buffer.read(), "the coordinator's configuration")
    if config.log == "json":
        log_as_json({"job": config.job, "lease": config.lease_number, "holder": config.holder})
    control = Control()
    # The scheduler receives Ctrl-C, and shuts its coordinators down.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: control.request("shutdown"))
    signal.signal(signal.SIGUSR1, lambda *_: control.request("yield"))
    signal.signal(signal.SIGUSR2, lambda *_: control.request("budget"))
    opener = functools.partial(retrying_store, config.store)
    coordinator = Coordinator(config, control, opener, _backend_opener(config.ray))
    sys.exit(coordinator.run(parent=os.getppid()))


class Coordinator:
    """Runs one job until it has ended, or until it must release the job.

    opener: opens the store, in this process and in the workers. open_backend: yields a backend for
    as long as the job runs.
    """

    def __init__(
        self,
        config: CoordinatorConfig,
        control: Control,
        opener: Opener,
        open_backend: OpenBackend,
    ) -> None:
        self._config, self._control, self._open_backend = config, control, open_backend
        self._keys = JobKeys(config.job)
        access = AccessPolicy((config.store, *config.allow))
        self._context = JobContext(
            opener, config.job, config.lease_number, config.scratch, access=access
        )

    def run(self, parent: int | None = None) -> int:
        """Run the job. The exit code tells the scheduler when to try this job again.

        parent: the id of a process. The run stops if that process ends.
        """
        config, store = self._config, self._context.store
        lease = restore_lease(
            store, self._keys, config.lease_number, config.token, config.holder, config.ttl
        )
        pipe = config.metrics_pipe
        counters = Counters() if pipe is None else Counters(SnapshotWriter(pipe))
        job = load_job(store, config.job)
        earlier = earlier_holders(store, self._keys, config.lease_number)
        spending = Spending(earlier, config.pricing)
        reporter = Reporter(self._context, job.intent.generation, counters, spending)
        reporter.add_event("claimed", lease=config.lease_number, holder=config.holder)
        message = config.audience.unknown_names(job.notify)
        if message is not None:
            reporter.add_event("notify", reason=message)
        # The scratch folder holds local copies of checkpoints, which this process reads when it
        # encodes the files. The lock marks the folder as in use.
        scratch_lock = ScratchLock(config.scratch)
        try:
            renewer = LeaseRenewer(
                store.without_retries(), lease, self._control, reporter, parent=parent
            )
            with reporter.capturing_logs():
                with renewer:
                    code = self._run_job(store, lease, reporter)
                return self._end(store, lease, reporter, code)
        except LeaseLost:
            return EXIT_STOPPED
        except ObjectError as error:
            # Not even a report can be written. The scheduler must not try again at once.
            LOG.error("%s: %s", config.job, error)
            lease.release()
            return UNFIT
        finally:
            counters.send()
            scratch_lock.release()
            shutil.rmtree(config.scratch, ignore_errors=True)

    def _run_job(self, store: Store, lease: HeldLease, reporter: Reporter) -> int:
        """Run the job, report how it ended, and return the exit code."""
        from jobs.runtime.failures import (
            MACHINE_ERRORS,
            failure_class,
            format_trace,
            is_permanent,
        )

        try:
            self._run_kind(load_job(store, self._config.job), lease, reporter)
        except Stopped as stopped:
            self._report_stop(stopped, reporter)
            if stopped.request == "lost":
                raise LeaseLost(self._config.job) from stopped
            return EXIT_STOPPED if stopped.request == "shutdown" else DONE
        except MACHINE_ERRORS as error:
            reporter.set_reason(str(error))
            reporter.add_event("let go", reason=str(error))
            return UNFIT
        except Exception as error:  # noqa: BLE001 - classified, and reported to the user
            # A lost lease may be the cause of the error.
            lease.check()
            failure = failure_class(error)
            trace = format_trace(error)
            LOG.error("%s failure: %s", failure, trace, extra=log_fields(failure=failure))
            if is_permanent(error):
                reporter.set_reason(self._describe(error, failure), failure)
                reporter.add_event("failed", reason=str(error), failure=failure)
                return DONE
            reporter.set_reason(str(error))
            reporter.add_event("let go", reason=str(error))
            return EXIT_STOPPED
        return DONE

    def _report_stop(self, stopped: Stopped, reporter: Reporter) -> None:
        """Report why the job stops, if that is news for its user."""
        reached = reporter.spending.reached() if stopped.request == "limit" else None
        if reached is not None:
            reporter.set_limit(reached)
        elif stopped.request == "budget":
            reporter.set_reason(self._config.budget)
        else:
            reporter.add_event(stopped.event)
            return
        reporter.add_event(stopped.event, reason=reporter.status().reason)

    def _run_kind(self, job: StoredJob, lease: HeldLease, reporter: Reporter) -> None:
        from jobs.runtime.runner import RunContext
        from jobs.services.kinds import KINDS

        run_context = RunContext(
            self._context, lease, self._control, reporter, job.spec.submitted_document
        )
        with self._open_backend() as backend:
            KINDS[job.kind].run(job, run_context, backend, self._config.limits)

    def _end(self, store: Store, lease: HeldLease, reporter: Reporter, code: int) -> int:
        """Write the last report, release the lease, and remove the marker of an ended job."""
        reporter.write(store)
        lease.release()
        job = load_job(store, self._config.job)
        notices = Notices(store, self._config.audience)
        if job.state in ENDED:
            notices.end(job, job.intent.generation)
        else:
            notices.add(job)
        return code

    def _describe(self, error: Exception, failure: str) -> str:
        """Why the job failed, in one line."""
        if failure == "memory":
            return (
                f"out of memory even with one tile at a time ({error}); choose a smaller "
                "tiles.size, or fewer crew.workers on a machine"
            )
        if failure == "bug":
            return (
                f"unexpected {type(error).__name__}: {error}; "
                f"`dreamfarm logs {self._config.job}` has the trace"
            )
        return str(error)


def _backend_opener(address: str | None) -> OpenBackend:
    """Joins the cluster at an address while the job runs; without an address, starts a Ray."""

    @contextmanager
    def open_backend() -> "Iterator[Backend]":
        from jobs.runtime.backend import OWN_RAY, cluster_backend

        if address is None:
            yield OWN_RAY
            return
        from cluster.ray_session import joined_ray

        with joined_ray(address) as ray_crew:
            yield cluster_backend(ray_crew)

    return open_backend


if __name__ == "__main__":
    main()

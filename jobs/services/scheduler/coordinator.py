"""The process that holds one job: started by a scheduler with a lease, gone when it lets go.

A process of its own, since what it drives can take it down: a decoder that crashes, memory that
runs out, and Ray, which ends a driver whose cluster has died. The scheduler lives on.
"""

import functools
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from jobs.records.job import Job, look
from jobs.records.keys import JobKeys, active
from jobs.records.lease import Held, rebuilt
from jobs.runtime.access import Reach
from jobs.runtime.context import Opener, Site, patient_store
from jobs.runtime.control import Control, Stopped
from jobs.runtime.lease_renewer import GONE, Keeper
from jobs.runtime.logs import LOG, facts, log_lines
from jobs.runtime.metrics.counters import Meter
from jobs.runtime.metrics.pipe import Mouth
from jobs.runtime.reporter import Reporter
from jobs.runtime.scratch import Stay
from jobs.services.scheduler.coordinator_process import Errand
from jobs.spec.base import Limits
from jobs.store.store import Store
from jobs.text.errors import LeaseLost, RequestError

if TYPE_CHECKING:
    from jobs.planning.machine import Machine
    from jobs.planning.poster import Plan
    from jobs.runtime.backend import Ground


DONE, UNFIT = 0, 76
"""Exit codes, beside the keeper's GONE: the job has ended, or waits for its user or for others."""


Grounds = Callable[[], AbstractContextManager["Ground"]]


def main() -> None:
    """Run the errand on standard input."""
    errand = Errand.decoded(sys.stdin.buffer.read(), "the errand")
    if errand.log == "json":
        log_lines({"job": errand.job, "lease": errand.number, "holder": errand.holder})
    control = Control()
    # The scheduler passes on what it is told itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: control.ask("drain"))
    signal.signal(signal.SIGUSR1, lambda *_: control.ask("yield"))
    opener = functools.partial(patient_store, errand.store)
    coordinator = Coordinator(errand, control, opener, _grounds(errand.ray))
    sys.exit(coordinator.run(dies_with=os.getppid()))


class Coordinator:
    """Holds the job of an errand until it has ended or somebody else is to go on.

    opener: the way to the store, for this process and for the workers, whose machines hold the
    credentials. grounds: gives, for as long as the job is held, a place to work.
    """

    def __init__(self, errand: Errand, control: Control, opener: Opener, grounds: Grounds) -> None:
        self._errand, self._control, self._grounds = errand, control, grounds
        self._keys = JobKeys(errand.job)
        self._reach = Reach((errand.store, *errand.allow))
        self._site = Site(opener, errand.job, errand.number, errand.scratch, reach=self._reach)

    def run(self, dies_with: int | None = None) -> int:
        """Returns the exit code that tells the scheduler when to try this job again.

        dies_with: a process; when it is gone, the holder leaves too.
        """
        errand, store = self._errand, self._site.store
        held, kept = self._held(store), self._held(store.impatient())
        meter = Meter() if errand.mouth is None else Meter(Mouth(errand.mouth))
        reporter = Reporter(self._site, look(store, errand.job).intent.generation, meter)
        reporter.note("claimed", lease=errand.number, holder=errand.holder)
        # Members on this machine leave what they committed, for whoever encodes it here.
        stay = Stay(errand.scratch)
        try:
            keeper = Keeper(store.impatient(), kept, self._control, reporter, dies_with=dies_with)
            with reporter.listening():
                with keeper:
                    code = self._ended(store, held, reporter)
                return self._parted(store, held, reporter, code)
        except LeaseLost:
            return GONE
        finally:
            meter.tell()
            stay.end()
            shutil.rmtree(errand.scratch, ignore_errors=True)

    def _held(self, store: Store) -> Held:
        """The lease, by one way to the store."""
        errand = self._errand
        return rebuilt(store, self._keys, errand.number, errand.token, errand.holder, errand.ttl)

    def _ended(self, store: Store, held: Held, reporter: Reporter) -> int:
        """Render, and say how it ended."""
        from jobs.runtime.failures import ELSEWHERE, failure_of, trace_of, verdict

        try:
            self._render(look(store, self._errand.job), store, held, reporter)
        except Stopped as stopped:
            reporter.note(stopped.want)
            if stopped.want == "lost":
                raise LeaseLost(self._errand.job) from stopped
            return GONE if stopped.want == "drain" else DONE
        except ELSEWHERE as unfit:
            reporter.give_reason(str(unfit))
            reporter.note("let go", reason=str(unfit))
            return UNFIT
        except Exception as error:  # noqa: BLE001 - classed, and told to the user
            # Whoever has lost the lease may well fail for that alone.
            held.check()
            kind = failure_of(error)
            LOG.error("%s failure: %s", kind, trace_of(error), extra=facts(failure=kind))
            if verdict(error, losses=sys.maxsize, is_frugal=True) == "fail":
                reporter.give_reason(_told(error, kind), kind)
                reporter.note("failed", reason=str(error), failure=kind)
                return DONE
            reporter.give_reason(str(error))
            reporter.note("let go", reason=str(error))
            return GONE
        return DONE

    def _render(self, job: Job, store: Store, held: Held, reporter: Reporter) -> None:
        with self._grounds() as ground:
            if job.is_dataset:
                self._hold_dataset(job, store, held, reporter, ground)
            else:
                self._hold_poster(job, store, held, reporter, ground)

    def _hold_poster(
        self, job: Job, store: Store, held: Held, reporter: Reporter, ground: "Ground"
    ) -> None:
        from jobs.planning.estimate.conditions import usefully_crewed
        from jobs.poster.runner import Holding

        plan = self._planned(job, store)
        if ground.reserve is not None:
            plan = usefully_crewed(plan, ground.gpus)
        plan.disk.check(self._errand.scratch)
        Holding(
            plan,
            job.spec.spec,
            replace(self._site, blobs=job.spec.blobs),
            held,
            ground.crew,
            self._control,
            reporter,
            self._errand.checkpoint_seconds,
            ground.reserve,
            self._errand.regroup,
        ).run()

    def _hold_dataset(
        self, job: Job, store: Store, held: Held, reporter: Reporter, ground: "Ground"
    ) -> None:
        from jobs.dataset.inputs.access import check_within
        from jobs.dataset.runner import DatasetHolding
        from jobs.dataset.staging import as_fixed, plan_here
        from jobs.runtime.environment import FixedPlan
        from jobs.runtime.staging import cache_folder

        plan = plan_here(store, job.spec, job.terms, self._machine(), cache_folder())
        self._check_limits(plan.spec.limits)
        were_sent = store.local(self._keys.spec) is None
        check_within(plan.spec.inputs, self._reach, were_sent=were_sent)
        fixed = FixedPlan.read_or_none(store, self._keys.plan)
        if fixed is not None:
            plan = as_fixed(plan, fixed)
        DatasetHolding(
            plan,
            job.spec.spec,
            self._site,
            held,
            ground.pool,
            self._control,
            reporter,
            job.intent,
        ).run()

    def _planned(self, job: Job, store: Store) -> "Plan":
        """The plan on this machine, with what the first holder has fixed."""
        from jobs.planning.poster import make_plan
        from jobs.poster.staging import spec_here
        from jobs.runtime.environment import FixedPlan
        from jobs.runtime.staging import cache_folder

        spec = spec_here(store, job.spec, job.terms, cache_folder())
        self._check_limits(spec.limits)
        plan = make_plan(spec, self._machine())
        fixed = FixedPlan.read_or_none(store, self._keys.plan)
        if fixed is None or fixed.plan["precision"] == plan.precision:
            return plan
        same = spec.model_copy(update={"precision": fixed.plan["precision"]})
        return replace(make_plan(same, self._machine()), identity=plan.identity)

    def _check_limits(self, limits: Limits) -> None:
        """RequestError where a job allows itself more than the operator allows."""
        most = self._errand.max_pixels
        if limits.max_pixels > most:
            raise RequestError(
                f"limits.max_pixels: {limits.max_pixels} is more than this `work` allows, {most}; "
                "submit the job with less, or start `work` with a larger --max-pixels"
            )

    def _machine(self) -> "Machine":
        from jobs.planning.machine import this_machine

        errand = self._errand
        return replace(this_machine(), cores=errand.cores, gpus=errand.gpus, memory=errand.memory)

    def _parted(self, store: Store, held: Held, reporter: Reporter, code: int) -> int:
        """The last words: what became of the job, then the lease back, then the marker away."""
        reporter.tell(store)
        held.release()
        job = look(store, self._errand.job)
        if job.state in ("succeeded", "failed", "cancelled"):
            store.delete([active(job.id, job.intent.generation)])
        return code


def _grounds(address: str | None) -> Grounds:
    """The cluster at an address, joined as long as the job is held, or a Ray of its own."""

    @contextmanager
    def grounds() -> "Iterator[Ground]":
        from jobs.runtime.backend import OWN_RAY, cluster_ground

        if address is None:
            yield OWN_RAY
            return
        from cluster.ray_session import joined_ray

        with joined_ray(address) as ray_crew:
            yield cluster_ground(ray_crew)

    return grounds


def _told(error: Exception, kind: str) -> str:
    if kind == "memory":
        return (
            f"out of memory even with one tile at a time ({error}); choose a smaller tiles.size, "
            "or fewer crew.workers on a machine"
        )
    if kind == "bug":
        return f"unexpected {type(error).__name__}: {error}; `dreamfarm logs` has the trace"
    return str(error)


if __name__ == "__main__":
    main()

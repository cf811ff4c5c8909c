"""A job in the hands of its holder, from the lease to the manifest."""

import functools
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cluster.crew import Crew
from cluster.errors import Interrupted
from jobs.planning.octave import LEAST_SECONDS
from jobs.planning.poster import Plan
from jobs.planning.source import Source
from jobs.poster.manifest import manifest
from jobs.poster.octave_loop import Climb, progress
from jobs.poster.outputs import encoding_use, write_outputs
from jobs.poster.worker_setup import decoded_slots, recipe, worker
from jobs.records.lease import Held
from jobs.records.record import read_mapping
from jobs.runtime.backend import Start, berth_of, use_of
from jobs.runtime.checkpoints import Checkpoints, Commit
from jobs.runtime.context import Site
from jobs.runtime.control import Control, Stopped
from jobs.runtime.elastic_sizing import REGROUP, Muster, StartReserve
from jobs.runtime.environment import FILES, FixedPlan, Machinery, fix, software
from jobs.runtime.failures import failure_of, verdict, worker_of
from jobs.runtime.logs import EVENTS, LOG, facts
from jobs.runtime.manifest import Written, encoded
from jobs.runtime.metrics.progress import Progress
from jobs.runtime.metrics.timings import Measured
from jobs.runtime.reporter import Reporter
from jobs.text.errors import Unfit


class Holding:
    """One holder's work on one job.

    document: the spec as it was asked for. start: where its crews come from. control: what it is
    asked to do meanwhile. reserve: on a cluster, how berths are asked for; there a crew starts with
    those that there are, and grows to the plan's workers. regroup: see REGROUP.
    """

    def __init__(
        self,
        plan: Plan,
        document: dict[str, Any],
        site: Site,
        held: Held,
        start: Start,
        control: Control,
        reporter: Reporter,
        checkpoint_seconds: float = LEAST_SECONDS,
        reserve: StartReserve | None = None,
        regroup: float = REGROUP,
    ) -> None:
        self._plan, self._document, self._site, self._held = plan, document, site, held
        self._most, self._use = plan.workers, use_of(plan)
        self._muster = Muster(reserve, control, regroup=regroup)
        self._start, self._control, self._reporter = start, control, reporter
        self._checkpoints = Checkpoints(site, held.check, checkpoint_seconds)
        self._used: Machinery | None = None

    def run(self) -> dict[str, Any]:
        """Render what is left to render; returns the manifest, which is then in the store.

        Crews that are lost are replaced. Raises Stopped where the holder was asked to leave,
        LeaseLost, and what makes the job fail or go back to the queue.
        """
        clock, started = _Clock(), datetime.now(UTC)
        self._checkpoints.take_over()
        newest, losses = self._checkpoints.newest, 0
        if newest is not None:
            self._reporter.note("goes on", octave=newest.octave + 1, step=newest.step)
        while True:
            before = self._reporter.status().done
            try:
                return self._finish(*self._attempt(clock), started, clock)
            except Stopped as stopped:
                if stopped.want != "regroup":
                    raise
                losses = 0
            except Exception as error:  # noqa: BLE001 - classed here, and raised unless it passes
                losses = 1 if self._reporter.status().done > before else losses + 1
                self._recover(error, losses)

    def _recover(self, error: Exception, losses: int) -> None:
        """Make ready for another crew, or raise."""
        decided = verdict(error, losses, is_frugal=self._plan.memory.is_frugal)
        if decided not in ("again", "frugally"):
            raise error
        if self._control.wanted:
            raise self._control.stopped() from error
        at_fault = worker_of(error)
        said = "%s: the crew ends (%s)"
        LOG.warning(said, type(error).__name__, error, extra=facts(**at_fault))
        self._reporter.note("crew lost", reason=str(error), then=decided, **at_fault)
        self._reporter.meter.retried(failure_of(error))
        if decided == "frugally":
            self._plan = replace(self._plan, memory=self._plan.memory.frugal())
        self._held.check()
        self._checkpoints.find_again()

    def _attempt(self, clock: "_Clock") -> tuple[list[Written], Machinery]:
        if self._dreamed is None:
            try:
                self._dream(clock)
            except Interrupted as interrupted:
                raise self._control.stopped() from interrupted
        return self._encoded(clock)

    @property
    def _dreamed(self) -> Commit | None:
        """The commit after the last step of the last octave; None where it is still to come."""
        newest, last = self._checkpoints.newest, len(self._plan.octaves) - 1
        steps = self._plan.spec.dream.steps
        is_last = newest is not None and (newest.octave, newest.step) == (last, steps)
        return newest if is_last else None

    def _dream(self, clock: "_Clock") -> None:
        """With a crew, which then goes, and with it what it had of the machines."""
        self._reporter.uses(self._use)
        plan, berth = self._gathered(), berth_of(self._plan)
        site = replace(self._site, companions=plan.digests)
        known = recipe(plan, site)
        arguments = [(known, site, member) for member in range(plan.workers)]
        with self._start(plan, worker, arguments) as crew, self._control.over(crew):
            self._fix(crew)
            self._take_in(crew, clock)
            clock.begin("dream")
            watch = functools.partial(self._watch, crew)
            climb = Climb(plan, known, crew, self._checkpoints, self._control, watch)
            with self._muster.around(crew, berth, self._most):
                climb.run()
            self._measure(crew)
        self._reporter.note("dreamed", checkpoint_seconds=round(self._checkpoints.spent, 2))

    def _encoded(self, clock: "_Clock") -> tuple[list[Written], Machinery]:
        """Without a crew, from the final commit, whoever made it; and what that computed with."""
        plan, final = self._plan, self._dreamed
        if final is None:
            raise ValueError("a dream ends with a commit")
        clock.begin("encode")
        self._reporter.crew(0)
        self._reporter.uses(encoding_use(plan))
        self._reporter.watch(progress(plan, "encode", len(plan.octaves), 0))
        used = self._used or self._made_with()
        canvas = self._checkpoints.canvas(final, plan.grids[-1])
        return write_outputs(plan, self._site, canvas, self._look), used

    def _look(self) -> None:
        """Raises Stopped where there is no time for the files; others can make them."""
        if self._control.must_leave:
            raise self._control.stopped()

    def _gathered(self) -> Plan:
        """The plan for the crew that there is room for."""
        size = self._muster.gather(berth_of(self._plan), self._most)
        if size != self._plan.workers:
            self._plan = self._plan.crewed(size)
        self._reporter.crew(size)
        self._reporter.note("crew", workers=size)
        return self._plan

    def _watch(self, crew: Crew, seen: Progress) -> None:
        self._reporter.watch(seen)
        if self._reporter.meter.is_due:
            self._measure(crew)
        self._muster.look(self._reporter.status().eta_seconds, self._checkpoints.cost)

    def _measure(self, crew: Crew) -> None:
        """Ask the members what they have measured, which is no reason to leave without a commit."""
        with self._control.shielded():
            found: dict[int, Measured] = crew.call("measured", dict.fromkeys(range(crew.size), ()))
        meter = self._reporter.meter
        meter.checkpointed(self._checkpoints.count, self._checkpoints.spent)
        meter.measured(found)

    def _fix(self, crew: Crew) -> None:
        """See that this crew goes on with the bytes that the first one began."""
        all_used: dict[int, Machinery] = crew.call("machinery", dict.fromkeys(range(crew.size), ()))
        used = all_used[0]
        for member, other in all_used.items():
            EVENTS.info("worker", extra=facts(event="worker", worker=member, device=other.name))
            if (other.kind, other.software) != (used.kind, used.software):
                raise Unfit(
                    f"{self._site.job}: worker {member} has {other.kind} and {other.software}, "
                    f"worker 0 {used.kind} and {used.software}; a crew of one kind makes the bytes"
                )
        mine = FixedPlan(plan=self._plan.pixels(), device=used.kind, software=used.software)
        any_device = self._plan.spec.crew.any_device
        fix(self._site.store, self._site.keys, mine, any_device=any_device)
        self._check_files(used)
        self._used = used

    def _made_with(self) -> Machinery:
        """What the crews computed with that came before, of whose canvas files are to be made."""
        store, keys = self._site.store, self._site.keys
        begun = FixedPlan.read(store, keys.plan)
        found = Machinery(begun.device, begun.device, begun.software)
        self._check_files(found)
        return found

    def _check_files(self, used: Machinery) -> None:
        """See that this process would make the same files as the machines that dream."""
        here = software(FILES)
        there = {name: used.software.get(name) for name in here}
        if here != there and not self._plan.spec.crew.any_device:
            raise Unfit(
                f"{self._site.job}: is dreamed with {there}, and files would be written with "
                f"{here}; install the same on all machines"
            )

    def _take_in(self, crew: Crew, clock: "_Clock") -> None:
        """Decode the input and the masks, unless an earlier holder has."""
        plan, keys = self._plan, self._site.keys
        if not self._is_there(keys.input, plan.source):
            clock.begin("decode")
            self._reporter.watch(progress(plan, "decode", 0, 0))
            crew.call("take_in", {0: (plan.spec,)})
        for number, path in enumerate(plan.masks):
            if not self._is_there(keys.mask(number), plan.companions[path]):
                clock.begin("decode")
                crew.call("take_in_mask", {0: (path, number, plan.spec.limits.max_pixels)})

    def _is_there(self, key: str, source: Source) -> bool:
        there = {entry.key: entry.size for entry in self._site.store.entries(key)}
        return there.get(key) == decoded_slots(source).length

    def _finish(
        self, written: list[Written], used: Machinery, started: datetime, clock: "_Clock"
    ) -> dict[str, Any]:
        """The manifest, unless another holder was there first: then theirs, which counts."""
        store, keys = self._site.store, self._site.keys
        folder = keys.outputs(self._site.number).removeprefix(keys.folder)
        content = manifest(
            self._plan, used, self._document, folder, written, started, clock.seconds()
        )
        self._held.check()
        if store.put_if_absent(keys.manifest, encoded(content)):
            self._reporter.note("succeeded")
        return read_mapping(store, keys.manifest) or content


class _Clock:
    """Wall seconds by phase, each until the next begins."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._began = now, now()
        self._phase, self._since = "start", self._began
        self._spent: dict[str, float] = {}

    def begin(self, phase: str) -> None:
        self._close()
        self._phase = phase

    def seconds(self) -> dict[str, float]:
        self._close()
        return {**self._spent, "total": self._now() - self._began}

    def _close(self) -> None:
        now = self._now()
        self._spent[self._phase] = self._spent.get(self._phase, 0.0) + now - self._since
        self._since = now

"""Runs a poster: a crew dreams until the final checkpoint; then files are encoded without it."""

import functools
from dataclasses import replace
from typing import Any

from cluster.crew import Crew
from cluster.errors import CallCancelled
from jobs.planning.octave import MIN_CHECKPOINT_SECONDS
from jobs.planning.poster import PosterPlan
from jobs.planning.source import PictureInfo
from jobs.poster.octave_loop import OctaveLoop, poster_progress
from jobs.poster.outputs import (
    encoding_resources,
    output_document,
    poster_manifest,
    write_outputs,
)
from jobs.poster.worker_setup import create_worker, decoded_layout, shard_setup
from jobs.runtime.backend import StartCrew, plan_resources, worker_resources
from jobs.runtime.checkpoints import Checkpoints, Commit
from jobs.runtime.elastic_sizing import MIN_GAIN, CrewSizer, StartReservation
from jobs.runtime.environment import FILE_SOFTWARE, Environment, PinnedPlan, software_versions
from jobs.runtime.failures import RetryDecision
from jobs.runtime.logs import EVENTS, log_fields
from jobs.runtime.metrics.counters import WorkerTimings
from jobs.runtime.metrics.progress import Progress
from jobs.runtime.runner import JobRunner, RunContext
from jobs.text.errors import MachineMismatch


class PosterRunner(JobRunner):
    """Runs one poster under one lease."""

    workers = "crew"

    def __init__(
        self,
        run: RunContext,
        plan: PosterPlan,
        start: StartCrew,
        reserve: StartReservation | None = None,
        checkpoint_seconds: float = MIN_CHECKPOINT_SECONDS,
        min_gain: float = MIN_GAIN,
    ) -> None:
        """Prepare the run.

        Args:
            start: starts a crew.
            reserve: asks the cluster for resources. A crew starts with those that are granted, and
                grows up to the plan's workers. None starts the whole crew at once.
            checkpoint_seconds: the shortest time between two checkpoints of one octave.
            min_gain: see MIN_GAIN.
        """
        super().__init__(run)
        self._plan, self._start = plan, start
        self._max_workers, self._use = plan.workers, plan_resources(plan)
        self._sizer = CrewSizer(reserve, run.control, min_gain=min_gain)
        self._checkpoints = Checkpoints(run.context, run.lease.check, checkpoint_seconds)
        self._used: Environment | None = None

    def _take_over(self) -> None:
        self._checkpoints.take_over()
        newest = self._checkpoints.newest
        if newest is not None:
            self._run.reporter.add_event("goes on", octave=newest.octave + 1, step=newest.step)

    def _work_done(self) -> float:
        return self._run.reporter.status().done

    def _is_frugal(self) -> bool:
        return self._plan.memory.is_frugal

    def _loss_details(self, decision: RetryDecision) -> dict[str, str]:
        return {"then": decision}

    def _prepare_retry(self, decision: RetryDecision) -> None:
        if decision == "frugally":
            self._plan = replace(self._plan, memory=self._plan.memory.frugal())
        self._checkpoints.reload()

    def _attempt(self) -> tuple[str, dict[str, Any]]:
        if self._final_commit is None:
            try:
                self._dream()
            except CallCancelled as cancelled:
                raise self._run.control.stopped() from cancelled
        return self._run.context.keys.manifest, self._write_files()

    @property
    def _final_commit(self) -> Commit | None:
        """The commit after the last step of the last octave, if it exists."""
        newest, last = self._checkpoints.newest, len(self._plan.octaves) - 1
        steps = self._plan.spec.dream.steps
        is_last = newest is not None and (newest.octave, newest.step) == (last, steps)
        return newest if is_last else None

    def _dream(self) -> None:
        """Dream all octaves with a crew. The crew and its resources are released at the end."""
        reporter, control = self._run.reporter, self._run.control
        reporter.use_resources(self._use)
        plan, resources = self._fit_to_cluster(), worker_resources(self._plan)
        context = replace(self._run.context, attachments=plan.attachment_digests)
        setup = shard_setup(plan, context)
        arguments = [(setup, context, member) for member in range(plan.workers)]
        with self._start(plan, create_worker, arguments) as crew, control.cancelling(crew):
            self._check_workers(crew)
            self._ingest(crew)
            self._clock.begin("dream")
            watch = functools.partial(self._watch, crew)
            loop = OctaveLoop(plan, setup, crew, self._checkpoints, control, watch)
            with self._sizer.resizing(crew, resources, self._max_workers):
                loop.run()
            self._collect_timings(crew)
        reporter.add_event("dreamed", checkpoint_seconds=round(self._checkpoints.spent, 2))

    def _fit_to_cluster(self) -> PosterPlan:
        """Wait for workers, and change the plan to their number."""
        size = self._sizer.wait_for_workers(worker_resources(self._plan), self._max_workers)
        if size != self._plan.workers:
            self._plan = self._plan.with_workers(size)
        self._run.reporter.set_workers(size)
        self._run.reporter.add_event("crew", workers=size)
        return self._plan

    def _check_workers(self, crew: Crew) -> None:
        """Check that all workers make the same bytes as the crew that began the job.

        Raises MachineMismatch.
        """
        all_used: dict[int, Environment] = crew.call(
            "environment", dict.fromkeys(range(crew.size), ())
        )
        used = all_used[0]
        for member, other in all_used.items():
            EVENTS.info(
                "worker", extra=log_fields(event="worker", worker=member, device=other.name)
            )
            if (other.kind, other.software) != (used.kind, used.software):
                raise MachineMismatch(
                    f"{self._run.context.job}: worker {member} has {other.kind} and "
                    f"{other.software}, worker 0 has {used.kind} and {used.software}; "
                    "all workers need the same device and software"
                )
        any_device = self._plan.spec.crew.any_device
        self._run.pin(self._plan.pixel_settings(), used, any_device=any_device)
        self._check_file_software(used)
        self._used = used

    def _ingest(self, crew: Crew) -> None:
        """Decode the input and the masks, unless an earlier holder has."""
        plan, keys = self._plan, self._run.context.keys
        if not self._is_ingested(keys.input, plan.source):
            self._clock.begin("decode")
            self._run.reporter.set_progress(poster_progress(plan, "decode", 0, 0))
            crew.call("ingest_input", {0: (plan.spec,)})
        for number, path in enumerate(plan.masks):
            if not self._is_ingested(keys.mask(number), plan.attachments[path]):
                self._clock.begin("decode")
                crew.call("ingest_mask", {0: (path, number, plan.spec.limits.max_pixels)})

    def _is_ingested(self, key: str, source: PictureInfo) -> bool:
        sizes = {entry.key: entry.size for entry in self._run.context.store.list_objects(key)}
        return sizes.get(key) == decoded_layout(source).size_bytes

    def _watch(self, crew: Crew, progress: Progress) -> None:
        """Report the progress after a step, and ask for another crew if that pays."""
        self._run.reporter.set_progress(progress)
        if self._run.reporter.counters.is_due:
            self._collect_timings(crew)
        self._sizer.check(self._run.reporter.status().eta_seconds, self._checkpoints.cost)

    def _collect_timings(self, crew: Crew) -> None:
        """Query the workers' timings. Requests to stop wait for the answer."""
        with self._run.control.shielded():
            found: dict[int, WorkerTimings] = crew.call(
                "timings", dict.fromkeys(range(crew.size), ())
            )
        counters = self._run.reporter.counters
        counters.set_checkpoints(self._checkpoints.count, self._checkpoints.spent)
        counters.add_timings(found)

    def _write_files(self) -> dict[str, Any]:
        """Encode the files from the final commit, without a crew. Returns the manifest."""
        plan, final, context = self._plan, self._final_commit, self._run.context
        if final is None:
            raise ValueError("files need the final commit: dream first")
        self._clock.begin("encode")
        reporter = self._run.reporter
        reporter.set_workers(0)
        reporter.use_resources(encoding_resources(plan))
        reporter.set_progress(poster_progress(plan, "encode", len(plan.octaves), 0))
        used = self._used or self._pinned_environment()
        canvas = self._checkpoints.canvas(final, plan.grids[-1])
        files = write_outputs(plan, context, canvas, self._stop_if_urgent)
        folder = context.keys.outputs(context.number).removeprefix(context.keys.folder)
        outputs = [output_document(plan, folder, file) for file in files]
        seconds = self._clock.seconds()
        return poster_manifest(plan, used, self._run.document, outputs, self._started, seconds)

    def _stop_if_urgent(self) -> None:
        """Raise Stopped if there is no time for the files. Another holder can write them."""
        if self._run.control.must_stop_now:
            raise self._run.control.stopped()

    def _pinned_environment(self) -> Environment:
        """The environment in which earlier crews computed the canvas. Raises MachineMismatch."""
        pinned = PinnedPlan.read(self._run.context.store, self._run.context.keys.plan)
        found = Environment(pinned.device, pinned.device, pinned.software)
        self._check_file_software(found)
        return found

    def _check_file_software(self, used: Environment) -> None:
        """Check that this process encodes the same files as the crew would.

        Raises MachineMismatch.
        """
        here = software_versions(FILE_SOFTWARE)
        there = {name: used.software.get(name) for name in here}
        if here != there and not self._plan.spec.crew.any_device:
            raise MachineMismatch(
                f"{self._run.context.job}: the crew has {there}, but this process has {here}, "
                "which may write other files; install the same software on all machines"
            )

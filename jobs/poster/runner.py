"""Runs a poster: a crew dreams until the final checkpoint; then files are encoded without it."""

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cluster.crew import Crew
from cluster.errors import CallCancelled
from jobs.planning.octave import MIN_CHECKPOINT_SECONDS
from jobs.planning.poster import PosterPlan
from jobs.poster.octave_loop import OctaveLoop, poster_progress
from jobs.poster.outputs import (
    encoding_resources,
    output_document,
    poster_manifest,
    write_draft,
    write_outputs,
)
from jobs.poster.worker_setup import base_layouts, create_worker, decoded_layout, shard_setup
from jobs.records.state import Intent
from jobs.runtime.backend import StartCrew, plan_resources, worker_resources
from jobs.runtime.checkpoints import Checkpoints, Commit, Damage, find_damage
from jobs.runtime.control import Stopped
from jobs.runtime.elastic_sizing import MIN_GAIN, CrewSizer, StartReservation
from jobs.runtime.environment import FILE_SOFTWARE, Environment, PinnedPlan, software_versions
from jobs.runtime.failures import RetryDecision
from jobs.runtime.logs import EVENTS, log_fields
from jobs.runtime.metrics.counters import WorkerTimings
from jobs.runtime.metrics.progress import Progress
from jobs.runtime.runner import JobRunner, RunContext
from jobs.runtime.spending import WorkerShape
from jobs.text.errors import MachineMismatch
from render.pictures.tiled_image import TiledImage, TileLayout

_MAX_REPAIRS = 20
"""Damaged objects that one holder does without. After more, the job goes back to the queue, for
another machine: this one is bad."""


class PosterRunner(JobRunner):
    """Runs one poster under one lease."""

    group_name = "crew"

    def __init__(
        self,
        run_context: RunContext,
        plan: PosterPlan,
        start_crew: StartCrew,
        reserve: StartReservation | None = None,
        checkpoint_seconds: float = MIN_CHECKPOINT_SECONDS,
        min_gain: float = MIN_GAIN,
    ) -> None:
        """Prepare the run.

        Args:
            start_crew: starts a crew.
            reserve: asks the cluster for resources. A crew starts with those that are granted, and
                grows up to the plan's workers. None starts the whole crew at once.
            checkpoint_seconds: the shortest time between two checkpoints of one octave.
            min_gain: see MIN_GAIN.
        """
        super().__init__(run_context)
        self._plan, self._start_crew = plan, start_crew
        self._max_workers, self._resources = plan.workers, plan_resources(plan)
        self._sizer = CrewSizer(reserve, run_context.control, min_gain=min_gain)
        keeps = run_context.job_context.keeps_octaves
        self._checkpoints = Checkpoints(
            run_context.job_context,
            run_context.lease.check,
            checkpoint_seconds,
            kept_step=plan.spec.dream.steps if keeps else None,
        )
        self._environment: Environment | None = None
        self._repairs = 0

    def _take_over(self) -> None:
        for damage in self._checkpoints.take_over():
            self._report_damage(damage, self._checkpoints.goes_on())
        newest = self._checkpoints.newest
        if newest is not None:
            self._run_context.reporter.add_event(
                "goes on", octave=newest.octave + 1, step=newest.step
            )

    def _work_done(self) -> float:
        return self._run_context.reporter.status().done

    def _is_frugal(self) -> bool:
        return self._plan.memory.is_frugal

    def _loss_details(self, decision: RetryDecision) -> dict[str, str]:
        return {"then": decision}

    def _repair(self, error: Exception) -> bool:
        """Skip a damaged shard; delete a damaged input or mask, so that it is decoded again."""
        damage = find_damage(error, self._run_context.job_context.keys)
        if damage is None or not self._may_repair():
            return False
        self._report_damage(damage, self._checkpoints.discard(damage.key))
        return True

    def _may_repair(self) -> bool:
        """Count a repair. Says whether there were not too many."""
        self._repairs += 1
        return self._repairs <= _MAX_REPAIRS

    def _report_damage(self, damage: Damage, then: str) -> None:
        reporter = self._run_context.reporter
        reporter.warn(f"{damage.reason}; {then}")
        reporter.add_event("damaged", object=damage.key, reason=damage.reason, then=then)

    def _prepare_retry(self, decision: RetryDecision) -> None:
        if decision == "frugally":
            self._plan = replace(self._plan, memory=self._plan.memory.frugal())
        self._checkpoints.reload()

    def _attempt(self) -> tuple[str, dict[str, Any]]:
        if self._final_commit is None and not self._is_drafted:
            try:
                self._dream()
            except CallCancelled as cancelled:
                raise self._run_context.control.acknowledge() from cancelled
        if self._final_commit is None:
            raise self._draft()
        return self._run_context.job_context.keys.manifest, self._write_files()

    @property
    def _final_commit(self) -> Commit | None:
        """The commit after the last step of the last octave, if it exists."""
        newest, last = self._checkpoints.newest, len(self._plan.octaves) - 1
        steps = self._plan.spec.dream.steps
        is_last = newest is not None and (newest.octave, newest.step) == (last, steps)
        return newest if is_last else None

    def _until(self) -> int | None:
        """How many octaves the user wants for now; None for all. It may change at any time."""
        context = self._run_context.job_context
        intent = Intent.read_or_none(context.store, context.keys.intent)
        return None if intent is None else intent.until

    @property
    def _dreamed(self) -> int:
        """How many octaves are dreamed to their last step."""
        newest = self._checkpoints.newest
        if newest is None:
            return 0
        return newest.octave + (newest.step == self._plan.spec.dream.steps)

    @property
    def _is_drafted(self) -> bool:
        """Whether all octaves that the user wants for now are dreamed."""
        until = self._until()
        return until is not None and self._dreamed >= until

    def _draft(self) -> Stopped:
        """Write the picture of the newest commit, and report the draft. Returns what to raise."""
        plan, newest, context = self._plan, self._checkpoints.newest, self._run_context.job_context
        if newest is None:
            raise ValueError("a draft needs a commit: dream first")
        octaves, reporter = newest.octave + 1, self._run_context.reporter
        canvas = self._canvas(newest)
        write_draft(plan, context, canvas, octaves, self._stop_if_urgent)
        reporter.set_workers(0)
        reporter.set_draft(
            self._dreamed,
            f"the draft is ready, octave {octaves} of {len(plan.octaves)}; "
            f"`dreamfarm finish {plan.identity.job_id}` goes on",
        )
        return Stopped("draft")

    def _older_canvases(self) -> Mapping[int, TiledImage]:
        """The canvases of the older picture that a redo needs, by octave."""
        return {}

    def _canvas(self, commit: Commit) -> TiledImage:
        """The whole canvas of a commit."""
        canvas = self._checkpoints.canvas(commit, self._plan.grids[commit.octave])
        if canvas.grid.region is None:
            return canvas
        return replace(canvas, below=self._older_canvases()[commit.octave])

    def _show(self, progress: Progress) -> None:
        """Report the progress."""
        self._run_context.report_progress(progress)

    def _dream(self) -> None:
        """Dream all octaves with a crew. The crew and its resources are released at the end."""
        older = self._older_canvases()
        reporter, control = self._run_context.reporter, self._run_context.control
        reporter.use_resources(self._resources)
        plan, resources = self._fit_to_cluster(), worker_resources(self._plan)
        context = replace(self._run_context.job_context, attachment_digests=plan.attachment_digests)
        setup = shard_setup(plan, context, older)
        arguments = [(setup, context, member) for member in range(plan.workers)]
        shape = WorkerShape(plan.gpus_per_worker, plan.spec.crew.cpus_each)
        with (
            self._run_context.paying(plan.workers, shape, plan.spec.limits),
            self._start_crew(plan, create_worker, arguments) as crew,
            control.cancelling(crew),
        ):
            self._check_workers(crew)
            self._ingest(crew)
            self._clock.begin("dream")
            watch = functools.partial(self._report_progress, crew)
            loop = OctaveLoop(plan, setup, crew, self._checkpoints, control, watch)
            with self._sizer.resizing(crew, resources, self._max_workers):
                loop.run(self._until)
            self._collect_timings(crew)
        reporter.add_event("dreamed", checkpoint_seconds=round(self._checkpoints.total_seconds, 2))

    def _fit_to_cluster(self) -> PosterPlan:
        """Wait for workers, and change the plan to their number."""
        size = self._sizer.wait_for_workers(worker_resources(self._plan), self._max_workers)
        if size != self._plan.workers:
            self._plan = self._plan.with_workers(size)
        self._run_context.reporter.set_workers(size)
        self._run_context.reporter.add_event("crew", workers=size)
        return self._plan

    def _check_workers(self, crew: Crew) -> None:
        """Check that all workers make the same bytes as the crew that began the job.

        Raises MachineMismatch, also if a price must be known and is not.
        """
        environments: dict[int, Environment] = crew.call(
            "environment", dict.fromkeys(range(crew.size), ())
        )
        environment = environments[0]
        self._run_context.reporter.spending.know_device(environment.device_name)
        for member, other in environments.items():
            EVENTS.info(
                "worker", extra=log_fields(event="worker", worker=member, device=other.device_name)
            )
            kind, software = environment.device_kind, environment.software
            if (other.device_kind, other.software) != (kind, software):
                raise MachineMismatch(
                    f"{self._plan.identity.job_id}: worker {member} has {other.device_kind} and "
                    f"{other.software}, worker 0 has {kind} and {software}; "
                    "all workers need the same device and software"
                )
        if self._plan.spec.precision == "auto":
            self._run_context.check_auto_precision(self._plan.precision, environment)
        any_device = self._plan.spec.crew.any_device
        self._run_context.pin(self._plan.pixel_settings(), environment, any_device=any_device)
        self._check_file_software(environment)
        self._environment = environment

    def _ingest(self, crew: Crew) -> None:
        """Decode the input and the masks, unless an earlier holder has."""
        plan, keys = self._plan, self._run_context.job_context.keys
        decoded = {keys.input: decoded_layout(plan.source)}
        bases = base_layouts(plan)
        decoded.update({keys.input_base(octave): layout for octave, layout in bases.items()})
        if not all(self._is_stored(key, layout) for key, layout in decoded.items()):
            self._clock.begin("decode")
            self._show(poster_progress(plan, "decode", 0, 0))
            arguments = (plan.spec, plan.octave_sizes, tuple(bases), plan.precision)
            crew.call("ingest_input", {0: arguments})
        for number, path in enumerate(plan.masks):
            layout = decoded_layout(plan.attachments[path])
            if not self._is_stored(keys.mask(number), layout):
                self._clock.begin("decode")
                crew.call("ingest_mask", {0: (path, number, plan.spec.limits.max_pixels)})

    def _is_stored(self, key: str, layout: TileLayout) -> bool:
        sizes = {
            entry.key: entry.size for entry in self._run_context.job_context.store.list_objects(key)
        }
        return sizes.get(key) == layout.size_bytes

    def _report_progress(self, crew: Crew, progress: Progress) -> None:
        """Report the progress after a step, and ask for another crew if that pays."""
        self._show(progress)
        if self._run_context.reporter.counters.timings_are_due:
            self._collect_timings(crew)
        self._sizer.check(
            self._run_context.reporter.status().eta_seconds, self._checkpoints.last_seconds
        )

    def _collect_timings(self, crew: Crew) -> None:
        """Query the workers' timings. Requests to stop wait for the answer."""
        with self._run_context.control.shielded():
            timings: dict[int, WorkerTimings] = crew.call(
                "timings", dict.fromkeys(range(crew.size), ())
            )
        counters = self._run_context.reporter.counters
        counters.set_checkpoints(self._checkpoints.count, self._checkpoints.total_seconds)
        counters.add_timings(timings)

    def _write_files(self) -> dict[str, Any]:
        """Encode the files from the final commit, without a crew. Returns the manifest."""
        plan, final, context = self._plan, self._final_commit, self._run_context.job_context
        if final is None:
            raise ValueError("files need the final commit: dream first")
        self._clock.begin("encode")
        reporter = self._run_context.reporter
        reporter.set_workers(0)
        reporter.use_resources(encoding_resources(plan))
        reporter.set_progress(poster_progress(plan, "encode", len(plan.octaves), 0))
        environment = self._environment or self._pinned_environment()
        canvas = self._canvas(final)
        files = write_outputs(plan, context, canvas, self._stop_if_urgent)
        folder = context.keys.outputs(context.lease_number).removeprefix(context.keys.folder)
        outputs = [output_document(plan, folder, file) for file in files]
        seconds = self._clock.seconds()
        manifest = poster_manifest(
            plan, environment, self._run_context.document, outputs, self._started, seconds
        )
        return manifest | {"spent": reporter.spending.total.rounded().model_dump(mode="json")}

    def _stop_if_urgent(self) -> None:
        """Raise Stopped if there is no time for the files. Another holder can write them."""
        if self._run_context.control.must_stop_now:
            raise self._run_context.control.acknowledge()

    def _pinned_environment(self) -> Environment:
        """The environment in which earlier crews computed the canvas. Raises MachineMismatch."""
        context = self._run_context.job_context
        pinned = PinnedPlan.read(context.store, context.keys.plan)
        # A plan has no name of the device.
        environment = Environment(
            device_name=pinned.device, device_kind=pinned.device, software=pinned.software
        )
        self._check_file_software(environment)
        return environment

    def _check_file_software(self, environment: Environment) -> None:
        """Check that this process encodes the same files as the crew would.

        Raises MachineMismatch.
        """
        here = software_versions(FILE_SOFTWARE)
        there = {name: environment.software.get(name) for name in here}
        if here != there and not self._plan.spec.crew.any_device:
            raise MachineMismatch(
                f"{self._plan.identity.job_id}: the crew has {there}, but this process has {here}, "
                "which may write other files; install the same software on all machines"
            )

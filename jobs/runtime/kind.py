"""The interface of a kind of job. The registry of kinds is `jobs.services.kinds`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from jobs.planning.octave import MIN_CHECKPOINT_SECONDS
from jobs.records.job import StoredJob
from jobs.runtime.elastic_sizing import MIN_GAIN
from jobs.runtime.garbage import Garbage
from jobs.runtime.metrics.progress import WatchProgress
from jobs.runtime.publish import Target
from jobs.runtime.runner import RunContext
from jobs.runtime.upload import SubmitResult
from jobs.spec.base import Limits
from jobs.spec.redo import RedoRequest
from jobs.store.store import Store
from jobs.text.errors import RequestError
from jobs.text.report import PlanReport, ResultReport

if TYPE_CHECKING:
    from jobs.planning.draft import DraftLimit
    from jobs.planning.estimate.request import EstimateRequest
    from jobs.planning.identity import Identity
    from jobs.planning.machine import Machine
    from jobs.runtime.backend import Backend

Spec = TypeVar("Spec")

FolderOf = Callable[[str], Path]
"""A function that returns the folder for the results of a job, by the job's id."""

TargetOf = Callable[[str], Target]
"""A function that returns the folder for the results of a job, and what may be replaced there."""


@dataclass(frozen=True)
class RunLimits:
    """The limits that a scheduler sets for one job.

    cores, gpus, memory: the job's part of this machine; memory in bytes. max_pixels: of one
    picture. checkpoint_seconds, min_gain: see `PosterRunner`.
    """

    cores: int
    gpus: int
    memory: int
    max_pixels: int
    checkpoint_seconds: float = MIN_CHECKPOINT_SECONDS
    min_gain: float = MIN_GAIN

    def machine(self) -> "Machine":
        """This machine, reduced to the limits."""
        from jobs.planning.machine import this_machine

        # Its cores may belong to several machines, so a worker counts on one.
        return replace(
            this_machine(),
            cores=self.cores,
            gpus=self.gpus,
            memory=self.memory,
            cores_per_worker=1,
        )

    def check(self, limits: Limits) -> None:
        """Raise RequestError if a job's own limits are above those of the operator."""
        if limits.max_pixels > self.max_pixels:
            raise RequestError(
                f"limits.max_pixels: {limits.max_pixels} is more than this `work` allows, "
                f"{self.max_pixels}; submit the job with less, or start `work` with a larger "
                "--max-pixels"
            )


class JobKind(ABC, Generic[Spec]):
    """A kind of job. Messages of errors have one line: what, where, what to do."""

    @abstractmethod
    def plan(
        self, spec: Spec, request: "EstimateRequest", folder_of: FolderOf, *, probe: bool
    ) -> PlanReport:
        """Plan a render on this machine, and estimate its time and cost. Renders nothing.

        Args:
            request: the crews to estimate.
            folder_of: gives the folder for the results.
            probe: whether to measure the speed of this machine.

        Raises:
            RequestError, RenderError: this machine cannot render the spec.
        """

    @abstractmethod
    def identity(self, spec: Spec) -> "Identity":
        """The identity of the job of a spec, whatever this machine can render.

        Raises RequestError or RenderError for a wrong spec, and for files that cannot be read.
        """

    @abstractmethod
    def submit(self, store: Store, spec: Spec, limit: "DraftLimit | None" = None) -> SubmitResult:
        """Put a job into a store, or find it there. The latest run settings and limit count.

        limit: pause after a draft.

        Raises RequestError or RenderError if no machine could render it, and StoreError.
        """

    def redo(self, store: Store, job: StoredJob, request: RedoRequest) -> SubmitResult:
        """Put a job into a store that dreams a part of a succeeded job's picture again.

        Raises RequestError, also if this kind of job has no such part, RenderError and StoreError.
        """
        del store, request
        raise RequestError(f"{job.id}: is a {job.kind}; only a poster can be dreamed again")

    @abstractmethod
    def run(
        self, job: StoredJob, run_context: RunContext, backend: "Backend", limits: RunLimits
    ) -> None:
        """Render the rest of a job, and publish its manifest. Raises like `JobRunner.run`."""

    @abstractmethod
    def render_here(
        self,
        spec: Spec,
        target_of: TargetOf,
        watch: WatchProgress,
        *,
        in_process: bool,
        limit: "DraftLimit | None" = None,
    ) -> ResultReport:
        """Render a spec on this machine into a folder.

        Args:
            target_of: gives the folder for the results, and what may be replaced there.
            watch: gets the progress.
            in_process: render in this process, without Ray.
            limit: stop after a draft, from which the same render goes on.
        """

    @abstractmethod
    def fetch(
        self, store: Store, job: StoredJob, target: Target, formats: Sequence[str]
    ) -> ResultReport:
        """Fetch the results of a succeeded job into a folder.

        formats: values of `--format`; if empty, all results of the job are fetched.

        Raises RequestError, StoreError.
        """

    @abstractmethod
    def garbage(self, store: Store, job: StoredJob, *, include_resumable: bool) -> list[Garbage]:
        """The objects of a job that can be removed from the store.

        include_resumable: include the checkpoints from which a failed or cancelled job could
            resume.
        """

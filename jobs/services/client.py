"""The functions of `import dreamfarm` and the command line: render, plan, a store and its jobs."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from jobs.records.job import find_job_id, list_job_ids
from jobs.records.job_summary import JobSummary, load_summaries
from jobs.records.state import State
from jobs.runtime.publish import Target
from jobs.services.job_handle import DEFAULT_FOLDER, Job
from jobs.services.kinds import kind_of
from jobs.services.spec_source import SpecSource, load_spec
from jobs.spec.kinds import AnySpec
from jobs.store.address import open_existing_store, open_store, open_store_to_fill
from jobs.text.errors import JobsError, RequestError
from jobs.text.report import PlanReport, ResultReport
from render.errors import suggest

if TYPE_CHECKING:
    from jobs.runtime.metrics.progress import WatchProgress
    from jobs.runtime.upload import SubmitResult


def plan(source: SpecSource, *, probe: bool = False, **overrides: Any) -> PlanReport:
    """Plan a render on this machine, without rendering: octaves, tiles, memory and bytes.

    Args:
        source: A spec, a document, or the path of a spec file, a picture or a folder of pictures.
        probe: Whether to measure this machine for ten seconds, to estimate the time of a poster.
        overrides: Spec fields; see `load_spec`.

    Returns:
        The plan; its `document` is a dictionary of plain values.

    Raises:
        RequestError: A field is wrong, or this machine is too small.
        RenderError: The picture is unreadable, or the network or layer does not fit.
    """
    from jobs.planning.estimate.request import EstimateRequest

    spec = load_spec(source, **overrides)
    return kind_of(spec).plan(spec, EstimateRequest(), DEFAULT_FOLDER.joinpath, probe=probe)


def render(
    source: SpecSource,
    out: str | Path | None = None,
    *,
    overwrite: bool = False,
    in_process: bool = False,
    watch: "WatchProgress | None" = None,
    spec_file: str | Path | None = None,
    keep: bool = False,
    until: int | str | None = None,
    **overrides: Any,
) -> ResultReport:
    """Render on this machine into a folder. If interrupted, the same call resumes.

    Args:
        source: A spec, a document, or the path of a spec file, a picture or a folder of pictures.
        out: The folder of the results. Default: `dreams/JOB`.
        overwrite: Replace files in the folder that this job did not make; never its inputs.
        in_process: Render in this process without Ray, as one worker of a small poster does
            anyway. `crew.workers: auto` is then one worker.
        watch: A function that is called with the progress.
        spec_file: The file that `source` was read from; by default `source`, if it is a path.
        keep: Keep the octaves of a poster in the folder, for `dreamfarm redo`.
        until: Stop after a draft: a number of octaves, or a size such as "600px". The same call
            without it goes on from there.
        overrides: Spec fields, such as `size="x2"`; see `load_spec`.

    Returns:
        The results; `document` has their paths, and `manifest` describes the whole job.

    Raises:
        RequestError: A field is wrong, this machine is too small, or a result would replace a file
            that this job did not make.
        RenderError: The picture is unreadable, or the network or layer does not fit.
        ClusterError: The workers failed.
    """
    spec = load_spec(source, **overrides)
    if in_process and spec.crew.workers == "auto":
        spec = load_spec(spec, workers=1)  # several would only take turns
    if spec_file is None and isinstance(source, str | Path):
        spec_file = source

    def target_of(job: str) -> Target:
        folder = DEFAULT_FOLDER / job if out is None else Path(out)
        file = None if spec_file is None else Path(spec_file)
        return Target(folder, overwrite, file, keeps_octaves=keep)

    return kind_of(spec).render_here(
        spec, target_of, watch or _unwatched, in_process=in_process, limit=until
    )


def _unwatched(_: object) -> None:
    """Ignore the progress."""


class Store:
    """A store of jobs: a folder, or a bucket as `s3://BUCKET/PREFIX`.

    `dreamfarm work --store ADDRESS` renders its jobs. All methods raise StoreError if the store
    does not answer.
    """

    def __init__(self, address: str | Path = DEFAULT_FOLDER, *, create: bool = False) -> None:
        """Open the store, without a request to it. Raises RequestError for a wrong address.

        create: Whether `submit` may make the store's folder, as it may the default one.
        """
        if isinstance(address, Path) and address.parts[:1] and address.parts[0] in ("s3:", "file:"):
            raise RequestError(f"{address}: a Path cannot be the address of a bucket; pass text")
        self.store = open_store(str(address))
        self._address, self._create = str(address), create

    @classmethod
    def existing(cls, address: str) -> "Store":
        """Open a store to read. Raises RequestError for a wrong address or a missing folder."""
        open_existing_store(address)
        return cls(address)

    def __repr__(self) -> str:
        return f"Store({self.store.address!r})"

    def submit(
        self, source: SpecSource, *, until: int | str | None = None, **overrides: Any
    ) -> Job:
        """Put a job into the store. An identical spec returns the existing job.

        Specs are identical if their pictures and weights are, too. Submitting one again changes
        only its priority, crew and limits.

        until: see `render`; the job pauses, and `Job.finish` goes on.
        source, overrides: see `load_spec`. Raises RequestError and RenderError.
        """
        self.check_may_submit()
        return Job(self.store, self.submit_spec(load_spec(source, **overrides), until).job)

    def submit_spec(self, spec: AnySpec, until: int | str | None = None) -> "SubmitResult":
        """Put the job of a spec into the store, and say whether it is new."""
        self.check_may_submit()
        return kind_of(spec).submit(self.store, spec, until)

    def check_may_submit(self) -> None:
        """Raise RequestError if the folder of the store is missing, and `create` is not set."""
        is_default = self._address == str(DEFAULT_FOLDER)
        open_store_to_fill(self._address, may_create=self._create or is_default)

    def job(self, text: str) -> Job:
        """The job with that id, or with the only id that starts with the text.

        Raises JobNotFound, and RequestError if several ids start with it.
        """
        return Job(self.store, find_job_id(self.store, text))

    def summaries(self) -> Iterator[JobSummary | JobsError]:
        """The summaries of all jobs; for an unreadable job, the error instead."""
        return load_summaries(self.store, list_job_ids(self.store))

    def jobs(self, *states: State) -> list[Job]:
        """The jobs, the newest first. Skips unreadable jobs.

        states: only jobs in one of these states; default: all. Raises RequestError for an unknown
        state.
        """
        known = get_args(State)
        for state in states:
            if state not in known:
                raise RequestError(f"{state}: no such state; {suggest(str(state), known)}")
        summaries = [one for one in self.summaries() if isinstance(one, JobSummary)]
        chosen = [one for one in summaries if not states or one.state in states]
        chosen.sort(key=lambda summary: (summary.age_seconds, summary.job))
        return [Job(self.store, one.job) for one in chosen]

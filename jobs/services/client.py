"""The calls behind `import dreamfarm` and the command line: render, plan, a store and its jobs."""

import base64
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.records import request
from jobs.records.job import find_job_id, list_job_ids, load_job
from jobs.records.keys import JobKeys
from jobs.records.report import Report, load_report, load_reports
from jobs.records.state import ENDED, Redo, State
from jobs.records.status import parse_failure
from jobs.services.kinds import KINDS, kind_of
from jobs.spec.document import Document, read_document, set_field
from jobs.spec.kinds import AnySpec, parse_spec
from jobs.store.address import open_store
from jobs.store.errors import StoreUnreachable
from jobs.text.errors import JobsError
from jobs.text.report import PlanReport, ResultReport

if TYPE_CHECKING:
    from jobs.dataset.ledger.rows import LedgerRow
    from jobs.runtime.metrics.progress import WatchProgress
    from jobs.runtime.upload import SubmitResult

SpecSource = AnySpec | Mapping[str, Any] | str | Path
"""A spec; a document of one; or the path of a spec file, a picture or a folder of pictures."""

SPEC_SUFFIXES = (".yaml", ".yml", ".json")

DEFAULT_FOLDER = Path("dreams")
"""The folder of results, and the default store."""

_SHORTCUTS = {"network": "network.name", "weights": "network.weights", "workers": "crew.workers"}


def load_spec(source: SpecSource, **overrides: Any) -> AnySpec:
    """The spec of a source, with some of its fields replaced.

    overrides: fields by name; `dream__steps=4` or `dream={"steps": 4}` reach into parts. Shortcuts:
    `layer`, `network` and `weights` by name or path, `workers`. Raises RequestError.
    """
    if not isinstance(source, str | Path | Mapping):
        if not overrides:
            return source
        source = source.document()
    document = _document(source)
    layer = overrides.pop("layer", None)
    if layer is not None:
        overrides["objectives"] = [{"layer": layer}]
    for key, value in _flattened(overrides):
        document = set_field(document, key, value)
    return parse_spec(document)


def _document(source: Mapping[str, Any] | str | Path) -> Document:
    if isinstance(source, Mapping):
        return dict(source)
    path = Path(source)
    if path.suffix.lower() in SPEC_SUFFIXES:
        return read_document(path)
    if path.is_dir():
        return {"kind": "dataset", "inputs": {"path": str(path)}}
    return {"kind": "poster", "input": {"path": str(path)}}


def _flattened(overrides: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted field names with plain JSON values. What is None keeps its default."""
    for name, value in overrides.items():
        key = prefix + name.replace("__", ".")
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{key}.")
        elif value is not None:
            plain = str(value) if isinstance(value, Path) else value
            yield (key if isinstance(value, list | tuple) else _SHORTCUTS.get(key, key)), plain


def plan(source: SpecSource, *, probe: bool = False, **overrides: Any) -> PlanReport:
    """Plan a render on this machine: octaves, tiles, memory, bytes. Renders nothing.

    probe: measure this machine, to estimate the time. overrides: see `load_spec`. Raises
    RequestError, and RenderError for a network or layer that does not fit.
    """
    from jobs.planning.estimate.request import parse_request

    spec = load_spec(source, **overrides)
    request = parse_request(None, None, None, None)
    return kind_of(spec).plan(spec, request, DEFAULT_FOLDER.joinpath, probe=probe)


def render(
    source: SpecSource,
    out: str | Path | None = None,
    *,
    in_process: bool = False,
    watch: "WatchProgress | None" = None,
    **overrides: Any,
) -> ResultReport:
    """Render on this machine into a folder; the same call resumes an interrupted render.

    out: the folder; default: `dreams/JOB`. in_process: without Ray, one worker after another.
    watch: called with the progress. overrides: see `load_spec`. Raises RequestError, RenderError,
    and ClusterError where the workers fail.
    """
    if in_process:
        overrides.setdefault("workers", 1)
    spec = load_spec(source, **overrides)
    return kind_of(spec).render_here(
        spec,
        lambda job: DEFAULT_FOLDER / job if out is None else Path(out),
        watch or _unwatched,
        in_process=in_process,
    )


def _unwatched(_: object) -> None:
    """Nobody watches."""


class Store:
    """A store: a folder, or a bucket as `s3://BUCKET/PREFIX`."""

    def __init__(self, address: str | Path = DEFAULT_FOLDER) -> None:
        """Open the store. Raises RequestError where the address is wrong."""
        self.store = open_store(str(address))

    def __repr__(self) -> str:
        return f"Store({self.store.address!r})"

    def submit(self, source: SpecSource, **overrides: Any) -> "Job":
        """Put a job into the store, or find it there; the latest priority, crew and limits count.

        Raises RequestError, RenderError, and StoreError where the store does not answer.
        """
        return Job(self, self.submit_spec(load_spec(source, **overrides)).job)

    def submit_spec(self, spec: AnySpec) -> "SubmitResult":
        """Put the job of a spec into the store, and say whether it is new."""
        return kind_of(spec).submit(self.store, spec)

    def job(self, text: str) -> "Job":
        """The job with an id, or with an id that begins so. Raises JobNotFound."""
        return Job(self, find_job_id(self.store, text))

    def reports(self) -> Iterator[Report | JobsError]:
        """A report on each job, or the error where a job cannot be read."""
        return load_reports(self.store, list_job_ids(self.store))

    def jobs(self, *states: State) -> list["Job"]:
        """The jobs in some states, or all; the newest first. Skips jobs that cannot be read."""
        found = [one for one in self.reports() if isinstance(one, Report)]
        chosen = [one for one in found if not states or one.state in states]
        chosen.sort(key=lambda report: (report.age_seconds, report.job))
        return [Job(self, one.job) for one in chosen]


class Job:
    """A job in a store. Each property reads the store anew.

    All methods raise StoreError where the store does not answer, and JobNotFound where the job is
    gone.
    """

    def __init__(self, store: Store, job: str) -> None:
        self._store, self.id = store.store, job

    def __repr__(self) -> str:
        return f"Job({self.id!r} in {self._store.address!r})"

    def report(self) -> Report:
        """All there is to tell of the job now."""
        return load_report(self._store, self.id)

    @property
    def state(self) -> State:
        """`queued`, `running`, `paused`, `succeeded`, `failed` or `cancelled`."""
        return load_job(self._store, self.id).state

    @property
    def progress(self) -> float:
        """The share of the work that is done, from 0 to 1."""
        return self.report().progress

    def watch(
        self, every: float = 2.0, message: Callable[[str], None] | None = None
    ) -> Iterator[Report]:
        """A report every so many seconds, until the job has ended.

        Waits for a store that does not answer. message: gets a line when that begins and ends.
        """
        is_cut_off = False
        while True:
            try:
                report = self.report()
            except StoreUnreachable as error:
                if not is_cut_off and message is not None:
                    message(f"{error}; trying again")
                is_cut_off = True
            else:
                if is_cut_off and message is not None:
                    message(f"{self._store.address}: answers again")
                is_cut_off = False
                yield report
                if report.state in ENDED:
                    return
            time.sleep(every)

    def wait(self, timeout: float | None = None, every: float = 2.0) -> Report:
        """Wait until the job has ended; return its last report.

        timeout: seconds; None waits for ever. Raises TimeoutError.
        """
        began = time.monotonic()
        for report in self.watch(every):
            if report.state not in ENDED and timeout is not None:
                left = timeout - (time.monotonic() - began)
                if left <= 0:
                    raise TimeoutError(f"{self.id}: is {report.state} after {timeout:g} s")
        return report

    def pause(self) -> State:
        """Stop at the next step, or before the start. Raises RequestError for an ended job."""
        return request.pause(self._store, self.id)

    def resume(self) -> State:
        """Continue a paused job."""
        return request.resume(self._store, self.id)

    def cancel(self) -> State:
        """Cancel the job. Only `retry` starts it again."""
        return request.cancel(self._store, self.id)

    def retry(self, *, only_failed: bool = False, failure: str | None = None) -> State:
        """Run a failed or cancelled job again, from its last checkpoint.

        only_failed, failure: of a job with items, try only failed items again, of one class
        (`infra`, `memory`, `input` or `bug`). Raises RequestError.
        """
        chosen = parse_failure(failure)
        redo = Redo(failure=chosen) if only_failed or chosen else None
        return request.retry(self._store, self.id, redo)

    def fetch(self, out: str | Path | None = None, formats: Sequence[str] = ()) -> ResultReport:
        """Download the results of a succeeded job into a folder; default: `dreams/JOB`.

        formats: of a poster, such as `tiff:16`; formats that the job has not made are made here
        from its last checkpoint. Raises RequestError.
        """
        found = load_job(self._store, self.id)
        folder = DEFAULT_FOLDER / self.id if out is None else Path(out)
        return KINDS[found.kind].fetch(self._store, found, folder, formats)

    def ledger(self) -> "Iterator[LedgerRow]":
        """The rows of a job with items: what became of each. Raises RequestError for others."""
        from jobs.dataset.inputs.index import job_items
        from jobs.dataset.ledger.reader import LedgerKeys, read_rows

        index = job_items(self._store, load_job(self._store, self.id))
        return read_rows(self._store, LedgerKeys(self.id), index.files)

    def preview(self) -> bytes | None:
        """The newest preview, a JPEG; None before the first octave is finished."""
        entries = list(self._store.list_objects(JobKeys(self.id).previews))
        if not entries:
            return None
        newest = max(entries, key=lambda entry: (entry.modified, entry.key))
        return self._store.get(newest.key)

    def _repr_html_(self) -> str:
        """A notebook shows the state of a job, and its preview."""
        report, picture = self.report(), self.preview()
        text = f"<p>{self.id}: {report.state}, {report.progress:.0%}</p>"
        if picture is None:
            return text
        encoded = base64.b64encode(picture).decode()
        return f'{text}<img alt="{self.id}" src="data:image/jpeg;base64,{encoded}">'
